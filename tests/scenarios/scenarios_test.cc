// Every scenario file, in every way listed here, unasked: that is what makes a new one cheap.
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>
#include <set>

#include "engine/survey.h"
#include "plans/plan_file.h"
#include "plans/planner.h"
#include "tests/catch.h"
#include "tests/plans/support_words.h"
#include "tests/scenarios/support_rehearsal.h"

using namespace stemma;
using namespace stemma::scenarios;

namespace {

int applies = 0;  // that were carried out, or refused

Rehearsal::Run apply(Rehearsal& rehearsal, std::size_t threads, const Fault& fault = {}) {
  ++applies;
  return rehearsal.apply(threads, fault);
}

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
    const auto run = apply(rehearsal, threads);
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

// Run again until it has nothing to do, as a person or a pipeline would.
Rehearsal::Run run_on(Rehearsal& rehearsal, Rehearsal::Run run, std::string& told) {
  const auto tell = [&] {
    told += fmt::format("{}: {} changes\n{}", ending_text(run), run.changes, run.trouble);
  };
  tell();
  for (int again = 0; again < 4 && run.ending != Ending::refused; ++again) {
    run = apply(rehearsal, 1);
    tell();
    if (run.ending == Ending::converged && run.changes == 0) break;
    if (run.ending == Ending::converged) continue;
    const std::lock_guard guard(rehearsal.fleet.guard);
    rehearsal.fleet.settle(20);  // somebody waits a little
  }
  return run;
}

// A fault at one change, and the runs after it: as without it, or refused because others' writes took the ground away.
void check_fault(const Scenario& scenario, const Fault& fault, const Rehearsal::Run& unbroken,
                 const std::string& end, bool writers) {
  Rehearsal rehearsal(scenario);
  rehearsal.settle();
  if (writers) rehearsal.write_all_the_while(false);
  std::string told;
  const auto run = run_on(rehearsal, apply(rehearsal, 1, fault), told);
  rehearsal.settle();
  INFO(to_text(fault) << (writers ? ", with writers" : "") << "\n" << told);
  check_unbroken(rehearsal);
  const bool restarted = fault.kind == Fault::Kind::restarted_after;
  if (restarted && scenario.left_after_a_restart && run.ending == Ending::partly) return;
  const bool word_broken =
      writers && run.ending == Ending::stale;  // "identical" was said of where the source stood
  const bool ground_gone = run.ending == Ending::refused && (writers || unbroken.ending != Ending::converged);
  CHECK((run.ending == unbroken.ending || word_broken || ground_gone));
  if (run.ending == Ending::converged) CHECK(rehearsal.end(false) == end);
}

// Somebody begins to write at roots that were empty, in the middle of it.
void check_new_writers(const Scenario& scenario, const std::string& end) {
  Rehearsal rehearsal(scenario);
  rehearsal.settle();
  rehearsal.write_all_the_while(true);
  std::string told;
  const auto run = run_on(rehearsal, apply(rehearsal, 1), told);
  rehearsal.settle();
  INFO("somebody begins to write\n" << told);
  check_unbroken(rehearsal);
  CHECK((run.ending == Ending::converged || run.ending == Ending::refused || run.ending == Ending::stale));
  const bool has_rows = end.find("rows") != end.npos;
  if (run.ending == Ending::converged && has_rows) CHECK(rehearsal.end(false) == end);
}

}  // namespace

TEST_CASE("scenarios") {
  for (const auto& file : scenario_files()) {
    DYNAMIC_SECTION(file.stem().string()) {
      const Scenario scenario = read_scenario(file);
      INFO(scenario.title);
      std::map<std::string, std::string> sections;
      std::string end;
      static_cast<void>(check_plan(scenario, sections));
      const auto run = check_apply(scenario, sections, end);
      check_sections(scenario, sections);
      if (run.ending == Ending::refused) return;
      if (run.ending == Ending::converged) check_new_writers(scenario, end);
      using enum Fault::Kind;
      for (int at = 1; at <= run.changes; ++at)
        for (const auto kind : {lost_before, lost_after, killed_before, killed_after, restarted_after})
          for (const bool writers : {false, true}) {
            check_fault(scenario, {kind, at}, run, end, writers);
          }
    }
  }
}

TEST_CASE("every kind of step and every code has a scenario") {
  std::set<std::string> expected;
  for (const auto& file : scenario_files())
    for (const auto& [section, text] : read_scenario(file).expected)
      for (const std::string& word : split(text, " \n,")) {
        expected.insert(word);
        if (section == "plan") expected.insert(split(word, ".").at(word.find('.') == word.npos ? 0 : 1));
      }
  for (const CodeInfo& info : finding_codes()) {
    INFO(info.code);
    CHECK(expected.contains(std::string(info.code)));
  }
  for (int kind = 0; kind <= static_cast<int>(StepKind::unfence); ++kind) {
    const std::string name(to_text(static_cast<StepKind>(kind)));
    INFO(name);
    CHECK(expected.contains(name));
  }
}

TEST_CASE("scenarios, counted") {
  std::cout << fmt::format("{} scenarios, {} applies\n", scenario_files().size(), applies);
}
