// What the two halves of decide_attach() (replicas that never replicated, and those that did) and source_reset() share.
// Internal.
#pragma once

#include <string>
#include <vector>

#include "plans/attach.h"

namespace stemma {

// A refusal to attach a replica by that channel, with the way on.
AttachDecision refused(std::string_view code, const DeclaredLink&, std::string message, std::string hint);

// The way on for a replica whose history is not its source's.
std::string provision_anew(const DeclaredLink&);

// Nothing says that the channel was last connected to another server.
bool came_from(const Channel&, const ServerState& source);

// "a, b, c and 12 more"
std::string listed(const std::vector<std::string>& names);

// For a replica without any trace of replication: what both hold decides, and the file's word on it.
AttachDecision attach_fresh(const Scene&, const DeclaredLink&, const ServerState& source,
                            const ServerState& state);

}  // namespace stemma
