// What a server can't take of the declared replication account, before anything is planned. Internal to plans.
#pragma once

#include <vector>

#include "plans/fact.h"

namespace stemma {

// Names and passwords that are too long for this server: it would refuse them in the middle of a plan, or cut them short.
void check_account_limits(const Scene&, const Server&, const ServerState&, std::vector<Finding>& findings);
// The declared plugin must be one that the server can log accounts in with.
void check_account_plugin(const Scene&, const Server&, const ServerState&, std::vector<Finding>& findings);

}  // namespace stemma
