// From result sets to values: whatever servers answer.
#include "providers/mysql/reader.h"

#include <random>

#include "tests/catch.h"

using namespace stemma;
using namespace stemma::mysql;

namespace {

using Cell = std::optional<std::string>;

// One row, as pairs of column and cell.
Table row(const std::vector<std::pair<std::string, Cell>>& cells) {
  Table table;
  table.rows.emplace_back();
  for (const auto& [column, cell] : cells) {
    table.columns.push_back(column);
    table.rows[0].push_back(cell);
  }
  return table;
}
Table column(const std::string& name, const std::vector<Cell>& cells) {
  Table table{{name}, {}};
  for (const Cell& cell : cells) table.rows.push_back({cell});
  return table;
}

// "REPLICATION SLAVE, SELECT on *.* +" for a grant, "none" for a line that is none.
std::string grant(std::string_view line) {
  const auto parsed = parse_grant(line);
  if (!parsed) return "none";
  std::string text;
  for (const std::string& privilege : parsed->privileges) text += (text.empty() ? "" : "; ") + privilege;
  return text + (parsed->object.empty() ? "" : " on " + parsed->object) + (parsed->grant_option ? " +" : "");
}

}  // namespace

TEST_CASE("versions") {
  CHECK(parse_version("10.11.19-MariaDB-0+deb12u1-log") == Version{10, 11, 19});
  CHECK(parse_version("5.5.5-10.6.2-MariaDB") == Version{10, 6, 2});
  CHECK(parse_version("8.0.36") == Version{8, 0, 36});
  CHECK(parse_version("8.4") == Version{8, 4, 0});
  CHECK(parse_version("11.") == Version{11, 0, 0});
  CHECK(parse_version("") == Version{});
  CHECK(parse_version("unknown") == Version{});
  CHECK(parse_version("99999999999999.1.1") == Version{});
  CHECK(flavor_of("10.11.6-MariaDB-log") == Flavor::mariadb);
  CHECK(flavor_of("10.6.0-mariadb") == Flavor::mariadb);
  CHECK(flavor_of("8.0.36-0ubuntu0.22.04.1") == Flavor::mysql);
}

TEST_CASE("lines of SHOW GRANTS") {
  CHECK(grant("GRANT REPLICATION SLAVE ON *.* TO `repl`@`%` IDENTIFIED BY PASSWORD '*2470C0'") ==
        "REPLICATION SLAVE on *.*");
  CHECK(grant("GRANT SELECT, INSERT ON `app`.* TO `u`@`%`") == "INSERT; SELECT on `app`.*");
  CHECK(grant("GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION") ==
        "ALL PRIVILEGES on *.* +");
  CHECK(grant("GRANT SELECT (`a`, `b`), INSERT (`c`) ON `d`.`t` TO `u`@`%`") ==
        "INSERT (`c`); SELECT (`a`, `b`) on `d`.`t`");
  CHECK(grant("GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION") == "PROXY on ''@'%' +");
  CHECK(grant("GRANT `admins` TO `u`@`%`") == "`admins`");
  CHECK(grant("GRANT `a`, `b c` TO `u`@`%` WITH ADMIN OPTION") == "`a`; `b c`");
  CHECK(grant("GRANT USAGE ON *.* TO `u`@`%` IDENTIFIED VIA ed25519 USING 'x TO y WITH GRANT OPTION'") ==
        "USAGE on *.*");
}

TEST_CASE("names that look like grammar") {
  CHECK(grant("GRANT SELECT ON `a TO b`.* TO `u`@`%`") == "SELECT on `a TO b`.*");
  CHECK(grant("GRANT SELECT ON `a ON b`.* TO `u`@`%`") == "SELECT on `a ON b`.*");
  CHECK(grant("GRANT SELECT ON `a``b`.* TO `u`@`%`") == "SELECT on `a``b`.*");
  CHECK(grant("GRANT SELECT ON `a'b`.* TO `it's`@`%`") == "SELECT on `a'b`.*");
  CHECK(grant("GRANT USAGE ON *.* TO `u WITH GRANT OPTION`@`%`") == "USAGE on *.*");
  CHECK(grant(R"(GRANT USAGE ON *.* TO 'it\'s WITH GRANT OPTION'@'%')") == "USAGE on *.*");
  CHECK(grant("GRANT `a,b` TO `u`@`%`") == "`a,b`");
}

TEST_CASE("lines that are no grants") {
  for (const char* line :
       {"", "GRANT", "GRANT ", "GRANT SELECT", "REVOKE SELECT ON *.* FROM `u`@`%`",
        "SET DEFAULT ROLE `admins` FOR `u`@`%`", "GRANT SELECT ON `unclosed TO x", "\xff\xfe"}) {
    INFO(line);
    CHECK(grant(line) == "none");
  }
}

