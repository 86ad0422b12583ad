// Stemma's view of a simulated fleet: one run of the program, with its locks.
#pragma once

#include <map>

#include "engine/provider.h"
#include "providers/simulated/fleet.h"

namespace stemma::simulated {

// Thread-safe. Every call takes a little simulated time, in which the fleet goes on.
class SimulatedProvider final : public Provider {
 public:
  // All are borrowed. The locks that it has taken are freed when it is destroyed.
  SimulatedProvider(SimulatedFleet& fleet, const Topology& topology, const Secrets& secrets)
      : fleet_(fleet), topology_(topology), secrets_(secrets) {}
  ~SimulatedProvider() override { unlock_all(); }
  SimulatedProvider(const SimulatedProvider&) = delete;
  SimulatedProvider& operator=(const SimulatedProvider&) = delete;

  Result<ServerState> observe(const ServerName&) override;
  Result<void> answer(const ServerName&, const Questions&, ServerState& state) override;
  Result<void> refresh(const ServerName&, const Reading&, ServerState& state) override;
  Result<void> perform(const Step&, const Outputs&, ServerState& state) override;
  Result<std::optional<LockHolder>> lock(const ServerName&) override;
  void unlock_all() override;

 private:
  Result<Instance*> reach(const ServerName&);
  Result<void> read_back(Instance&, const Reading&, ServerState&) const;

  SimulatedFleet& fleet_;
  const Topology& topology_;
  const Secrets& secrets_;
  std::map<ServerName, Identity> identities_;      // as first observed
  std::map<ServerName, std::uint64_t> connected_;  // to which start of the server
  std::set<ServerName> locked_;
};

}  // namespace stemma::simulated
