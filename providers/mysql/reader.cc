#include "providers/mysql/reader.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "plans/fact.h"

namespace stemma::mysql {
namespace {

// One row of a table, by column name. A status column may have two: what others call Master and Slave, SHOW REPLICA
// STATUS of MySQL calls Source and Replica.
class Row {
 public:
  Row(const Table& table, std::size_t row) : table_(table), row_(row) {}

  [[nodiscard]] std::string text(std::string_view column) const { return cell(column).value_or(""); }
  template <class Number>
  [[nodiscard]] Number number(std::string_view column, Number otherwise = {}) const {
    return maybe<Number>(column).value_or(otherwise);
  }
  template <class Number>
  [[nodiscard]] std::optional<Number> maybe(std::string_view column) const {
    const auto found = cell(column);
    Number value{};
    if (!found) return std::nullopt;
    const auto [end, error] = std::from_chars(found->data(), found->data() + found->size(), value);
    if (error != std::errc{} || end == found->data()) return std::nullopt;
    return value;
  }
  [[nodiscard]] bool flag(std::string_view column) const { return is_on(text(column)); }
  static bool is_on(std::string value) {
    std::transform(value.begin(), value.end(), value.begin(),
                   [](unsigned char c) { return std::toupper(c); });
    // A read_only of NO_LOCK or NO_LOCK_NO_ADMIN (newer MariaDB) is on, too.
    return !(value.empty() || value == "0" || value == "OFF" || value == "NO" || value == "FALSE" ||
             value == "DISABLED");
  }

 private:
  [[nodiscard]] std::optional<std::string> cell(std::string_view column) const {
    if (auto found = table_.at(row_, column)) return found;
    std::string other(column);
    for (const auto& [old_word, new_word] : {std::pair{"Master", "Source"}, std::pair{"Slave", "Replica"}})
      for (auto at = other.find(old_word); at != std::string::npos; at = other.find(old_word, at + 1))
        other.replace(at, std::string_view(old_word).size(), new_word);
    return other == column ? std::nullopt : table_.at(row_, other);
  }

  const Table& table_;
  std::size_t row_;
};

ReceiverState receiver_state(const std::string& text) {
  if (text == "Yes") return ReceiverState::on;
  return text == "No" || text.empty() ? ReceiverState::off
                                      : ReceiverState::connecting;  // Connecting, Preparing
}

ChannelGtid channel_gtid(const Row& row) {
  if (row.text("Auto_Position") == "1") return ChannelGtid::auto_position;
  const std::string text = row.text("Using_Gtid");
  if (text == "Slave_Pos") return ChannelGtid::slave_pos;
  return text == "Current_Pos" ? ChannelGtid::current_pos : ChannelGtid::no;
}

GtidSet gtid_set(const std::string& text) { return GtidSet::parse(text).value_or(GtidSet{}); }

// Bytes from their hex digits; what is no pair of them ends it.
std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(digits.data() + i, digits.data() + i + 2, value, 16);
    if (error != std::errc{} || end != digits.data() + i + 2) break;
    bytes += static_cast<char>(value);
  }
  return bytes;
}

Channel* channel_of(const Row& row, ServerState& state) {
  const std::string name = row.text("CHANNEL_NAME");
  const auto found = std::find_if(state.channels.begin(), state.channels.end(),
                                  [&](const Channel& c) { return c.name == name; });
  return found == state.channels.end() ? nullptr : &*found;
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return std::string(text);
}

// An applier that failed on SET PASSWORD quotes the statement, hash and all. '*' and 40 hex digits are such a hash.
std::string without_hashes(std::string text) {
  constexpr std::size_t kDigits = 40;
  for (auto star = text.find('*'); star != std::string::npos; star = text.find('*', star + 1)) {
    const auto end = text.find_first_not_of("0123456789ABCDEFabcdef", star + 1);
    if ((end == std::string::npos ? text.size() : end) - star - 1 == kDigits)
      text.replace(star, kDigits + 1, "<hash>");
  }
  return text;
}