TEST_CASE("a server's settings") {
  ServerState state;
  read_server(row({{"version", "10.11.6-MariaDB-log"},
                   {"server_id", "7"},
                   {"hostname", "h"},
                   {"port", "3307"},
                   {"datadir", "/d/"},
                   {"log_bin", "1"},
                   {"log_slave_updates", "0"},
                   {"read_only", "NO_LOCK"},
                   {"gtid_strict_mode", "ON"},
                   {"have_ssl", "DISABLED"},
                   {"gtid_binlog_pos", "0-7-3"},
                   {"gtid_slave_pos", "0-1-2"},
                   {"gtid_binlog_state", "0-1-2,0-7-3"},
                   {"lock_holder", "42"}}),
              state);
  CHECK(state.version == Version{10, 11, 6});
  CHECK(state.identity == Identity{7, "", "h", 3307, "/d/"});
  CHECK(state.log_bin);
  CHECK_FALSE(state.log_updates);
  CHECK(state.read_only);
  CHECK(state.gtid_strict);
  CHECK_FALSE(state.offers_tls);
  CHECK(to_text(state.gtid_binlog) == "0-7-3");
  CHECK(to_text(state.gtid_replicated) == "0-1-2");
  CHECK(to_text(state.gtid_state) == "0-1-2,0-7-3");
  CHECK(read_lock_holder(row({{"lock_holder", "42"}})) == 42);
  CHECK_FALSE(read_lock_holder(row({{"lock_holder", std::nullopt}})).has_value());
  CHECK_FALSE(read_lock_holder({}).has_value());
}

TEST_CASE("channels") {
  ServerState state;
  read_channels(row({{"Connection_name", ""},
                     {"Master_Host", "db"},
                     {"Master_Port", "3307"},
                     {"Master_User", "repl"},
                     {"Slave_IO_Running", "Connecting"},
                     {"Slave_SQL_Running", "Yes"},
                     {"Master_Log_File", "b.000002"},
                     {"Read_Master_Log_Pos", "99"},
                     {"Relay_Master_Log_File", "b.000001"},
                     {"Exec_Master_Log_Pos", "4"},
                     {"Using_Gtid", "Current_Pos"},
                     {"Master_Server_Id", "9"},
                     {"Last_IO_Errno", "2003"},
                     {"Last_IO_Error", "can't"},
                     {"Seconds_Behind_Master", std::nullopt},
                     {"SQL_Delay", "60"},
                     {"Slave_heartbeat_period", "2.500"},
                     {"Master_SSL_Allowed", "Yes"},
                     {"A_New_Column", "x"}}),
                state);
  REQUIRE(state.channels.size() == 1);
  const Channel& channel = state.channels[0];
  CHECK(channel.host == "db");
  CHECK(channel.port == 3307);
  CHECK(channel.receiver == ReceiverState::connecting);
  CHECK(channel.applier);
  CHECK(to_text(channel.read) == "b.000002:99");
  CHECK(to_text(channel.executed) == "b.000001:4");
  CHECK(channel.gtid == ChannelGtid::current_pos);
  CHECK(channel.receiver_errno == 2003);
  CHECK_FALSE(channel.seconds_behind.has_value());
  CHECK(channel.delay == 60);
  CHECK(channel.connect_retry == 60);  // the column is missing: the server's own default
  CHECK(channel.heartbeat == 2.5);
  CHECK(channel.tls);
  read_channels({}, state);
  CHECK(state.channels.empty());
}

TEST_CASE("accounts: roles count as such, ours is known by its mark") {
  Table table{{"user", "host", "bypass", "is_role", "is_ours", "plugin", "hash", "locked"}, {}};
  table.rows = {{"root", "localhost", "1", "0", "0", std::nullopt, std::nullopt, std::nullopt},
                {"repl", "%", "0", "0", "1", "mysql_native_password", "*HASH", "1"},
                {"admins", "", "0", "1", "0", {}, {}, {}},
                {"PUBLIC", "", "0", "0", "0", {}, {}, {}}};
  ServerState state;
  state.replication_account = AccountState{"x", "y", false, {Grant{{"USAGE"}, "*.*", false}}};
  read_accounts(table, state);
  CHECK(state.accounts == std::vector<AccountName>{{"admins", ""}, {"repl", "%"}, {"root", "localhost"}});
  CHECK(state.read_only_bypass == std::vector<AccountName>{{"root", "localhost"}});
  REQUIRE(state.replication_account.has_value());
  CHECK(state.replication_account->hash == "*HASH");
  CHECK(state.replication_account->locked);
  CHECK(state.replication_account->grants.size() == 1);
  read_grants(column("Grants", {"GRANT REPLICATION SLAVE ON *.* TO `repl`@`%`", std::nullopt, "nonsense"}),
              state);
  CHECK(state.replication_account->grants == std::vector<Grant>{{{"REPLICATION SLAVE"}, "*.*", false}});
  table.rows.erase(table.rows.begin() + 1);
  read_accounts(table, state);
  CHECK_FALSE(state.replication_account.has_value());
}

