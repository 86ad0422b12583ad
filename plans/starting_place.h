// Where a step's server is to begin: what its origin says, once the outputs of the steps before it are known. Pure.
#pragma once

#include <optional>

#include "plans/error.h"
#include "plans/fact.h"
#include "plans/plan.h"

namespace stemma {

struct StartingPlace {
  Coordinates from;  // in the source's binlog; unknown: the channel goes by GTIDs, or keeps its place
  std::optional<GtidPoint>
      gtid;           // what its server is told of its place in GTIDs; none: it knows, or must not be told
  bool adds = false;  // MySQL: `gtid` comes on top of what the server has executed
  bool operator==(const StartingPlace&) const = default;
};

// Of a step with an origin, by the newest reading of its server. `takes_more`: whether that server lets its executed
// GTIDs be added to (MySQL 8.0 and later).
// Errors: Trouble::bug when a place that an earlier step should have noted is missing; Trouble::stale when the channel
// shows no executed position any more.
Result<StartingPlace> starting_place(const Step&, const Topology&, const ServerState&, const Outputs&,
                                     bool takes_more);

}  // namespace stemma
