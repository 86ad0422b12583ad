// A plan as JSON: for programs to read, and to be saved and applied later. Pure.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "plans/error.h"
#include "plans/fact.h"
#include "plans/plan.h"

namespace stemma {

inline constexpr std::string_view kFormatVersion = "1.0";

// Shows a step's SQL, with secrets as <secret>. plans knows no SQL: the caller brings it.
using Preview = std::function<std::vector<std::string>(const Step&)>;

// The whole document. Trouble::input when the topology holds a literal secret, which can't be saved;
// `to_save` false leaves "desired" out of the document in that case.
Result<nlohmann::json> plan_to_json(const Scene&, const Plan&, const Preview&,
                                    std::string_view stemma_version, bool to_save);

// The digest that stands for everything in a document but itself.
std::string plan_id_of(const nlohmann::json& document);

// A saved plan, read back. The steps are not trusted: they are planned again and compared.
struct SavedPlan {
  Topology desired;
  nlohmann::json document;
};
// Trouble::input: no JSON, no plan, another format version, a plan_id that does not fit the content.
Result<SavedPlan> load_plan(std::string_view text);

// Whether a text looks like a plan rather than a topology file.
bool looks_like_plan(std::string_view text);

// The parts of two documents that say what would be done. Equal: the steps are those that were shown.
bool same_steps(const nlohmann::json& a, const nlohmann::json& b);

// Whether a plan made now is the saved one. Trouble::stale: the ground has moved, each change in the hint;
// Trouble::input: other steps, so it was not this stemma's.
Result<void> still_as_saved(const SavedPlan&, const nlohmann::json& made_now);

nlohmann::json finding_to_json(const Finding&);
// What plans and status say of a server first: who it is, and whether it answered.
nlohmann::json server_to_json(const Scene&, const Server&);

}  // namespace stemma
