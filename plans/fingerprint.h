// What a saved plan was made from, so that it can be told whether the ground has moved since. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "plans/fact.h"
#include "plans/plan.h"

namespace stemma {

// By server: {"exact": {…}, "grows": {…}}. Exact fields must be equal, growing ones (positions, GTIDs) may only
// move on; lag, error texts, times and connection ids are in neither.
nlohmann::json fingerprint(const Scene&, const Plan&);

// Every field that moved in a way it may not, as "server.field: was → is". Empty: the plan still stands.
std::vector<std::string> moved(const nlohmann::json& was, const nlohmann::json& is);

}  // namespace stemma
