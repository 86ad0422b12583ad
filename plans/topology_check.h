// Checks each value of a file by itself, against the table of keys. Internal to `plans`.
#pragma once

#include "plans/topology_diagnostics.h"
#include "plans/topology_node.h"

namespace stemma {

// Unknown keys, wrong types, impossible values, what this version does not do yet. With `damaged`, some of
// the file could not be read, and keys that are missing are not reported.
void check_values(const Node& root, bool damaged, Diagnostics& diagnostics);

}  // namespace stemma
