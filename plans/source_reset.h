// A source that has begun its binlogs anew beneath a connected replica (RESET MASTER, or a crash that lost their end):
// both threads say Yes, and what the source writes does not arrive. Internal to plans.
#pragma once

#include "plans/fact.h"

namespace stemma {

// The receiver stands behind the end of its source's binlog. So it does also when it was only read a moment later than
// its source, which tells as soon as the source is asked again (Questions::coordinates).
bool is_ahead_of_source(const Scene&, const DeclaredLink&);

// replica.diverged, where the source's second answer leaves no doubt. Only while the file positions tell: once the
// new binlog has outgrown the old place, nothing does before the receiver fails.
std::optional<Finding> source_reset(const Scene&, const DeclaredLink&);

}  // namespace stemma
