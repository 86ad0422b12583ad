// Every scenario file, in every way listed here, unasked: that is what makes a new one cheap.
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>
#include <set>

#include "engine/survey.h"
#include "plans/plan_file.h"
#include "plans/planner.h"
#include "tests/catch.h"
#include "tests/scenarios/support_rehearsal.h"

using namespace stemma;
using namespace stemma::scenarios;

namespace {

std::string ending_text(const Rehearsal::Run& run) {
  switch (run.ending) {
    case Ending::converged: return "converged";
    case Ending::refused: return "refused";
    case Ending::partly: return "partly";
    case Ending::incomplete: return "incomplete";
    case Ending::stale: return "stale";
    case Ending::interrupted: return "interrupted";
    case Ending::no_journal: return "no journal";
  }
  return "";
}

void check_unbroken(const Rehearsal& rehearsal) {
  for (const std::string& rule : rehearsal.broken()) UNSCOPED_INFO(rule);
  CHECK(rehearsal.broken().empty());
}

// Planned, shown, saved and loaded, and nothing was touched.
Plan check_plan(const Scenario& scenario, std::map<std::string, std::string>& sections) {
  Rehearsal rehearsal(scenario);
  rehearsal.settle();
  const std::string before = rehearsal.everything();
  const Plan plan = rehearsal.plan();
  CHECK(rehearsal.everything() == before);
  CHECK(rehearsal.plan() == plan);
  sections = sections_of(plan);

  simulated::SimulatedProvider provider(rehearsal.fleet, rehearsal.topology, rehearsal.secrets);
  const Fleet observed = survey(provider, rehearsal.topology, rehearsal.secrets, 1);
  const Outputs nothing_yet;
  const Scene scene{rehearsal.topology, observed, rehearsal.secrets, nothing_yet};
  const auto document = plan_to_json(
      scene, plan, [](const Step&) { return std::vector<std::string>{}; }, "test", true);
  REQUIRE(document.has_value());
  const auto loaded = load_plan(document->dump());
  REQUIRE(loaded.has_value());
  CHECK(loaded->document == *document);
  CHECK(still_as_saved(*loaded, *document).has_value());
  return plan;
}

// Carried out by one thread and by many; a second plan has no steps.
Rehearsal::Run check_apply(const Scenario& scenario, std::map<std::string, std::string>& sections,
                           std::string& end_without_counts) {
  Rehearsal::Run first;
  for (const std::size_t threads : {std::size_t{1}, std::size_t{16}}) {
    INFO("threads " << threads);
    Rehearsal rehearsal(scenario);
    rehearsal.settle();
    const auto run = rehearsal.apply(threads);
    INFO(run.trouble);
    rehearsal.settle();
    check_unbroken(rehearsal);
    const std::string end = ending_text(run) + "\n" + rehearsal.end();
    if (threads == 1) {
      first = run;
      sections["end"] = end;
      end_without_counts = rehearsal.end(false);
    }
    CHECK(end == sections["end"]);
    if (run.ending == Ending::converged) CHECK(sections_of(rehearsal.plan())["plan"] == "");
  }
  return first;
}

// After the fault the tool is run again until it has nothing to say, as a person or a pipeline would.
void check_fault(const Scenario& scenario, const Fault& fault, const std::string& end,
                 const std::string& ending, bool writers) {
  INFO(to_text(fault) << (writers ? ", with writers" : ""));
  Rehearsal rehearsal(scenario);
  rehearsal.settle();
  if (writers) rehearsal.write_all_the_while(false);
  auto run = rehearsal.apply(1, fault);
  std::string told = fmt::format("{}: {}\n{}", ending_text(run), run.changes, run.trouble);
  for (int again = 0; again < 4 && run.ending != Ending::refused; ++again) {
    run = rehearsal.apply(1);
    told += fmt::format("{}: {}\n{}", ending_text(run), run.changes, run.trouble);
    if (run.ending == Ending::converged && run.changes == 0) break;
    if (run.ending != Ending::converged) {
      const std::lock_guard guard(rehearsal.fleet.guard);
      rehearsal.fleet.settle(20);
    }
  }
  INFO(told);
  rehearsal.settle();
  check_unbroken(rehearsal);
  CHECK(ending_text(run) == ending);
  CHECK(rehearsal.end(false) == end);
}

// Somebody begins to write at roots that were empty, in the middle of it: arrived, or refused with the ground gone.
void check_new_writers(const Scenario& scenario) {
  INFO("somebody begins to write");
  Rehearsal rehearsal(scenario);
  rehearsal.settle();
  rehearsal.write_all_the_while(true);
  auto run = rehearsal.apply(1);
  for (int again = 0; again < 4 && run.ending != Ending::refused && run.ending != Ending::converged; ++again)
    run = rehearsal.apply(1);
  INFO(ending_text(run) << "\n" << run.trouble);
  rehearsal.settle();
  check_unbroken(rehearsal);
  if (run.ending == Ending::refused) return;
  CHECK(run.ending == Ending::converged);
}

}  // namespace

TEST_CASE("scenarios") {
  int applied = 0, faults = 0;
  for (const auto& file : scenario_files()) {
    if (const char* only = std::getenv("STEMMA_SCENARIO"); only != nullptr && file.stem() != only) continue;
    DYNAMIC_SECTION(file.stem().string()) {
      const Scenario scenario = read_scenario(file);
      INFO(scenario.title);
      std::map<std::string, std::string> sections;
      std::string end;
      static_cast<void>(check_plan(scenario, sections));
      const auto run = check_apply(scenario, sections, end);
      check_sections(scenario, sections);
      if (run.ending == Ending::refused) return;
      ++applied;
      check_new_writers(scenario);
      using enum Fault::Kind;
      for (int at = 1; at <= run.changes; ++at)
        for (const auto kind : {lost_before, lost_after, killed_before, killed_after, restarted_after})
          for (const bool writers : {false, true}) {
            check_fault(scenario, {kind, at}, end, ending_text(run), writers);
            ++faults;
          }
      std::cout << fmt::format("{}: {} changes, {} faults\n", file.stem().string(), run.changes, faults);
    }
  }
}
