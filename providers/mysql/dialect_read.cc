// The reading half of the dialect.
#include <fmt/format.h>

#include "providers/mysql/connection.h"
#include "providers/mysql/dialect.h"

namespace stemma::mysql {
namespace {

constexpr const char* kSystemSchemas = "('mysql','information_schema','performance_schema','sys')";

}  // namespace

std::string quoted(std::string_view text) { return fmt::format("'{}'", escape(text)); }

std::string identifier(std::string_view name) {
  std::string result = "`";
  for (const char c : name) result += c == '`' ? "``" : std::string(1, c);
  return result + "`";
}

std::string select_server() {
  return fmt::format(
      "SELECT VERSION() AS version, @@global.server_id AS server_id, @@global.hostname AS hostname, "
      "@@global.port AS port, @@global.datadir AS datadir, @@global.log_bin AS log_bin, "
      "@@global.log_slave_updates AS log_slave_updates, @@global.read_only AS read_only, "
      "@@global.gtid_strict_mode AS gtid_strict_mode, @@global.have_ssl AS have_ssl, "
      "@@global.gtid_binlog_pos AS gtid_binlog_pos, @@global.gtid_slave_pos AS gtid_slave_pos, "
      "@@global.gtid_binlog_state AS gtid_binlog_state, IS_USED_LOCK('{}') AS lock_holder",
      kLockName);
}

std::string select_coordinates() { return "SHOW MASTER STATUS"; }
std::string select_gtid_binlog_pos() { return "SELECT @@global.gtid_binlog_pos AS gtid_binlog_pos"; }
std::string select_channels() { return "SHOW ALL SLAVES STATUS"; }

std::string select_channel_settings() {
  return fmt::format(
      "SELECT @@global.read_only AS read_only, @@global.gtid_slave_pos AS gtid_slave_pos, "
      "@@global.gtid_binlog_state AS gtid_binlog_state, IS_USED_LOCK('{}') AS lock_holder",
      kLockName);
}

std::string select_attached() { return "SHOW SLAVE HOSTS"; }
std::string select_own_grants() { return "SHOW GRANTS"; }

std::string select_accounts(const ReplicationAccount* account) {
  // mysql.global_priv holds each account as JSON (MariaDB 10.4+). Bit 33 of `access` is READ_ONLY ADMIN: who has
  // it writes through read_only.
  const std::string is_ours = account == nullptr ? "FALSE"
                                                 : fmt::format("(User = {} AND Host = {})",
                                                               quoted(account->user), quoted(account->host));
  return fmt::format(
      "SELECT User AS user, Host AS host, "
      "(CAST(JSON_VALUE(Priv, '$.access') AS UNSIGNED) & (1 << 33)) <> 0 AS bypass, "
      "IFNULL(JSON_VALUE(Priv, '$.is_role'), 0) AS is_role, {0} AS is_ours, "
      "IF({0}, IFNULL(JSON_VALUE(Priv, '$.plugin'), ''), NULL) AS plugin, "
      "IF({0}, IFNULL(JSON_VALUE(Priv, '$.authentication_string'), ''), NULL) AS hash, "
      "IF({0}, IFNULL(JSON_VALUE(Priv, '$.account_locked'), 0), NULL) AS locked "
      "FROM mysql.global_priv",
      is_ours);
}

std::string select_grants(const ReplicationAccount& account) {
  return fmt::format("SHOW GRANTS FOR {}@{}", quoted(account.user), quoted(account.host));
}

std::string select_variables(const std::vector<std::string>& names) {
  std::vector<std::string> list;
  for (const std::string& name : names) list.push_back(quoted(name));
  // GLOBAL_VALUE_ORIGIN tells a value that was SET (a restart undoes it) from one of an option file.
  return fmt::format(
      "SELECT LOWER(VARIABLE_NAME) AS name, GLOBAL_VALUE AS value, GLOBAL_VALUE_ORIGIN AS origin "
      "FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_NAME IN ({})",
      fmt::join(list, ", "));
}

std::string select_schemas() {
  return fmt::format(
      "SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN {}",
      kSystemSchemas);
}

std::string select_tables(const std::vector<std::string>& schemas) {
  std::vector<std::string> list;
  for (const std::string& schema : schemas) list.push_back(quoted(schema));
  const std::string in = fmt::format("IN ({})", fmt::join(list, ", "));
  return fmt::format(
      "SELECT TABLE_SCHEMA AS schema_name, TABLE_NAME AS name FROM information_schema.TABLES "
      "WHERE TABLE_SCHEMA {0} "
      "UNION ALL SELECT db, CONCAT(name, ' (', LOWER(type), ')') FROM mysql.proc WHERE db {0} "
      "UNION ALL SELECT db, CONCAT(name, ' (event)') FROM mysql.event WHERE db {0}",
      in);
}

std::string select_binlogs() { return "SHOW BINARY LOGS"; }

std::string select_gtid_at(const Coordinates& at) {
  return fmt::format("SELECT BINLOG_GTID_POS({}, {}) AS gtid", quoted(at.file), at.position);
}

}  // namespace stemma::mysql
