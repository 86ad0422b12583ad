// The reading half of the SQL.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "providers/mysql/connection.h"
#include "providers/mysql/sql.h"

namespace stemma::mysql {
namespace {

constexpr const char* kSystemSchemas = "('mysql','information_schema','performance_schema','sys')";

std::string gtid_columns(const Dialect& dialect) {
  return dialect.flavor == Flavor::mysql
             ? "@@global.gtid_executed AS gtid_executed, @@global.gtid_purged AS gtid_purged"
             : "@@global.gtid_slave_pos AS gtid_slave_pos, @@global.gtid_binlog_state AS gtid_binlog_state";
}

std::string read_only_columns(const Dialect& dialect) {
  return dialect.super_read_only
             ? "@@global.read_only AS read_only, @@global.super_read_only AS super_read_only"
             : "@@global.read_only AS read_only";
}

std::string lock_column() { return fmt::format("IS_USED_LOCK('{}') AS lock_holder", kLockName); }

std::string name_list(const std::vector<std::string>& names) {
  std::vector<std::string> list;
  for (const std::string& name : names) list.push_back(quoted(name));
  return fmt::format("({})", fmt::join(list, ", "));
}

}  // namespace

std::string Quoted::operator()(std::string_view text) const { return fmt::format("'{}'", escape(text)); }

std::string identifier(std::string_view name) {
  std::string result = "`";
  for (const char c : name) result += c == '`' ? "``" : std::string(1, c);
  return result + "`";
}

std::string select_server(const Dialect& dialect) {
  const std::string of_flavor =
      dialect.flavor == Flavor::mysql
          ? "@@global.server_uuid AS server_uuid, @@global.gtid_mode AS gtid_mode"
          : "@@global.gtid_strict_mode AS gtid_strict_mode, @@global.gtid_binlog_pos AS gtid_binlog_pos, "
            "@@global.gtid_domain_id AS gtid_domain_id";
  const std::string tls =
      dialect.tls_offer == TlsOffer::have_ssl
          ? "@@global.have_ssl AS have_ssl"
          : "(SELECT VALUE FROM performance_schema.tls_channel_status WHERE CHANNEL = 'mysql_main' AND "
            "PROPERTY = 'Enabled') AS have_ssl";
  return fmt::format(
      "SELECT VERSION() AS version, @@global.server_id AS server_id, @@global.hostname AS hostname, "
      "@@global.port AS port, @@global.datadir AS datadir, @@global.log_bin AS log_bin, "
      "@@global.{} AS log_slave_updates, {}, {}, {}, {}, {}",
      dialect.log_updates, of_flavor, tls, read_only_columns(dialect), gtid_columns(dialect), lock_column());
}

std::string select_coordinates(const Dialect& dialect) { return std::string(dialect.own_coordinates); }
std::string select_gtid_binlog_pos() { return "SELECT @@global.gtid_binlog_pos AS gtid_binlog_pos"; }
std::string select_channels(const Dialect& dialect) { return std::string(dialect.channels); }

std::string select_channel_details(const Dialect& dialect) {
  switch (dialect.channel_details) {
    case ChannelDetails::in_status: break;
    case ChannelDetails::global_status:
      return "SELECT '' AS CHANNEL_NAME, VARIABLE_VALUE AS HEARTBEAT_INTERVAL FROM "
             "information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'Slave_heartbeat_period'";
    // Its columns grow with the versions: those that are there are read by name.
    case ChannelDetails::performance_schema:
      return "SELECT * FROM performance_schema.replication_connection_configuration";
  }
  return {};
}

std::string select_worker_errors(const Dialect& dialect) {
  if (dialect.channel_details != ChannelDetails::performance_schema) return {};
  return "SELECT CHANNEL_NAME, LAST_ERROR_NUMBER, LAST_ERROR_MESSAGE FROM "
         "performance_schema.replication_applier_status_by_worker WHERE LAST_ERROR_NUMBER <> 0 ORDER BY "
         "WORKER_ID";
}

std::string select_channel_settings(const Dialect& dialect) {
  return fmt::format("SELECT {}, {}, {}", read_only_columns(dialect), gtid_columns(dialect), lock_column());
}

std::string select_attached(const Dialect& dialect) { return std::string(dialect.attached); }
std::string select_login_plugins() {
  return "SELECT PLUGIN_NAME AS name FROM information_schema.PLUGINS WHERE PLUGIN_TYPE = 'AUTHENTICATION' "
         "AND "
         "PLUGIN_STATUS = 'ACTIVE'";
}

std::string select_own_grants() { return "SHOW GRANTS"; }

std::string select_accounts(const Dialect& dialect, const ReplicationAccount* account) {
  const std::string is_ours = account == nullptr ? "FALSE"
                                                 : fmt::format("(User = {} AND Host = {})",
                                                               quoted(account->user), quoted(account->host));
  if (dialect.account_table == AccountTable::global_priv)
    // Bit 33 of `access` is READ_ONLY ADMIN: who has it writes through read_only.
    return fmt::format(
        "SELECT User AS user, Host AS host, "
        "(CAST(JSON_VALUE(Priv, '$.access') AS UNSIGNED) & (1 << 33)) <> 0 AS bypass, "
        "IFNULL(JSON_VALUE(Priv, '$.is_role'), 0) AS is_role, {0} AS is_ours, "
        "IF({0}, IFNULL(JSON_VALUE(Priv, '$.plugin'), ''), NULL) AS plugin, "
        "IF({0}, IFNULL(JSON_VALUE(Priv, '$.authentication_string'), ''), NULL) AS hash, "
        "IF({0}, IFNULL(JSON_VALUE(Priv, '$.account_locked'), 0), NULL) AS locked "
        "FROM mysql.global_priv",
        is_ours);
  // A hash of caching_sha2_password is raw bytes, and no text of any character set: it travels as hex digits.
  const bool with_password_column = dialect.account_table == AccountTable::user_password;
  const std::string hash =
      with_password_column ? "IF(plugin IN ('', 'mysql_native_password'), Password, authentication_string)"
                           : "authentication_string";
  const std::string locked = with_password_column ? "0" : "account_locked = 'Y'";
  const std::string dynamic =
      dialect.account_table == AccountTable::user_dynamic
          ? " OR EXISTS (SELECT 1 FROM mysql.global_grants AS g WHERE g.USER = u.User AND g.HOST = u.Host "
            "AND g.PRIV = 'CONNECTION_ADMIN')"
          : "";
  return fmt::format(
      "SELECT User AS user, Host AS host, (Super_priv = 'Y'{3}) AS bypass, 0 AS is_role, {0} AS is_ours, "
      "IF({0}, plugin, NULL) AS plugin, IF({0}, HEX({1}), NULL) AS hash_hex, IF({0}, {2}, NULL) AS locked "
      "FROM mysql.user AS u",
      is_ours, hash, locked, dynamic);
}

std::string select_grants(const ReplicationAccount& account) {
  return fmt::format("SHOW GRANTS FOR {}@{}", quoted(account.user), quoted(account.host));
}

std::string select_variables(const Dialect& dialect, const std::vector<std::string>& names) {
  const std::string in = name_list(names);
  switch (dialect.variable_origin) {
    case VariableOrigin::system_variables: break;
    case VariableOrigin::untold:
      return fmt::format(
          "SELECT LOWER(VARIABLE_NAME) AS name, VARIABLE_VALUE AS value, NULL AS origin, NULL AS persisted "
          "FROM {} "
          "WHERE VARIABLE_NAME IN {}",
          dialect.channel_details == ChannelDetails::performance_schema
              ? "performance_schema.global_variables"
              : "information_schema.GLOBAL_VARIABLES",
          in);
    // DYNAMIC is a value that was SET; one that was SET PERSIST is DYNAMIC, too, and has a row of its own.
    case VariableOrigin::variables_info:
      return fmt::format(
          "SELECT LOWER(g.VARIABLE_NAME) AS name, g.VARIABLE_VALUE AS value, i.VARIABLE_SOURCE AS origin, "
          "p.VARIABLE_VALUE AS persisted FROM performance_schema.global_variables AS g "
          "LEFT JOIN performance_schema.variables_info AS i ON i.VARIABLE_NAME = g.VARIABLE_NAME "
          "LEFT JOIN performance_schema.persisted_variables AS p ON p.VARIABLE_NAME = g.VARIABLE_NAME "
          "WHERE g.VARIABLE_NAME IN {}",
          in);
  }
  // GLOBAL_VALUE_ORIGIN tells a value that was SET (a restart undoes it) from one of an option file.
  return fmt::format(
      "SELECT LOWER(VARIABLE_NAME) AS name, GLOBAL_VALUE AS value, GLOBAL_VALUE_ORIGIN AS origin "
      "FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_NAME IN {}",
      in);
}

std::string select_semi_sync() {
  return "SHOW GLOBAL STATUS WHERE Variable_name IN ('Rpl_semi_sync_slave_status', "
         "'Rpl_semi_sync_replica_status')";
}

std::string select_schemas() {
  return fmt::format(
      "SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN {}",
      kSystemSchemas);
}

std::string select_tables(const Dialect& dialect, const std::vector<std::string>& schemas) {
  const std::string in = "IN " + name_list(schemas);
  const std::string tables = fmt::format(
      "SELECT TABLE_SCHEMA AS schema_name, TABLE_NAME AS name FROM information_schema.TABLES "
      "WHERE TABLE_SCHEMA {}",
      in);
  // MySQL 8.0 has no mysql.proc; MariaDB's information_schema opens every routine to list them.
  if (dialect.flavor == Flavor::mysql)
    return fmt::format(
        "{0} UNION ALL SELECT ROUTINE_SCHEMA, CONCAT(ROUTINE_NAME, ' (', LOWER(ROUTINE_TYPE), ')') FROM "
        "information_schema.ROUTINES WHERE ROUTINE_SCHEMA {1} "
        "UNION ALL SELECT EVENT_SCHEMA, CONCAT(EVENT_NAME, ' (event)') FROM information_schema.EVENTS WHERE "
        "EVENT_SCHEMA {1}",
        tables, in);
  return fmt::format(
      "{0} UNION ALL SELECT db, CONCAT(name, ' (', LOWER(type), ')') FROM mysql.proc WHERE db {1} "
      "UNION ALL SELECT db, CONCAT(name, ' (event)') FROM mysql.event WHERE db {1}",
      tables, in);
}

std::string select_binlogs() { return "SHOW BINARY LOGS"; }

std::string select_gtid_at(const Coordinates& at) {
  return fmt::format("SELECT BINLOG_GTID_POS({}, {}) AS gtid", quoted(at.file), at.position);
}

}  // namespace stemma::mysql
