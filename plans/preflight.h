// Checks of a whole fleet that no step can mend: what makes replication impossible or unsafe, and what a
// person should know. Pure.
#pragma once

#include <vector>

#include "plans/fact.h"
#include "plans/relation.h"

namespace stemma {

// Servers that gave no answer, identities, versions, binlogs, GTID modes and domains, roots that replicate, clusters managed
// by others, what a server has no way to do (channel options, filters, TLS, accounts), a replica's own transactions.
// Findings of weight error are refusals of a plan (but for server.unreachable and server.login-refused, which leave the
// verdict open), with the way out in `hint`.
std::vector<Finding> preflight(const Scene&);

// What the declared servers' histories say about each other, as far as GTIDs show it. `nullopt`: nothing to
// complain about, or no such channel yet: then decide_attach() judges. The source must have been read together with or
// after the replica.
std::optional<Finding> errant_transactions(const Scene&, const DeclaredLink&);

// How the histories of a replica and a declared source of it stand to each other; unknown while one of them is silent
// or has no GTIDs.
Related relation_of(const Scene&, const DeclaredLink&);

}  // namespace stemma
