// What a step does to a simulated server.
#pragma once

#include "engine/provider.h"
#include "providers/simulated/fleet.h"

namespace stemma::simulated {

// Borrowed for the call. `state` is the newest reading of the step's server.
struct StepContext {
  const Topology& desired;
  const Secrets& secrets;
  const ServerState& state;
  const Outputs& outputs;
};

// Carries out a step's statements. Errors: Trouble::refused with the server's number, Trouble::bug as with real
// servers (plans/starting_place.h).
Result<void> carry_out(const Step&, const StepContext&, SimulatedFleet&, Instance&);

// As CREATE USER and GRANT leave the declared account.
Account replication_account(const ReplicationAccount&, const Secret& password, Flavor, Version);

}  // namespace stemma::simulated
