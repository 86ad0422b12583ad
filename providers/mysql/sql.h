// Every statement that Stemma sends to observe and to change a server, as text; but for the lock's (provider.cc), the
// session's (connection.cc), the canary's and the sandbox's own. Pure: no connection is needed to test them. What differs
// between versions comes from the Dialect.
#pragma once

#include <string>
#include <vector>

#include "engine/provider.h"
#include "plans/error.h"
#include "plans/fact.h"
#include "plans/plan.h"
#include "plans/topology.h"
#include "providers/mysql/dialect.h"

namespace stemma::mysql {

// The name under which GET_LOCK guards an apply. Constant, so that any two applies that share a server meet.
inline constexpr const char* kLockName = "stemma.apply";

// By how much a fence's lock_wait_timeout stays below the connection's read time-out: a SET that the client gave
// up on would come true later.
inline constexpr std::chrono::seconds kUnderReadTimeout{3};

// 'text' with what needs it escaped; for sessions that ran session_setup(). A function object, because of a plain
// function's name and a std::string the compiler would think of std::quoted, too, which GCC 14's <chrono> has in sight.
struct Quoted {
  std::string operator()(std::string_view text) const;
};
inline constexpr Quoted quoted;
// `name`, for schema and variable names.
std::string identifier(std::string_view name);

// --- reading -------------------------------------------------------------------------------------------------

// One row: version, identity, binlog, GTID and TLS settings, lock_holder.
std::string select_server(const Dialect&);
// SHOW MASTER STATUS; no row while the binlog is off. On MySQL its Executed_Gtid_Set is of the same moment.
std::string select_coordinates(const Dialect&);
std::string select_gtid_binlog_pos();  // MariaDB
// One row for each channel.
std::string select_channels(const Dialect&);
// What the status of channels does not say: heartbeat, compression; "" where it says all.
std::string select_channel_details(const Dialect&);
// Errors of the applier's worker threads, which SHOW REPLICA STATUS only mentions; "" where it quotes them.
std::string select_worker_errors(const Dialect&);
// One row: read_only, GTID positions, lock_holder.
std::string select_channel_settings(const Dialect&);
std::string select_attached(const Dialect&);  // no row for a replica without its receiver
std::string select_own_grants();
std::string select_login_plugins();
// All accounts; of the replication account also what SHOW GRANTS does not say. Hashes of others are not read.
std::string select_accounts(const Dialect&, const ReplicationAccount*);
std::string select_grants(const ReplicationAccount&);  // error 1141 when the account does not exist
// Value and where it comes from.
std::string select_variables(const Dialect&, const std::vector<std::string>& names);
// Whether the receiver acknowledges transactions (semi-sync); no row where the server has no such status.
std::string select_semi_sync();
std::string select_schemas();
// Names of tables, views, routines and events of these schemas; at least one must be given.
std::string select_tables(const Dialect&, const std::vector<std::string>& schemas);
std::string select_binlogs();  // SHOW BINARY LOGS; error 1381 while the binlog is off
// MariaDB: the GTID position there; NULL when it is no boundary between two transactions. 4 is a binlog's beginning.
std::string select_gtid_at(const Coordinates&);

// --- changing ------------------------------------------------------------------------------------------------

struct StepContext {
  const Topology& desired;
  const Secrets& secrets;
  const ServerState& state;  // of the step's server, read just before
  bool source_offers_tls = false;
  const Outputs& outputs;
  std::chrono::seconds lock_wait{30};  // must stay below the connection's read time-out
};

// The statements of one step, in the order in which they are sent, in one packet. Trouble::bug when a value that
// an earlier step should have brought is missing.
Result<std::vector<std::string>> statements(const Step&, const StepContext&);

// The same for people: secrets as <secret>, values that only applying brings in angle brackets. Needs no
// secret and no outputs. A server that was not observed is spoken to as MariaDB.
std::vector<std::string> preview(const Step&, const Topology&, const Fleet&);

}  // namespace stemma::mysql
