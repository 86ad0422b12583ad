// The observed picture: what the servers answered, as plain values. Nothing here is wanted by anybody.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plans/error.h"
#include "plans/gtid.h"
#include "plans/gtid_point.h"
#include "plans/gtid_set.h"
#include "plans/topology.h"

namespace stemma {

enum class Flavor { mysql, mariadb };

struct Version {
  int major = 0, minor = 0, patch = 0;
  auto operator<=>(const Version&) const = default;
};
std::string to_text(const Version&);

std::string_view to_text(Flavor);  // "MySQL"

// The versions that Stemma was made for. An older one is refused; a newer one is spoken to like the newest, and a note
// of the plan says so.
Version oldest_known(Flavor);
Version newest_known(Flavor);

// A point in one server's binlog. An empty file: no point is known.
struct Coordinates {
  std::string file;
  std::uint64_t position = 0;
  bool operator==(const Coordinates&) const = default;
  [[nodiscard]] bool known() const { return !file.empty(); }
};
std::string to_text(const Coordinates&);  // "mysql-bin.000003:328"
// "mysql-bin.000003:328" back to a value; nullopt for anything else.
std::optional<Coordinates> parse_coordinates(std::string_view);
// Whether `a` is at or past `b` in the same server's binlog. Compares the files' numbers, not their
// texts: after .999999 comes .1000000.
bool reached(const Coordinates& a, const Coordinates& b);

// What makes a server this server: addresses may be services that move. MySQL has server_uuid; MariaDB has
// none (server_uid survives a new data directory), so server id, host name, port and data directory stand in.
struct Identity {
  std::uint32_t server_id = 0;
  std::string uuid;
  std::string hostname;
  std::uint16_t port = 0;
  std::string datadir;
  bool operator==(const Identity&) const = default;
};

enum class ReceiverState { off, connecting, on };
enum class ChannelGtid { no, slave_pos, current_pos, auto_position };

// One replication channel, with the names of the field instead of either vocabulary of the servers.
struct Channel {
  std::string name;
  std::string host;
  std::uint16_t port = 0;
  std::string user;
  ReceiverState receiver = ReceiverState::off;
  bool applier = false;
  std::string receiver_doing;  // Slave_IO_State; for people
  std::string applier_doing;
  Coordinates read;      // received up to here, in the source's binlog
  Coordinates executed;  // applied up to here, in the source's binlog
  ChannelGtid gtid = ChannelGtid::no;
  std::uint32_t source_server_id = 0;  // of the server last connected to; stale once the host was changed
  std::string source_uuid;             // the same by server_uuid, MySQL only
  GtidSet retrieved;                   // MySQL: received, since the relay log was begun
  int receiver_errno = 0;
  std::string receiver_error;
  int applier_errno = 0;
  std::string applier_error;
  std::optional<std::uint64_t> seconds_behind;  // the server's word; lies while connecting
  std::uint64_t delay = 0;                      // seconds
  std::uint64_t connect_retry = 60;             // seconds
  double heartbeat = 0;                         // seconds
  std::optional<std::uint64_t> retry_count;     // MySQL; on MariaDB an option of the server
  bool tls = false, verify = false;
  std::string ca, cert, key;
  std::string public_key;                                // MySQL: file of the source's RSA key
  bool fetches_public_key = false;                       // MySQL: GET_SOURCE_PUBLIC_KEY
  std::string compression;                               // MySQL: SOURCE_COMPRESSION_ALGORITHMS
  std::string bind;                                      // MySQL: SOURCE_BIND
  std::string do_domain_ids, ignore_domain_ids;          // as the server prints them: "1,2"
  std::string do_db, ignore_db, do_table, ignore_table;  // as the server prints them: "app,shop"

