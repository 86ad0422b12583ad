// The JSON Schema of a topology file, made from the parser's own table, so that editors complete and check what the
// parser takes. A schema sees one value at a time: cycles, duplicates and names of servers are the parser's to judge.
#pragma once

#include <nlohmann/json.hpp>

namespace stemma {

// Draft 7, which editors' TOML plug-ins know.
nlohmann::json topology_schema();

}  // namespace stemma
