#include "providers/mysql/dialect.h"

#include <array>

namespace stemma::mysql {
namespace {

constexpr Dialect kMysql56{
    .name = "MySQL 5.6",
    .flavor = Flavor::mysql,
    .since = {5, 6, 0},
    .own_coordinates = "SHOW MASTER STATUS",
    .channels = "SHOW SLAVE STATUS",
    .attached = "SHOW SLAVE HOSTS",
    .change = "CHANGE MASTER TO",
    .source = "MASTER",
    .replica = "SLAVE",
    .reset_binlog = "RESET MASTER",
    .log_updates = "log_slave_updates",
    .accounts = AccountSyntax::by_hash,
    .account_table = AccountTable::user_password,
    .channel_details = ChannelDetails::global_status,
    .variable_origin = VariableOrigin::untold,
};

// Each version says in what it differs from the one before it.
constexpr Dialect mysql57() {
  Dialect d = kMysql56;
  d.name = "MySQL 5.7";
  d.since = {5, 7, 0};
  d.accounts = AccountSyntax::with_by;
  d.account_table = AccountTable::user;
  d.channel_details = ChannelDetails::performance_schema;
  d.super_read_only = true;  // 5.7.8
  d.named_channels = true;   // 5.7.6
  d.channel_filters = true;  // 5.7.3
  return d;
}

constexpr Dialect mysql80() {
  Dialect d = mysql57();
  d.name = "MySQL 8.0";
  d.since = {8, 0, 0};
  d.account_table = AccountTable::user_dynamic;
  d.variable_origin = VariableOrigin::variables_info;
  d.persist = true;
  d.sha2_password = true;  // 8.0.4
  d.compression = true;    // 8.0.18
  d.purged_takes_more = true;
  return d;
}

constexpr Dialect mysql8022() {
  Dialect d = mysql80();
  d.name = "MySQL 8.0.22";
  d.since = {8, 0, 22};
  d.channels = "SHOW REPLICA STATUS";
  d.attached = "SHOW REPLICAS";
  d.replica = "REPLICA";
  d.tls_offer = TlsOffer::channel_status;  // 8.0.21
  return d;
}

constexpr Dialect mysql8023() {
  Dialect d = mysql8022();
  d.name = "MySQL 8.0.23";
  d.since = {8, 0, 23};
  d.change = "CHANGE REPLICATION SOURCE TO";
  d.source = "SOURCE";
  return d;
}

constexpr Dialect mysql8026() {
  Dialect d = mysql8023();
  d.name = "MySQL 8.0.26";
  d.since = {8, 0, 26};
  d.log_updates = "log_replica_updates";
  return d;
}

constexpr Dialect mysql84() {
  Dialect d = mysql8026();
  d.name = "MySQL 8.4";
  d.since = {8, 2, 0};
  d.own_coordinates = "SHOW BINARY LOG STATUS";
  d.reset_binlog = "RESET BINARY LOGS AND GTIDS";
  d.native_always = false;  // off until mysql_native_password=ON is set, from 8.4
  return d;
}

constexpr Dialect mysql9() {
  Dialect d = mysql84();
  d.name = "MySQL 9";
  d.since = {9, 0, 0};
  d.native_password = false;
  return d;
}

constexpr Dialect kMariadb105{
    .name = "MariaDB 10.5",
    .flavor = Flavor::mariadb,
    .since = {10, 5, 0},
    .own_coordinates = "SHOW MASTER STATUS",
    .channels = "SHOW ALL SLAVES STATUS",
    .attached = "SHOW SLAVE HOSTS",
    .change = "CHANGE MASTER TO",
    .source = "MASTER",
    .replica = "SLAVE",
    .reset_binlog = "RESET MASTER",
    .log_updates = "log_slave_updates",
    .named_channels = true,
};

// Its SQL is that of 10.5; privileges differ (plans/privileges.cc), and defaults that are always written out: from
// 10.10 a new channel uses GTIDs, from 11.4 it verifies its source's certificate.
constexpr Dialect mariadb(std::string_view name, Version since) {
  Dialect d = kMariadb105;
  d.name = name;
  d.since = since;
  return d;
}

constexpr std::array kDialects = {
    kMysql56,
    mysql57(),
    mysql80(),
    mysql8022(),
    mysql8023(),
    mysql8026(),
    mysql84(),
    mysql9(),
    kMariadb105,
    mariadb("MariaDB 10.11", {10, 11, 0}),
    mariadb("MariaDB 11", {11, 0, 0}),
};

}  // namespace

bool always_has(const Dialect& dialect, std::string_view login_plugin) {
  if (login_plugin == "mysql_native_password") return dialect.native_password && dialect.native_always;
  return login_plugin == "caching_sha2_password" && dialect.sha2_password;
}

std::span<const Dialect> all_dialects() { return kDialects; }

const Dialect& dialect_for(Flavor flavor, Version version) {
  const Dialect* found = nullptr;
  for (const Dialect& dialect : kDialects)
    if (dialect.flavor == flavor && (found == nullptr || dialect.since <= version)) found = &dialect;
  return *found;
}

}  // namespace stemma::mysql
