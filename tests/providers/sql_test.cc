// Every statement as text.
#include "providers/mysql/sql.h"

#include "plans/topology_file.h"
#include "tests/catch.h"

using namespace stemma;
using namespace stemma::mysql;

namespace {

using Lines = std::vector<std::string>;

constexpr const char* kPassword = "it's a \\ \"secret\"";

// A primary and its replica, and what the tests say of them.
struct World {
  explicit World(const std::string& keys_of_replica = "",
                 const std::string& keys_of_account = "user = \"repl\"") {
    auto read = read_topology("[replication]\npassword = { env = \"REPL\" }\n" + keys_of_account +
                                  "\n[server.primary]\naddress = \"10.0.0.1:3306\"\nadvertise = \"db:3307\"\n"
                                  "[server.replica]\naddress = \"10.0.0.2\"\nsource = \"primary\"\n" +
                                  keys_of_replica,
                              "tree.toml");
    if (!read) FAIL(render(read.error().front()));
    topology = read->topology;
    secrets.replication = Secret(kPassword);
    outputs.noted[{"primary"}] = Moment{{"mysql-bin.000001", 328}, *GtidPosition::parse("0-1-10")};
  }

  Result<Lines> try_lines(const Step& step) const {
    return statements(step, {topology, secrets, state, offers_tls, outputs});
  }
  Lines lines(const Step& step) const {
    auto sent = try_lines(step);
    if (!sent) FAIL(sent.error().message);
    return *sent;
  }
  Lines shown(const Step& step) const {
    Fleet fleet;
    fleet.servers[{"replica"}] = state;
    fleet.servers[{"primary"}].offers_tls = offers_tls;
    return preview(step, topology, fleet);
  }

  Topology topology;
  Secrets secrets;
  Outputs outputs;
  ServerState state;
  bool offers_tls = false;
};

const ServerName primary{"primary"}, replica{"replica"};
const Dialect& mariadb = dialect_for(Flavor::mariadb, {10, 11, 0});

Step step(StepKind kind, Fact ensures, std::optional<Origin> origin = std::nullopt) {
  Step made;
  made.id = "replica." + std::string(to_text(kind));
  made.kind = kind;
  made.server = subject(ensures);
  made.ensures = {std::move(ensures)};
  made.origin = std::move(origin);
  if (kind == StepKind::adopt_position) made.needs = {CoordinatesNoted{primary, std::nullopt}};
  return made;
}
Step account(StepKind kind) { return step(kind, AccountIs{replica, AccountAspect::exists}); }
Step configure(Origin origin, bool by_gtid = false) {
  return step(StepKind::configure_source, Follows{replica, primary, by_gtid}, std::move(origin));
}

const std::string kEscaped = R"('it\'s a \\ \"secret\"')";

}  // namespace

TEST_CASE("any text between quotes, any name between back-ticks") {
  CHECK(quoted("it's \\ \"x\" ü\n") == R"('it\'s \\ \"x\" ü\n')");
  CHECK(quoted("") == "''");
  CHECK(identifier("a`b.c") == "`a``b.c`");
}

TEST_CASE("accounts are made outside the binlog") {
  const World world;
  CHECK(world.lines(account(StepKind::create_user)) ==
        Lines{"SET SESSION sql_log_bin = 0", "CREATE USER 'repl'@'%' IDENTIFIED BY " + kEscaped,
              "GRANT REPLICATION SLAVE ON *.* TO 'repl'@'%'", "SET SESSION sql_log_bin = 1"});
  CHECK(world.lines(account(StepKind::alter_user)) == Lines{"SET SESSION sql_log_bin = 0",
                                                            "ALTER USER 'repl'@'%' IDENTIFIED BY " + kEscaped,
                                                            "SET SESSION sql_log_bin = 1"});
  CHECK(world.lines(account(StepKind::grant)) == Lines{"SET SESSION sql_log_bin = 0",
                                                       "GRANT REPLICATION SLAVE ON *.* TO 'repl'@'%'",
                                                       "SET SESSION sql_log_bin = 1"});
}