// Where `word` begins outside quotes, back-ticks and parentheses; npos if nowhere.
std::size_t find_outside(std::string_view text, std::string_view word) {
  char quote = 0;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == '\\' && quote != '`')
        ++i;
      else if (c == quote)
        quote = 0;
      continue;
    }
    if (depth == 0 && text.substr(i).starts_with(word)) return i;
    if (c == '\'' || c == '"' || c == '`') quote = c;
    if (c == '(') ++depth;
    if (c == ')') --depth;
  }
  return std::string_view::npos;
}

}  // namespace

Version parse_version(std::string_view text) {
  if (text.starts_with("5.5.5-")) text.remove_prefix(6);
  Version version;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (int* part : {&version.major, &version.minor, &version.patch}) {
    const auto [next, error] = std::from_chars(at, end, *part);
    if (error != std::errc{}) break;
    at = next;
    if (at == end || *at != '.') break;
    ++at;
  }
  return version;
}

Flavor flavor_of(std::string_view version_text) {
  std::string lower(version_text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower.find("mariadb") != std::string::npos ? Flavor::mariadb : Flavor::mysql;
}

void read_server(const Table& table, ServerState& state) {
  if (table.rows.empty()) return;
  const Row row(table, 0);
  state.version_text = row.text("version");
  state.version = parse_version(state.version_text);
  state.flavor = flavor_of(state.version_text);
  state.identity = {row.number<std::uint32_t>("server_id"), row.text("server_uuid"), row.text("hostname"),
                    row.number<std::uint16_t>("port"), row.text("datadir")};
  state.log_bin = row.flag("log_bin");
  state.log_updates = row.flag("log_slave_updates");
  state.gtid_strict = row.flag("gtid_strict_mode");
  state.gtid_domain = row.number<std::uint32_t>("gtid_domain_id");
  state.offers_tls = row.flag("have_ssl");
  if (state.flavor == Flavor::mysql) state.mysql_gtids.emplace().mode = row.text("gtid_mode");
  read_gtid_binlog_pos(table, state);
  read_channel_settings(table, state);
}

void read_coordinates(const Table& table, ServerState& state) {
  state.coordinates = {};
  if (table.rows.empty()) return;
  const Row row(table, 0);
  state.coordinates = {row.text("File"), row.number<std::uint64_t>("Position")};
  if (state.mysql_gtids) state.mysql_gtids->at_coordinates = gtid_set(row.text("Executed_Gtid_Set"));
}

void read_gtid_binlog_pos(const Table& table, ServerState& state) {
  if (table.rows.empty()) return;
  state.gtid_binlog = GtidPosition::parse(Row(table, 0).text("gtid_binlog_pos")).value_or(GtidPosition{});
}

void read_channels(const Table& table, ServerState& state) {
  state.channels.clear();
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const Row row(table, i);
    Channel channel;
    channel.name = state.flavor == Flavor::mysql ? row.text("Channel_Name") : row.text("Connection_name");
    channel.host = row.text("Master_Host");
    channel.port = row.number<std::uint16_t>("Master_Port");
    channel.user = row.text("Master_User");
    channel.receiver = receiver_state(row.text("Slave_IO_Running"));
    channel.applier = row.text("Slave_SQL_Running") == "Yes";
    channel.receiver_doing = row.text("Slave_IO_State");
    channel.applier_doing = row.text("Slave_SQL_Running_State");
    channel.read = {row.text("Master_Log_File"), row.number<std::uint64_t>("Read_Master_Log_Pos")};
    channel.executed = {row.text("Relay_Master_Log_File"), row.number<std::uint64_t>("Exec_Master_Log_Pos")};
    channel.gtid = channel_gtid(row);
    channel.source_server_id = row.number<std::uint32_t>("Master_Server_Id");
    channel.source_uuid = row.text("Master_UUID");
    channel.retrieved = gtid_set(row.text("Retrieved_Gtid_Set"));
    channel.receiver_errno = row.number<int>("Last_IO_Errno");
    channel.receiver_error = without_hashes(row.text("Last_IO_Error"));
    channel.applier_errno = row.number<int>("Last_SQL_Errno");
    channel.applier_error = without_hashes(row.text("Last_SQL_Error"));
    channel.seconds_behind = row.maybe<std::uint64_t>("Seconds_Behind_Master");
    channel.delay = row.number<std::uint64_t>("SQL_Delay");
    channel.connect_retry = row.number<std::uint64_t>("Connect_Retry", 60);
    channel.heartbeat = row.number<double>("Slave_heartbeat_period");
    channel.retry_count = row.maybe<std::uint64_t>("Master_Retry_Count");
    channel.tls = row.text("Master_SSL_Allowed") == "Yes";
    channel.verify = row.text("Master_SSL_Verify_Server_Cert") == "Yes";
    channel.ca = row.text("Master_SSL_CA_File");
    channel.cert = row.text("Master_SSL_Cert");
    channel.key = row.text("Master_SSL_Key");
    channel.public_key = row.text("Master_public_key_path");
    channel.fetches_public_key = row.flag("Get_master_public_key") || row.flag("Get_Source_public_key");
    channel.bind = row.text("Master_Bind");
    channel.do_db = row.text("Replicate_Do_DB");
    channel.ignore_db = row.text("Replicate_Ignore_DB");
    channel.do_table = row.text("Replicate_Do_Table");
    channel.ignore_table = row.text("Replicate_Ignore_Table");
    channel.do_domain_ids = row.text("Replicate_Do_Domain_Ids");
    channel.ignore_domain_ids = row.text("Replicate_Ignore_Domain_Ids");
    state.channels.push_back(std::move(channel));
  }
}

