// What GTIDs say against a server of the tree, before anything is planned. Internal to plans.
#pragma once

#include <vector>

#include "plans/fact.h"

namespace stemma {

// gtid_mode that the file or the other end of the channel does not want, and transactions that a replica has and its
// source lacks.
void check_gtids(const Scene&, const Server&, const ServerState&, std::vector<Finding>& into);

}  // namespace stemma