TEST_CASE("odd names of accounts") {
  const World world("", "user = \"o'ne\\\\ `ü`\"\nhost = \"10.0.%\"\nplugin = \"mysql_native_password\"");
  CHECK(world.lines(account(StepKind::alter_user))[1] ==
        R"(ALTER USER 'o\'ne\\ `ü`'@'10.0.%' IDENTIFIED VIA mysql_native_password USING PASSWORD()" +
            kEscaped + ")");
  CHECK(select_grants(*world.topology.replication) == R"(SHOW GRANTS FOR 'o\'ne\\ `ü`'@'10.0.%')");
  CHECK(select_accounts(mariadb, &*world.topology.replication)
            .find(R"((User = 'o\'ne\\ `ü`' AND Host = '10.0.%'))") != std::string::npos);
  CHECK(select_accounts(mariadb, nullptr).find("FALSE AS is_ours") != std::string::npos);
}

TEST_CASE("all but REPLICATION SLAVE is taken away") {
  World world;
  world.state.replication_account = AccountState{"",
                                                 "",
                                                 false,
                                                 {{{"REPLICATION SLAVE", "SUPER", "PROCESS"}, "*.*", true},
                                                  {{"SELECT", "INSERT (a, b)"}, "`a``b`.*", false},
                                                  {{"`admins`"}, "", false},
                                                  {{"USAGE"}, "*.*", false}}};
  CHECK(world.lines(account(StepKind::revoke)) ==
        Lines{"SET SESSION sql_log_bin = 0", "REVOKE PROCESS, SUPER ON *.* FROM 'repl'@'%'",
              "REVOKE GRANT OPTION ON *.* FROM 'repl'@'%'",
              "REVOKE INSERT (a, b), SELECT ON `a``b`.* FROM 'repl'@'%'", "REVOKE `admins` FROM 'repl'@'%'",
              "SET SESSION sql_log_bin = 1"});
  world.state.replication_account->grants = {{{"ALL PRIVILEGES"}, "*.*", true}};
  CHECK(world.lines(account(StepKind::revoke)) ==
        Lines{"SET SESSION sql_log_bin = 0", "REVOKE ALL PRIVILEGES ON *.* FROM 'repl'@'%'",
              "REVOKE GRANT OPTION ON *.* FROM 'repl'@'%'", "GRANT REPLICATION SLAVE ON *.* TO 'repl'@'%'",
              "SET SESSION sql_log_bin = 1"});
  world.state.replication_account.reset();
  CHECK(world.lines(account(StepKind::revoke)) ==
        Lines{"SET SESSION sql_log_bin = 0", "SET SESSION sql_log_bin = 1"});
}

TEST_CASE("variables: numbers bare, everything else a text") {
  const World world("variables = { sync_binlog = \"1\", sql_mode = \"A,'B'\", x = \"-1\" }\n");
  const auto set = [&](const std::string& name) {
    Step made = step(StepKind::set_variable, VariableIs{replica, name});
    made.variable = name;
    return world.lines(made);
  };
  CHECK(set("sync_binlog") == Lines{"SET GLOBAL `sync_binlog` = 1"});
  CHECK(set("sql_mode") == Lines{R"(SET GLOBAL `sql_mode` = 'A,\'B\'')"});
}

TEST_CASE("the small steps") {
  const World world;
  CHECK(world.lines(step(StepKind::stop_replica, ReceiverOff{replica})) == Lines{"STOP SLAVE IO_THREAD"});
  CHECK(world.lines(step(StepKind::stop_replica, ChannelOff{replica})) == Lines{"STOP SLAVE"});
  CHECK(world.lines(step(StepKind::start_replica, ChannelOn{replica})) == Lines{"START SLAVE"});
  CHECK(world.lines(step(StepKind::await_running, Flowing{replica, primary})).empty());
  CHECK(world.lines(step(StepKind::await_caught_up, CaughtUp{replica, primary})).empty());
  CHECK(world.lines(step(StepKind::capture_coordinates, CoordinatesNoted{primary, std::nullopt})).empty());
  CHECK(world.lines(step(StepKind::fence, ReadOnly{replica, true})) ==
        Lines{"SET SESSION lock_wait_timeout = 30", "SET GLOBAL read_only = ON"});
  CHECK(world.lines(step(StepKind::unfence, ReadOnly{replica, false})) ==
        Lines{"SET GLOBAL read_only = OFF"});
}

