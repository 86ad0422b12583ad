// What is wanted and not so. This alone is `stemma drift`. Pure.
#pragma once

#include <vector>

#include "plans/fact.h"

namespace stemma {

// The facts that the file asks for, server by server in the order of the file.
std::vector<Fact> wanted(const Topology&, const Fleet&);

// Every difference between file and fleet, server by server: what cannot be mended, facts that do not hold,
// threads, lag, and warnings. Ignores are not applied here.
std::vector<Finding> diff(const Scene&);
// The same, where preflight() was asked already.
std::vector<Finding> diff(const Scene&, const std::vector<Finding>& preflight);

// Seconds behind the source with the declared or configured delay taken off; nullopt where the server's number
// lies (receiver not connected) or there is none.
std::optional<std::uint64_t> honest_lag(const Channel&);

enum class DriftVerdict { in_sync, drifted, unknown };
// unknown: a server is silent and nothing else is wrong. Ignored findings don't count.
DriftVerdict verdict_of(const std::vector<Finding>&);
bool leaves_verdict_open(const Finding&);  // server.unreachable, server.login-refused

}  // namespace stemma
