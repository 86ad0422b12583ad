// An applier that had failed, and is started again: has it got over what it had failed at?
#pragma once

#include "plans/observed.h"

namespace stemma {

// Where the applier of a channel had failed, as the apply first observed it.
struct FailedApplier {
  Channel channel;
  GtidPoint executed;  // by its server
  bool operator==(const FailedApplier&) const = default;
};

// Whether the channel, running now, has executed anything since then, or has nothing left to execute. Until then both
// threads saying Yes promise nothing: MySQL's coordinator reads on until a worker fails again, MariaDB's applier waits
// for its receiver, which fetches the transaction once more. A channel that has been pointed elsewhere has other work.
bool is_past(const FailedApplier&, const Channel& now, const ServerState& state);

}  // namespace stemma