  [[nodiscard]] bool wanted_on() const { return receiver != ReceiverState::off && applier; }
  [[nodiscard]] bool is_off() const { return receiver == ReceiverState::off && !applier; }
  // It has executed all that it has received; false where either place is not known.
  [[nodiscard]] bool has_applied_all() const;
  // The receiver is past its handshake: the server says so before it is true (it may still check
  // versions and ids), so its own words are asked too.
  [[nodiscard]] bool streaming() const;
  // The receiver failed because its source can't send what it asks for: 1236, or 13114 from MySQL 8.0 on, in whose text
  // stands the other number.
  [[nodiscard]] bool source_lacks_binlog() const { return receiver_errno == 1236 || receiver_errno == 13114; }
  // Its applier stopped at a relay log that is damaged (1594; from MySQL 8.0 on 13121).
  [[nodiscard]] bool relay_log_unreadable() const {
    return !applier && (applier_errno == 1594 || applier_errno == 13121);
  }
  // MariaDB throws its relay logs away when it starts by GTID with both threads stopped.
  [[nodiscard]] bool fetches_anew() const {
    return gtid == ChannelGtid::slave_pos || gtid == ChannelGtid::current_pos;
  }
  bool operator==(const Channel&) const = default;
};

// One account as the server has it.
struct AccountName {
  std::string user, host;
  auto operator<=>(const AccountName&) const = default;
};
std::string to_text(const AccountName&);  // 'repl'@'%'

// One line of SHOW GRANTS, taken apart: {"REPLICATION SLAVE"} on *.*; a granted role has no object.
struct Grant {
  std::set<std::string> privileges;
  std::string object;  // "*.*", "`app`.*", "" for a role
  bool grant_option = false;
  bool operator==(const Grant&) const = default;
};

// The replication account on one server.
struct AccountState {
  std::string plugin;
  std::string hash;  // the stored authentication string; never to be printed
  bool locked = false;
  std::vector<Grant> grants;
  bool operator==(const AccountState&) const = default;
};

struct VariableState {
  std::string value;
  bool persisted = true;  // false: set at run time only, a restart would take another value
  bool operator==(const VariableState&) const = default;
};

// GTIDs as MySQL has them.
struct MysqlGtids {
  std::string mode = "OFF";  // gtid_mode
  GtidSet executed, purged;
  GtidSet at_coordinates;  // executed when ServerState::coordinates was read, to the transaction
  bool operator==(const MysqlGtids&) const = default;
};

// Names of a schema's tables and views, for comparing what two servers hold.
using SchemaContents = std::set<std::string>;

struct ServerState {
  Flavor flavor = Flavor::mariadb;
  Version version;
  std::string version_text;  // SELECT VERSION()
  Identity identity;
  bool log_bin = false;
  bool log_updates = false;  // log_slave_updates
  bool read_only = false;
  bool read_only_persisted = true;
  std::optional<bool> super_read_only;  // none: this server has no such variable
  bool super_read_only_persisted = true;
  std::optional<bool> semi_sync_active;  // its receiver acknowledges; none: not asked, or no such status
  bool gtid_strict = false;
  std::uint32_t gtid_domain = 0;  // gtid_domain_id; MariaDB
  bool offers_tls = false;
  bool managed_elsewhere = false;         // Galera, Group Replication
  Coordinates coordinates;                // of its own binlog; unknown while log_bin is off
  GtidPosition gtid_binlog;               // the last GTID of each domain in its own binlog
  GtidPosition gtid_replicated;           // gtid_slave_pos
  GtidState gtid_state;                   // gtid_binlog_state
  std::optional<MysqlGtids> mysql_gtids;  // in place of the three above; none: MariaDB
  std::vector<Channel> channels;
  std::set<std::uint32_t> attached_ids;       // server ids of the replicas that have registered here
  std::vector<AccountName> accounts;          // without roles
  std::vector<AccountName> read_only_bypass;  // accounts that write through read_only
  std::set<std::string> login_plugins;        // authentication plugins that are active; empty: not told
  std::optional<AccountState> replication_account;
  std::vector<Grant> own_grants;                   // of the account that stemma logged in with
  std::map<std::string, VariableState> variables;  // those that the file declares

  // Asked only of servers where it decides something (see questions.h); nullopt: not asked.
  std::optional<std::map<std::string, SchemaContents>> schemas;
  std::optional<std::vector<std::string>> binlogs;  // SHOW BINARY LOGS, oldest first
  // GTID positions at places of its binlogs, by their text; nullopt: no boundary between two transactions.
  std::map<std::string, std::optional<GtidPosition>> gtid_at;
  std::optional<GtidPosition> gtid_horizon;      // GTIDs before its oldest binlog
  std::optional<Coordinates> later_coordinates;  // of its own binlog, read when all servers had answered

  // What it has replicated (MariaDB), or executed at all (MySQL), by GTID.
  [[nodiscard]] GtidPoint executed() const;
  // Whether replicas can be attached to it, and it to a source, by GTID: MariaDB always can.
  [[nodiscard]] bool has_gtids() const { return !mysql_gtids || mysql_gtids->mode == "ON"; }
  // No thread of any channel is on.
  [[nodiscard]] bool no_channel_runs() const;
  // The channel of that name, nullptr if there is none. Borrowed.
  [[nodiscard]] const Channel* channel(std::string_view name = "") const;
};

// A server that gave no answer, with the finding code that says how.
struct Silence {
  std::string code;  // server.unreachable, server.login-refused, server.privilege-missing
  Error error;
};

// "SLAVE" or "REPLICA", as in START SLAVE: for hints that a person is to run.
std::string_view replica_word(const ServerState&);
// The statements that remove a channel by hand, in the words of its server.
std::string forget_channel(const ServerState&, const std::string& channel);

struct Fleet {
  std::map<ServerName, ServerState> servers;
  std::map<ServerName, Silence> silent;

  // nullptr: the server is silent. Borrowed.
  [[nodiscard]] const ServerState* find(const ServerName& name) const;
};

}  // namespace stemma