void read_channel_details(const Table& table, ServerState& state) {
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const Row row(table, i);
    Channel* channel = channel_of(row, state);
    if (channel == nullptr) continue;
    channel->heartbeat = row.number<double>("HEARTBEAT_INTERVAL", channel->heartbeat);
    channel->compression = row.text("COMPRESSION_ALGORITHM");
    if (row.flag("SOURCE_CONNECTION_AUTO_FAILOVER")) state.managed_elsewhere = true;
  }
}

void read_worker_errors(const Table& table, ServerState& state) {
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const Row row(table, i);
    Channel* channel = channel_of(row, state);
    // The coordinator only says that some worker failed; the first worker's own words name the cause.
    if (channel == nullptr || channel->applier_errno == 0 ||
        channel->applier_error.find("worker") == std::string::npos)
      continue;
    channel->applier_errno = row.number<int>("LAST_ERROR_NUMBER", channel->applier_errno);
    channel->applier_error = without_hashes(row.text("LAST_ERROR_MESSAGE"));
  }
}

void read_channel_settings(const Table& table, ServerState& state) {
  if (table.rows.empty()) return;
  const Row row(table, 0);
  state.read_only = row.flag("read_only");
  if (const auto super = row.maybe<int>("super_read_only")) state.super_read_only = *super != 0;
  if (state.mysql_gtids) {
    state.mysql_gtids->executed = gtid_set(row.text("gtid_executed"));
    state.mysql_gtids->purged = gtid_set(row.text("gtid_purged"));
    return;
  }
  state.gtid_replicated = GtidPosition::parse(row.text("gtid_slave_pos")).value_or(GtidPosition{});
  state.gtid_state = GtidState::parse(row.text("gtid_binlog_state")).value_or(GtidState{});
}

void read_attached(const Table& table, ServerState& state) {
  state.attached_ids.clear();
  for (std::size_t i = 0; i < table.rows.size(); ++i)
    if (const auto id = Row(table, i).maybe<std::uint32_t>("Server_id")) state.attached_ids.insert(*id);
}

void read_login_plugins(const Table& table, ServerState& state) {
  state.login_plugins.clear();
  for (std::size_t i = 0; i < table.rows.size(); ++i) state.login_plugins.insert(Row(table, i).text("name"));
}

void read_own_grants(const Table& table, ServerState& state) {
  state.own_grants.clear();
  for (const auto& row : table.rows)
    if (!row.empty() && row.front())
      if (auto grant = parse_grant(*row.front())) state.own_grants.push_back(std::move(*grant));
}

