// What must hold between the values of a file. Internal to `plans`.
#pragma once

#include "plans/topology_decode.h"
#include "plans/topology_diagnostics.h"
#include "plans/topology_toml.h"

namespace stemma {

// Duplicates, sources that lead nowhere or in a circle, keys that need another key. What may only seem
// to be missing, because some of the file could not be read, is not reported.
void check_rules(const ParsedToml& parsed, const DecodedTopology& decoded, Diagnostics& diagnostics);

}  // namespace stemma
