// What must be so for any fleet and any file, tried on scenarios that nobody wrote. RC_PARAMS="max_success=100000" tries
// more of them, another seed each time; a failure tells the smallest scenario that fails, to become a file here.
#include <fmt/format.h>

#include <iostream>
#include <numeric>

#include "tests/plans/support_property.h"
#include "tests/scenarios/support_generator.h"
#include "tests/scenarios/support_rehearsal.h"

using namespace stemma;
using namespace stemma::scenarios;

namespace {

struct Counts {
  int cases = 0, refused = 0, changed = 0, arrived = 0, faults = 0;
} counts;

// What a person did who was told no: nothing.
void tell(Rehearsal& rehearsal, const Scenario& scenario) {
  for (const Command& command : scenario.before) {
    try {
      rehearsal.perform(command);
    } catch (const std::exception&) {
      continue;
    }
  }
  rehearsal.settle();
}

// The steps in another order that their needs allow.
void shuffle(Plan& plan, std::vector<std::uint16_t> numbers) {
  std::vector<StepIndex> order, place(plan.steps.size());
  std::vector<bool> taken(plan.steps.size());
  numbers.push_back(0);
  for (std::size_t turn = 0; order.size() < plan.steps.size(); ++turn) {
    std::vector<StepIndex> ready;
    for (StepIndex step = 0; step < plan.steps.size(); ++step) {
      const auto& after = plan.steps[step].after;
      if (!taken[step] &&
          std::all_of(after.begin(), after.end(), [&](StepIndex before) { return taken[before]; }))
        ready.push_back(step);
    }
    const StepIndex next = ready[numbers[turn % numbers.size()] % ready.size()];
    taken[next] = true;
    place[next] = order.size();
    order.push_back(next);
  }
  std::vector<Step> steps;
  for (const StepIndex step : order) {
    steps.push_back(plan.steps[step]);
    for (StepIndex& before : steps.back().after) before = place[before];
    std::sort(steps.back().after.begin(), steps.back().after.end());
  }
  plan.steps = std::move(steps);
  plan.critical_path.clear();
}

bool any_down(const Rehearsal& rehearsal) {
  return std::any_of(rehearsal.fleet.all().begin(), rehearsal.fleet.all().end(),
                     [](const auto& entry) { return !entry.second.up; });
}

// Each replica of one source that is up has what its source has.
std::string unequal(const Rehearsal& rehearsal) {
  for (const Server& server : rehearsal.topology.servers) {
    if (server.channels.size() != 1) continue;
    const auto& here = rehearsal.fleet.at(server.name.text);
    const auto& source = rehearsal.fleet.at(server.channels.front().source.text);
    if (here.up && source.up && here.data.rows != source.data.rows)
      return fmt::format("{} has other data than {}", server.name.text, source.name);
  }
  return "";
}

// What is wrong after `run` and as many runs as it takes; "" when all is well.
std::string judge(Rehearsal& rehearsal, Rehearsal::Run run, const Generated& made) {
  for (int again = 0; again < 5 && run.ending != Ending::converged && run.ending != Ending::refused;
       ++again) {
    rehearsal.settle();
    run = rehearsal.apply(1);
  }
  rehearsal.settle();
  if (!rehearsal.broken().empty()) return rehearsal.broken().front();
  if (run.ending == Ending::refused) return "";
  const bool down = any_down(rehearsal);
  if (run.ending != Ending::converged && !down && !made.damaged)
    return fmt::format("it did not arrive, and ended with {}: {}", static_cast<int>(run.ending), run.trouble);
  if (run.ending != Ending::converged) return "";
  if (const Plan again = rehearsal.plan(); !again.steps.empty() && again.refusals.empty())
    return "it converged, and the next plan has steps: " + again.steps.front().id;
  return made.damaged ? "" : unequal(rehearsal);
}

std::string try_one(const Generated& made, const std::vector<std::uint16_t>& numbers) {
  Scenario empty = made.scenario;
  empty.before.clear();
  ++counts.cases;
  Rehearsal rehearsal(empty);
  tell(rehearsal, made.scenario);
  const std::string before = rehearsal.everything();
  const Plan plan = rehearsal.plan();
  if (rehearsal.everything() != before) return "planning has changed something";
  if (rehearsal.plan() != plan) return "two plans of the same differ";
  const auto run = rehearsal.apply(1, {}, [&](Plan& steps) { shuffle(steps, numbers); });
  if (run.ending == Ending::refused) ++counts.refused;
  if (run.changes > 0) ++counts.changed;
  if (run.ending == Ending::converged) ++counts.arrived;
  if (std::string wrong = judge(rehearsal, run, made); !wrong.empty()) return wrong;
  if (run.changes == 0) return "";

  const int kinds = static_cast<int>(Fault::Kind::restarted_after);
  const Fault fault{static_cast<Fault::Kind>(1 + (numbers.empty() ? 0 : numbers.back() % kinds)),
                    1 + (numbers.empty() ? 0 : numbers.front() % run.changes)};
  ++counts.faults;
  Rehearsal faulty(empty);
  tell(faulty, made.scenario);
  faulty.write_all_the_while(false);
  Generated restarted = made;
  restarted.damaged = made.damaged || fault.kind == Fault::Kind::restarted_after;
  const auto broken_off = faulty.apply(1, fault);
  std::string wrong = judge(faulty, broken_off, restarted);
  return wrong.empty() ? "" : fmt::format("{}: {}", to_text(fault), wrong);
}

void law(const std::vector<std::uint16_t>& numbers, std::size_t most_servers) {
  const Generated made = generate(numbers, most_servers);
  const std::string wrong = try_one(made, numbers);
  if (!wrong.empty()) RC_FAIL(wrong + "\n\n" + to_text(made.scenario));
}

}  // namespace

TEST_CASE("any fleet is brought to any file, or refused; whatever breaks in the middle") {
  counts = {};
  test::holds([](const std::vector<std::uint16_t>& numbers) { law(numbers, 6); });
  std::cout << fmt::format(
      "{} made-up scenarios: {} refused, {} changed, {} arrived at once; {} with a fault\n", counts.cases,
      counts.refused, counts.changed, counts.arrived, counts.faults);
  CHECK(counts.arrived > counts.cases / 5);  // a planner that refuses everything keeps every law
}

TEST_CASE("any fleet of up to fifty servers") {
  counts = {};
  test::holds([](std::vector<std::uint16_t> numbers) {
    // Long enough to say something of each of them.
    for (std::size_t i = 0; i < 150; ++i)
      numbers.push_back(static_cast<std::uint16_t>(numbers.size() * 7919 + i * 31));
    law(numbers, 50);
  });
  std::cout << fmt::format(
      "{} made-up scenarios of many servers: {} refused, {} changed, {} arrived at once; {} with a fault\n",
      counts.cases, counts.refused, counts.changed, counts.arrived, counts.faults);
}
