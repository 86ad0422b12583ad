// A checked tree of nodes to a Topology. Internal to `plans`.
#pragma once

#include <vector>

#include "plans/topology_node.h"

namespace stemma {

// What the rules need to know of a server beyond its values: what stands in the file, and where.
// Borrowed from the tree.
struct ServerNodes {
  const Entry* entry = nullptr;            // [server.X] itself
  const Node* defaults = nullptr;          // [defaults]
  const Entry* source = nullptr;           // its source, its own or the default one
  std::vector<const Entry*> sources = {};  // of each of its channels, in the same order

  [[nodiscard]] const Entry* own(std::string_view key) const { return entry->value.find(key); }
  // Its own word, else that of [defaults].
  [[nodiscard]] const Entry* find(std::string_view key) const {
    const Entry* found = own(key);
    return found != nullptr || defaults == nullptr ? found : defaults->find(key);
  }
};

struct DecodedTopology {
  Topology topology;
  std::vector<ServerNodes> nodes;  // for each server, in the same order
};

// Never fails: what check_values complains about is left at its default.
DecodedTopology decode(const Node& root);

}  // namespace stemma