void read_accounts(const Table& table, ServerState& state) {
  std::optional<AccountState> ours;
  state.accounts.clear();
  state.read_only_bypass.clear();
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const Row row(table, i);
    if (row.text("user") == "PUBLIC") continue;
    const AccountName name{row.text("user"), row.text("host")};
    state.accounts.push_back(name);
    if (row.flag("is_role")) continue;
    if (row.flag("bypass")) state.read_only_bypass.push_back(name);
    if (!row.flag("is_ours")) continue;
    ours = state.replication_account ? *state.replication_account : AccountState{};
    ours->plugin = row.text("plugin");
    const std::string hex = row.text("hash_hex");
    ours->hash = hex.empty() ? row.text("hash") : from_hex(hex);
    ours->locked = row.flag("locked");
  }
  std::sort(state.accounts.begin(), state.accounts.end());
  std::sort(state.read_only_bypass.begin(), state.read_only_bypass.end());
  state.replication_account = std::move(ours);
}

void read_grants(const Table& table, ServerState& state) {
  if (!state.replication_account) return;
  state.replication_account->grants.clear();
  for (const auto& row : table.rows)
    if (!row.empty() && row.front())
      if (auto grant = parse_grant(*row.front()))
        state.replication_account->grants.push_back(std::move(*grant));
}

void read_variables(const Table& table, ServerState& state, const std::vector<std::string>& declared) {
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const Row row(table, i);
    const std::string name = row.text("name");
    // MariaDB says SQL of a value that was SET, MySQL DYNAMIC; that one may have been SET PERSIST as well.
    const std::string origin = row.text("origin"), kept = row.text("persisted");
    const bool persisted =
        kept.empty() ? origin != "SQL" && origin != "DYNAMIC" : same_value(kept, row.text("value"));
    if (name == "read_only") state.read_only_persisted = persisted;
    if (name == "super_read_only") state.super_read_only_persisted = persisted;
    if (name == "wsrep_on" && Row::is_on(row.text("value"))) state.managed_elsewhere = true;
    if (name == "group_replication_group_name" && !row.text("value").empty()) state.managed_elsewhere = true;
    for (const std::string& wanted : declared) {
      std::string lower = wanted;
      std::transform(lower.begin(), lower.end(), lower.begin(),
                     [](unsigned char c) { return std::tolower(c); });
      if (lower == name) state.variables[wanted] = {row.text("value"), persisted};
    }
  }
}

void read_semi_sync(const Table& table, ServerState& state) {
  state.semi_sync_active.reset();
  for (std::size_t i = 0; i < table.rows.size(); ++i)
    state.semi_sync_active = state.semi_sync_active.value_or(false) || Row(table, i).flag("Value");
}

void read_schemas(const Table& table, ServerState& state) {
  state.schemas.emplace();
  for (std::size_t i = 0; i < table.rows.size(); ++i) (*state.schemas)[Row(table, i).text("name")];
}

void read_tables(const Table& table, ServerState& state) {
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const Row row(table, i);
    (*state.schemas)[row.text("schema_name")].insert(row.text("name"));
  }
}

void read_binlogs(const Table& table, ServerState& state) {
  state.binlogs.emplace();
  for (std::size_t i = 0; i < table.rows.size(); ++i)
    state.binlogs->push_back(Row(table, i).text("Log_name"));
}

std::optional<std::uint64_t> read_lock_holder(const Table& table) {
  if (table.rows.empty()) return std::nullopt;
  return Row(table, 0).maybe<std::uint64_t>("lock_holder");
}

std::optional<Grant> parse_grant(std::string_view line) {
  if (!line.starts_with("GRANT ")) return std::nullopt;
  line.remove_prefix(6);
  const auto to = find_outside(line, " TO ");
  if (to == line.npos) return std::nullopt;
  Grant grant;
  grant.grant_option = find_outside(line.substr(to), " WITH GRANT OPTION") != line.npos;
  std::string_view what = line.substr(0, to);
  if (const auto on = find_outside(what, " ON "); on != what.npos) {
    grant.object = trimmed(what.substr(on + 4));
    what = what.substr(0, on);
  }
  while (!what.empty()) {
    const auto comma = find_outside(what, ",");
    if (auto privilege = trimmed(what.substr(0, comma)); !privilege.empty())
      grant.privileges.insert(privilege);
    if (comma == what.npos) break;
    what.remove_prefix(comma + 1);
  }
  return grant;
}

}  // namespace stemma::mysql
