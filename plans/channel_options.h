// Which options of a channel a server's version knows. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "plans/observed.h"
#include "plans/topology.h"

namespace stemma {

struct UnknownOption {
  std::string_view key;       // as the file has it: "compression"
  std::string_view known_by;  // "MySQL 8.0.18 and later"
};

// Takes from `declared` what a server of this version has no word for, and returns that. Filters are not among it: a
// server that can't be told them while it runs takes them from its option file.
std::vector<UnknownOption> take_unknown(ChannelOptions& declared, Flavor, const Version&);

}  // namespace stemma
