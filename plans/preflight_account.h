// What no server could take of the declared replication account.
#pragma once

#include <vector>

#include "plans/fact.h"

namespace stemma {

// Names and passwords that are too long for this server: it would refuse them in the middle of a plan, or cut them short.
void check_account_limits(const Scene&, const Server&, const ServerState&, std::vector<Finding>&);

}  // namespace stemma
