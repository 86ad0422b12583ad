// Scenarios that nobody wrote: any forest of servers, with any history, and a file that wants another one.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/scenarios/support_scenario.h"

namespace stemma::scenarios {

struct Generated {
  Scenario scenario;  // its commands may be refused by the servers: then nobody did them
  // Somebody has written where nobody should, or told a server what is not so: data need not be equal in the end.
  bool damaged = false;
};

// The same numbers make the same scenario, and fewer or smaller ones a simpler one.
Generated generate(const std::vector<std::uint16_t>& choices, std::size_t most_servers);

// As a file of this directory, to become one.
std::string to_text(const Scenario&);

}  // namespace stemma::scenarios