TEST_CASE("a new channel from noted coordinates: GTIDs are told, too") {
  World world;
  const std::string change =
      "CHANGE MASTER TO MASTER_HOST = 'db', MASTER_PORT = 3307, MASTER_USER = 'repl', MASTER_PASSWORD = " +
      kEscaped +
      ", MASTER_LOG_FILE = 'mysql-bin.000001', MASTER_LOG_POS = 328, MASTER_USE_GTID = no, MASTER_SSL = 0, "
      "MASTER_SSL_VERIFY_SERVER_CERT = 0";
  CHECK(world.lines(configure(FromNoted{})) == Lines{"SET GLOBAL gtid_slave_pos = '0-1-10'", change});
  world.state.gtid_state = *GtidState::parse("0-2-3");  // with GTIDs of its own it may be refused
  CHECK(world.lines(configure(FromNoted{})) == Lines{change});
  world.outputs.noted.clear();
  const auto lost = world.try_lines(configure(FromNoted{}));
  REQUIRE_FALSE(lost.has_value());
  CHECK(lost.error().trouble == Trouble::bug);
}

TEST_CASE("where a channel starts") {
  World world;
  const auto where = [&](const Step& made) {
    const std::string text = world.lines(made).back();
    const auto begin = text.find("MASTER_PASSWORD = " + kEscaped) + kEscaped.size() + 20;
    return text.substr(begin, text.find(", MASTER_SSL") - begin);
  };
  CHECK(where(configure(FromCoordinates{{"b.000007", 99}})) ==
        "MASTER_LOG_FILE = 'b.000007', MASTER_LOG_POS = 99, MASTER_USE_GTID = no");
  CHECK(where(configure(FromFirstBinlog{"b.000001"})) ==
        "MASTER_LOG_FILE = 'b.000001', MASTER_LOG_POS = 4, MASTER_USE_GTID = no");
  CHECK(where(configure(FromOwnGtid{}, true)) == "MASTER_USE_GTID = slave_pos");
  CHECK(where(configure(FromNoted{}, true)) == "MASTER_USE_GTID = slave_pos");
  CHECK(where(configure(FromGtid{*GtidPosition::parse("0-1-7")}, true)) == "MASTER_USE_GTID = slave_pos");
  const auto gone = world.try_lines(configure(FromExecuted{}));
  REQUIRE_FALSE(gone.has_value());
  CHECK(gone.error().trouble == Trouble::stale);
  world.state.channels.emplace_back().executed = {"b.000003", 5};
  CHECK(where(configure(FromExecuted{})).starts_with("MASTER_LOG_FILE = 'b.000003', MASTER_LOG_POS = 5"));
  Step adopt = step(StepKind::adopt_position, PositionAdopted{replica}, FromNoted{});
  CHECK(world.lines(adopt) == Lines{"SET GLOBAL gtid_slave_pos = '0-1-10'"});
  adopt.origin = FromGtid{*GtidPosition::parse("0-1-7,1-1-1")};
  CHECK(world.lines(adopt) == Lines{"SET GLOBAL gtid_slave_pos = '0-1-7,1-1-1'"});
}

TEST_CASE("every option is said each time: what is not declared is kept") {
  World world;
  Channel& now = world.state.channels.emplace_back();
  now.connect_retry = 7;
  now.heartbeat = 12.5;
  now.delay = 3600;
  now.tls = now.verify = true;
  now.ca = "/etc/it's.pem";
  now.key = "/k";
  now.executed = {"b.000003", 5};
  CHECK(
      world.lines(configure(FromExecuted{}))
          .back()
          .ends_with(
              "MASTER_USE_GTID = no, MASTER_CONNECT_RETRY = 7, MASTER_HEARTBEAT_PERIOD = 12.500, "
              "MASTER_DELAY = 3600, "
              R"(MASTER_SSL = 1, MASTER_SSL_VERIFY_SERVER_CERT = 1, MASTER_SSL_CA = '/etc/it\'s.pem', MASTER_SSL_KEY = '/k')"));
}

