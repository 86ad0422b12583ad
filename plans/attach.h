// Where may a replica start to read from its declared source? The question on which data are lost or doubled,
// answered in one place. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plans/fact.h"
#include "plans/plan.h"

namespace stemma {

struct Attach {
  Origin origin;
  bool by_gtid_first = false;  // re-pointed by GTID, and afterwards brought back to file and position
  bool source_lags = false;    // it must wait until its source has what it has itself
  bool in_place = false;       // same server, same coordinates: with the options right, a start is enough
  bool fresh = false;          // nothing of its source was ever executed here
  bool resets_binlog = false;  // MySQL: GTIDs of its own set-up are wiped first
  std::vector<Hazard> hazards;
  std::string reason;
};

// How a replica's channel gets to the declared source and options. Exactly one of the two is set; a refusal names the way on.
struct AttachDecision {
  std::optional<Attach> attach;
  std::optional<Finding> refusal;
};

// Both servers must have been observed, with the answers that questions_for() asked of them.
// `keeps_relay_log`: its threads are only started, so what the source has purged may still be in its relay log.
AttachDecision decide_attach(const Scene&, const DeclaredLink&, bool keeps_relay_log = false);

// No trace of replication: no channel, no gtid_slave_pos, no GTID of another server.
bool is_fresh(const ServerState&);

// Whether what the replica's channel goes on from is still in its source's binlogs; true when that was not asked.
bool source_can_send(const ServerState& source, const ServerState& replica, const Origin&,
                     std::string_view channel = "");

// The one table that stemma verify makes in its schema.
inline constexpr std::string_view kCanaryTable = "canary";

// The schema of the canary that is written at a root with that server_id, where replicas hang on other roots, too.
std::string canary_database(const Topology&, std::string_view server_id);

// What of a server's data another one lacks: schemas, "schema.table", and accounts that would be missed.
// Empty for a server that is empty: no schema but the system's and one that holds nothing but the canary, no
// account or role but the system's, the admin's and the replication account.
std::vector<std::string> data_of(const ServerState&, const Topology&);
std::vector<std::string> accounts_beyond(const ServerState& source, const ServerState& replica,
                                         const Topology&, const Server& source_server);

}  // namespace stemma
