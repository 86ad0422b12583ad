// Which steps may run now.
#include "engine/schedule.h"

#include "tests/catch.h"

using namespace stemma;

namespace {

// "a: b: c:0,1 a:2" is four steps: one on a, one on b, one on c after the first two, one on a after the third.
Plan plan_of(std::string_view text) {
  Plan plan;
  while (!text.empty()) {
    std::string word(text.substr(0, text.find(' ')));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    Step step;
    step.id = std::to_string(plan.steps.size());
    step.server = {word.substr(0, word.find(':'))};
    for (const char c : word.substr(word.find(':') + 1))
      if (c != ',') step.after.push_back(static_cast<StepIndex>(c - '0'));
    plan.steps.push_back(step);
  }
  return plan;
}

// The states as letters: w(aiting) r(eady) R(unning) d(one) f(ailed) n(ot tried).
std::string states(const Schedule& schedule) {
  std::string text;
  for (const StepState state : schedule.states())
    text += std::string_view("wrRdfn")[static_cast<std::size_t>(state)];
  return text;
}

}  // namespace

TEST_CASE("a step waits for those it needs") {
  const Plan plan = plan_of("a: b: c:0,1");
  Schedule schedule(plan);
  CHECK(states(schedule) == "rrw");
  schedule.start(0);
  schedule.start(1);
  CHECK(states(schedule) == "RRw");
  CHECK_FALSE(schedule.next().has_value());
  schedule.finish(0, true);
  CHECK(states(schedule) == "dRw");
  schedule.finish(1, true);
  CHECK(states(schedule) == "ddr");
  CHECK(schedule.next() == StepIndex{2});
}

TEST_CASE("one step at a time on each server") {
  const Plan plan = plan_of("a: a: b:");
  Schedule schedule(plan);
  schedule.start(*schedule.next());
  CHECK(states(schedule) == "Rrr");
  CHECK(schedule.next() == StepIndex{2});
  schedule.start(2);
  CHECK_FALSE(schedule.next().has_value());
  schedule.finish(0, true);
  CHECK(schedule.next() == StepIndex{1});
}

TEST_CASE("the longest chain goes first") {
  const Plan plan = plan_of("a: b: c:1 d:2");
  Schedule schedule(plan);
  CHECK(schedule.next() == StepIndex{1});
}

TEST_CASE("a failure stops what hangs on it, and nothing else") {
  const Plan plan = plan_of("a: b: c:0 d:1 e:2,3 f:1");
  Schedule schedule(plan);
  schedule.start(0);
  schedule.start(1);
  schedule.finish(0, false);
  CHECK(states(schedule) == "fRnwnw");
  schedule.finish(1, true);
  CHECK(states(schedule) == "fdnrnr");
  schedule.start(3);
  schedule.finish(3, true);
  CHECK(states(schedule) == "fdndnr");  // what needs a lost step stays lost
}

TEST_CASE("an empty plan") {
  const Plan plan;
  const Schedule schedule(plan);
  CHECK_FALSE(schedule.next().has_value());
  CHECK(schedule.states().empty());
}