TEST_CASE("declared options") {
  World world(
      "connect_retry = \"10s\"\nheartbeat = \"2500ms\"\ndelay = \"1m\"\ntls = \"verify-ca\"\nca = \"/ca\"\n"
      "cert = \"/cert\"\nkey = \"/key\"\ndo_domain_ids = [1, 2]\n");
  CHECK(world.lines(configure(FromNoted{}))
            .back()
            .ends_with("MASTER_CONNECT_RETRY = 10, MASTER_HEARTBEAT_PERIOD = 2.500, MASTER_DELAY = 60, "
                       "MASTER_SSL = 1, "
                       "MASTER_SSL_VERIFY_SERVER_CERT = 1, MASTER_SSL_CA = '/ca', MASTER_SSL_CERT = '/cert', "
                       "MASTER_SSL_KEY = '/key', "
                       "DO_DOMAIN_IDS = (1,2)"));
}

TEST_CASE("TLS where the source offers it") {
  World world;
  world.offers_tls = true;
  CHECK(world.lines(configure(FromNoted{}))
            .back()
            .ends_with("MASTER_SSL = 1, MASTER_SSL_VERIFY_SERVER_CERT = 0"));
  CHECK(world.shown(configure(FromNoted{}))
            .back()
            .ends_with("MASTER_SSL = 1, MASTER_SSL_VERIFY_SERVER_CERT = 0"));
}

TEST_CASE("a step that needs the password does not go without it") {
  World world;
  world.secrets.replication.reset();
  for (const Step& made :
       {account(StepKind::create_user), account(StepKind::alter_user), configure(FromNoted{})}) {
    const auto sent = world.try_lines(made);
    REQUIRE_FALSE(sent.has_value());
    CHECK(sent.error().trouble == Trouble::bug);
  }
  CHECK(world.try_lines(account(StepKind::grant)).has_value());
}

TEST_CASE("shown are no secrets and no values that only applying brings") {
  const World world;
  const std::vector<std::pair<Step, Lines>> shown = {
      {account(StepKind::create_user),
       {"SET SESSION sql_log_bin = 0", "CREATE USER 'repl'@'%' IDENTIFIED BY <secret>",
        "GRANT REPLICATION SLAVE ON *.* TO 'repl'@'%'", "SET SESSION sql_log_bin = 1"}},
      {step(StepKind::capture_coordinates, CoordinatesNoted{primary, std::nullopt}),
       {"SHOW MASTER STATUS", "SELECT @@global.gtid_binlog_pos AS gtid_binlog_pos"}},
      {step(StepKind::adopt_position, PositionAdopted{replica}, FromNoted{}),
       {"SET GLOBAL gtid_slave_pos = <gtid_binlog_pos of primary>"}},
      {step(StepKind::await_running, Flowing{replica, primary}),
       {"-- look at SHOW ALL SLAVES STATUS until data flow from primary to replica"}},
  };
  for (const auto& [made, expected] : shown) CHECK(world.shown(made) == expected);
  const std::string change = world.shown(configure(FromNoted{})).back();
  CHECK(
      change.find(
          "MASTER_PASSWORD = <secret>, MASTER_LOG_FILE = <binlog file of primary>, MASTER_LOG_POS = <binlog "
          "position of primary>") != std::string::npos);
  CHECK(world.shown(configure(FromExecuted{})).back().find("<executed file of replica>") !=
        std::string::npos);
}

TEST_CASE("what is asked") {
  CHECK(select_server(mariadb).find("IS_USED_LOCK('stemma.apply')") != std::string::npos);
  CHECK(select_variables(mariadb, {"a", "it's"}).ends_with(R"(VARIABLE_NAME IN ('a', 'it\'s'))"));
  CHECK(select_gtid_at({"b'.000001", 4}) == R"(SELECT BINLOG_GTID_POS('b\'.000001', 4) AS gtid)");
}
