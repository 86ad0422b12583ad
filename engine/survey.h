// Reading all servers side by side.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/provider.h"
#include "plans/fact.h"

namespace stemma {

// Calls `work` for each name, up to `at_once` side by side, and returns when all are done. `work` must not throw.
void side_by_side(const std::vector<ServerName>& names, std::size_t at_once,
                  const std::function<void(const ServerName&)>& work);

std::vector<ServerName> names_of(const Topology&);

// What a server's missing answer is called: the error's own code, or by its kind.
Silence silence_of(const Error&);

// Observes every server of the topology; a server without an answer is in Fleet::silent with its code. Then
// asks what the plan needs to know beyond that (questions_for).
Fleet survey(Provider&, const Topology&, const Secrets&, std::size_t at_once = 64);

}  // namespace stemma
