// Checks each value of a file by itself, against the table of keys. Internal to `plans`.
#pragma once

#include <string_view>

#include "plans/topology_diagnostics.h"
#include "plans/topology_keys.h"
#include "plans/topology_node.h"

namespace stemma {

// Unknown keys, wrong types, impossible values, what this version does not do yet. With `damaged`, some of
// the file could not be read, and keys that are missing are not reported.
void check_values(const Node& root, bool damaged, Diagnostics& diagnostics);

// Whether an unknown key of `table` is likely meant to be `name`. It is reported with that suggestion; that `name`
// itself is missing has the same cause.
bool stands_misspelt(const Node& table, Section section, std::string_view name);

}  // namespace stemma
