// What differs between the versions of MySQL and MariaDB, as data: the words, and what each can do. Pure. SQL text
// is made of these in sql_*.cc; nothing else asks for a version to choose words by.
#pragma once

#include <span>
#include <string_view>

#include "plans/observed.h"

namespace stemma::mysql {

// How an account's password and plugin are written.
enum class AccountSyntax {
  by_hash,    // MySQL 5.6: IDENTIFIED BY; a plugin only with its hash; SET PASSWORD; no IF NOT EXISTS
  with_by,    // MySQL 5.7 and later: IDENTIFIED WITH plugin BY 'password'
  via_using,  // MariaDB: IDENTIFIED VIA plugin USING PASSWORD('password')
};

// Where an account's hash and its read_only bypass are read.
enum class AccountTable {
  user_password,  // MySQL 5.6: mysql.user.Password for native accounts, no account_locked
  user,           // MySQL 5.7: mysql.user.authentication_string
  user_dynamic,   // MySQL 8.0 and later: with dynamic privileges in mysql.global_grants
  global_priv,    // MariaDB 10.4 and later: one JSON document for each account
};

// Where what a channel's status does not say is read (heartbeat, compression).
enum class ChannelDetails {
  in_status,           // MariaDB: SHOW ALL SLAVES STATUS says it
  global_status,       // MySQL 5.6: the status variable of the one channel
  performance_schema,  // MySQL 5.7 and later
};

// Where a global variable's value comes from: whether a restart would take another.
enum class VariableOrigin {
  untold,            // MySQL 5.6, 5.7: nothing tells
  system_variables,  // MariaDB: information_schema.SYSTEM_VARIABLES.GLOBAL_VALUE_ORIGIN
  variables_info,    // MySQL 8.0: performance_schema.variables_info and persisted_variables
};

// Where a server says that it takes TLS connections.
enum class TlsOffer {
  have_ssl,        // @@have_ssl; gone in MySQL 8.4 and later
  channel_status,  // performance_schema.tls_channel_status, MySQL 8.0.21 and later
};

struct Dialect {
  std::string_view name;  // "MySQL 8.4": for tests and notes
  Flavor flavor = Flavor::mariadb;
  Version since;  // the first version that this row is right for

  std::string_view own_coordinates;  // SHOW MASTER STATUS
  std::string_view channels;         // SHOW ALL SLAVES STATUS
  std::string_view attached;         // SHOW SLAVE HOSTS
  std::string_view change;           // CHANGE MASTER TO
  std::string_view source;           // MASTER or SOURCE, as in MASTER_HOST
  std::string_view replica;          // SLAVE or REPLICA, as in START SLAVE
  std::string_view reset_binlog;     // RESET MASTER
  std::string_view log_updates;      // the variable log_slave_updates

  AccountSyntax accounts = AccountSyntax::via_using;
  AccountTable account_table = AccountTable::global_priv;
  ChannelDetails channel_details = ChannelDetails::in_status;
  VariableOrigin variable_origin = VariableOrigin::system_variables;
  TlsOffer tls_offer = TlsOffer::have_ssl;

  bool super_read_only = false;    // has the variable
  bool persist = false;            // SET PERSIST
  bool named_channels = false;     // FOR CHANNEL 'c' (MariaDB: the name comes after the verb)
  bool native_password = true;     // knows mysql_native_password
  bool native_always = true;       // and can't be without it: it is built in and on
  bool sha2_password = false;      // knows caching_sha2_password, and GET_SOURCE_PUBLIC_KEY for it
  bool compression = false;        // SOURCE_COMPRESSION_ALGORITHMS
  bool channel_filters = false;    // CHANGE REPLICATION FILTER; without it MySQL has them in the option file
  bool purged_takes_more = false;  // SET GLOBAL gtid_purged = '+…'; before, only on a server without GTIDs
};

// Whether every server of this dialect has the login plugin, so that it need not be asked. Asking costs a server more
// than the rest of an observation together: information_schema.PLUGINS is a temporary table on disk.
bool always_has(const Dialect&, std::string_view login_plugin);

// All that are known, each flavor's in ascending order of `since`.
std::span<const Dialect> all_dialects();

// The newest known dialect that is not newer than the version; the oldest known, where the version is older still.
const Dialect& dialect_for(Flavor, Version);

}  // namespace stemma::mysql
