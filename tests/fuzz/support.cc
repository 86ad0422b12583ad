#include "tests/fuzz/support.h"

#include "plans/fingerprint.h"
#include "plans/json_text.h"
#include "plans/plan_file.h"
#include "plans/planner.h"
#include "plans/questions.h"
#include "plans/topology_file.h"

using namespace stemma;

void plan_everything(const Topology& topology, const Fleet& fleet) {
  const Secrets secrets;
  const Outputs outputs;
  const Scene scene{topology, fleet, secrets, outputs};
  questions_for(scene);
  const auto plan = make_plan(scene);
  must(plan.has_value());  // what servers say may be refused, but never leaves a plan that has no order
  const auto no_sql = [](const Step&) { return std::vector<std::string>{}; };
  const auto document = plan_to_json(scene, *plan, no_sql, "fuzz", true);
  if (!document) return;  // a literal secret
  const auto saved = load_plan(json_text(*document));
  must(saved.has_value());
  must(still_as_saved(*saved, *document).has_value());
  must(moved((*document)["fingerprint"], (*document)["fingerprint"]).empty());
}

void reads_back(const Topology& topology) {
  const auto document = to_json(topology);
  if (!document) return;
  const auto again = topology_from_json(*document);
  must(again.has_value());
  const auto same = to_json(*again);
  must(same.has_value() && *same == *document);
}
