// GTID domains of a replica's several sources. Internal to plans.
#pragma once

#include <vector>

#include "plans/fact.h"

namespace stemma {

// MariaDB has one position for each domain: of two sources in one domain a replica knows the place of the last only.
void check_domains(const Scene&, const Server&, const ServerState&, std::vector<Finding>& findings);

}  // namespace stemma