TEST_CASE("variables, schemas, binlogs, replicas") {
  ServerState state;
  Table variables{{"name", "value", "origin"},
                  {{"sync_binlog", "1", "SQL"},
                   {"read_only", "ON", "SQL"},
                   {"wsrep_on", "ON", "CONFIG"},
                   {"other", "x", "CONFIG"}}};
  read_variables(variables, state, {"Sync_Binlog", "nonesuch"});
  CHECK(state.variables.size() == 1);
  CHECK(state.variables.at("Sync_Binlog") == VariableState{"1", false});
  CHECK_FALSE(state.read_only_persisted);
  CHECK(state.managed_elsewhere);
  read_semi_sync({{"Variable_name", "Value"}, {{"Rpl_semi_sync_replica_status", "ON"}}}, state);
  CHECK(state.semi_sync_active == true);
  read_semi_sync({{"Variable_name", "Value"}, {{"Rpl_semi_sync_slave_status", "OFF"}}}, state);
  CHECK(state.semi_sync_active == false);
  read_semi_sync({{"Variable_name", "Value"}, {}}, state);  // MySQL without the plugin
  CHECK_FALSE(state.semi_sync_active);
  read_schemas(column("name", {"shop", "empty"}), state);
  read_tables({{"schema_name", "name"}, {{"shop", "t"}, {"shop", "p (procedure)"}, {"late", "t"}}}, state);
  CHECK(state.schemas->at("shop") == SchemaContents{"p (procedure)", "t"});
  CHECK(state.schemas->at("empty").empty());
  CHECK(state.schemas->contains("late"));
  read_binlogs(column("Log_name", {"b.000001", "b.000002"}), state);
  CHECK(*state.binlogs == std::vector<std::string>{"b.000001", "b.000002"});
  read_attached(column("Server_id", {"2", "x", std::nullopt, "3", "-1", "99999999999"}), state);
  CHECK(state.attached_ids == std::set<std::uint32_t>{2, 3});
  read_coordinates(row({{"File", "b.000001"}, {"Position", "328"}}), state);
  CHECK(to_text(state.coordinates) == "b.000001:328");
  read_coordinates({}, state);
  CHECK_FALSE(state.coordinates.known());
}

TEST_CASE("whatever comes, nothing crashes") {
  std::mt19937 dice(22);
  const std::vector<Cell> cells = {std::nullopt,
                                   "",
                                   "0",
                                   "-1",
                                   "Yes",
                                   "ON",
                                   "18446744073709551616",
                                   "1e999",
                                   "nan",
                                   std::string("\0\xff\xfe", 3),
                                   std::string(70000, 'x'),
                                   "0-1-2",
                                   "0-1-",
                                   "b.000001",
                                   "GRANT SELECT ON `a",
                                   "'\"`(((",
                                   "99999999999999999999999999"};
  const std::vector<std::string> columns = {"version",
                                            "server_id",
                                            "port",
                                            "log_bin",
                                            "gtid_binlog_pos",
                                            "gtid_slave_pos",
                                            "gtid_binlog_state",
                                            "File",
                                            "Position",
                                            "Connection_name",
                                            "Master_Port",
                                            "Slave_IO_Running",
                                            "Read_Master_Log_Pos",
                                            "Last_IO_Errno",
                                            "Seconds_Behind_Master",
                                            "SQL_Delay",
                                            "Connect_Retry",
                                            "Slave_heartbeat_period",
                                            "user",
                                            "host",
                                            "is_ours",
                                            "hash",
                                            "name",
                                            "value",
                                            "origin",
                                            "schema_name",
                                            "Log_name",
                                            "Server_id",
                                            "lock_holder",
                                            "unknown"};
  for (int round = 0; round < 3000; ++round) {
    Table table;
    for (const std::string& name : columns)
      if (dice() % 2 == 0) table.columns.push_back(name);
    for (std::size_t i = dice() % 4; i > 0; --i) {
      table.rows.emplace_back();
      for (std::size_t n = table.columns.size() + dice() % 2; n > 0; --n)
        table.rows.back().push_back(cells[dice() % cells.size()]);
    }
    ServerState state;
    read_server(table, state);
    read_coordinates(table, state);
    read_channels(table, state);
    read_attached(table, state);
    read_own_grants(table, state);
    read_accounts(table, state);
    read_grants(table, state);
    read_variables(table, state, {"x", ""});
    read_schemas(table, state);
    read_tables(table, state);
    read_binlogs(table, state);
    static_cast<void>(read_lock_holder(table));
  }
}

TEST_CASE("a row with fewer cells than there are columns") {
  const Table ragged{{"File", "Position"}, {{"b.000001"}}};
  ServerState state;
  read_coordinates(ragged, state);
  CHECK(state.coordinates.file == "b.000001");
}
