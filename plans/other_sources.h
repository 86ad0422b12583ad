// What reaches a replica by its other channels: it explains what the source of one channel lacks. Internal to plans.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "plans/fact.h"

namespace stemma {

struct OtherSources {
  std::vector<const ServerState*> direct;  // the sources of the other channels, as far as they answered
  std::vector<const ServerState*> all;     // these and all above them
  // Who writes there, silent ones as the channels know them. What they wrote is theirs, be it a moment after they
  // were read.
  std::set<std::string> uuids;
  std::set<std::uint32_t> ids;

  [[nodiscard]] bool explains(const Gtid&) const;
  [[nodiscard]] GtidSet without_theirs(const GtidSet&) const;
  // Whether a schema, or "schema.table", is there.
  [[nodiscard]] bool hold(const std::string& name) const;
};

// Empty for a replica with one channel. Borrowed from the scene.
OtherSources other_sources(const Scene&, const DeclaredLink&);

}  // namespace stemma
