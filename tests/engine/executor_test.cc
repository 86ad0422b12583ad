// Running a plan: order, failures, stopping, both runners.
#include "engine/executor.h"

#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "tests/catch.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;

namespace {

// What happened, as a list of words: "+id" started, "id" done, "!id" failed, "sync".
struct Witness {
  explicit Witness(const Plan& of) : plan(of) {}
  EventSink sink() {
    return {[this](const Event& event) -> Result<void> {
              if (const auto* started = std::get_if<StepStarted>(&event)) {
                said += "+" + plan.steps[started->step].id + " ";
                if (refuse_start == plan.steps[started->step].id) return fail(Trouble::refused, "disk full");
              } else {
                const StepResult& ended = *std::get<StepFinished>(event).result;
                said += (ended.result ? "" : "!") + plan.steps[ended.step].id + " ";
                if (refuse_end) return fail(Trouble::refused, "disk full");
              }
              return {};
            },
            [this]() -> Result<void> {
              said += "sync ";
              if (refuse_sync) return fail(Trouble::refused, "disk full");
              return {};
            }};
  }
  const Plan& plan;
  std::string said, refuse_start;
  bool refuse_sync = false, refuse_end = false;
};

Step step(const std::string& id, const std::string& server, std::vector<StepIndex> after = {}) {
  Step made;
  made.id = id;
  made.server = {server};
  made.after = std::move(after);
  return made;
}

Plan small_plan() {
  Plan plan;
  plan.steps = {step("a1", "a"), step("b1", "b"), step("a2", "a", {0}), step("b2", "b", {1}),
                step("c1", "c", {2, 3})};
  return plan;
}

std::string states(const Outcome& outcome) {
  std::string text;
  for (const StepState state : outcome.states)
    text += std::string_view("wrRdfn")[static_cast<std::size_t>(state)];
  return text;
}

std::unique_ptr<Runner> either(bool threads, Work work) {
  return threads ? thread_runner(4, std::move(work)) : inline_runner(std::move(work));
}

}  // namespace

TEST_CASE("a whole plan runs, each step after those it needs") {
  const bool threads = GENERATE(false, true);
  const Plan plan = small_plan();
  std::mutex guard;
  std::vector<std::string> order;
  auto runner = either(threads, [&](const Step& s) -> Result<Effect> {
    const std::lock_guard lock(guard);
    order.push_back(s.id);
    return s.id == "a1" ? Effect::already : Effect::made;
  });
  Witness witness(plan);
  const std::atomic<bool> stop = false;
  const Outcome outcome = execute(plan, *runner, witness.sink(), stop);
  CHECK(states(outcome) == "ddddd");
  CHECK(outcome.effects[0] == Effect::already);
  CHECK(outcome.effects[4] == Effect::made);
  CHECK_FALSE(outcome.interrupted);
  CHECK_FALSE(outcome.journal_error.has_value());
  CHECK(order.size() == 5);
  CHECK(order.back() == "c1");
  if (!threads) CHECK(witness.said == "+a1 sync a1 +b1 sync b1 +a2 sync a2 +b2 sync b2 +c1 sync c1 ");
}

TEST_CASE("a failure stops what hangs on it, and its error is kept") {
  const bool threads = GENERATE(false, true);
  const Plan plan = small_plan();
  auto runner = either(threads, [](const Step& s) -> Result<Effect> {
    if (s.id == "a1") return fail(Trouble::refused, "no");
    return Effect::made;
  });
  Witness witness(plan);
  const std::atomic<bool> stop = false;
  const Outcome outcome = execute(plan, *runner, witness.sink(), stop);
  CHECK(states(outcome) == "fdndn");
  REQUIRE(outcome.errors[0].has_value());
  CHECK(outcome.errors[0]->message == "no");
  CHECK_FALSE(outcome.errors[2].has_value());
  CHECK(witness.said.find("!a1") != std::string::npos);
}

TEST_CASE("a lost lock stops the whole run: somebody else may be at work") {
  const bool threads = GENERATE(false, true);
  Plan plan = small_plan();
  // Nothing hangs on a1, and yet nothing else is begun.
  plan.steps.push_back(step("d1", "d", {1}));
  auto runner = either(threads, [](const Step& s) -> Result<Effect> {
    if (s.id == "a1") return fail(Trouble::locked, "the lock was lost");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // what runs is finished
    return Effect::made;
  });
  Witness witness(plan);
  const std::atomic<bool> stop = false;
  const Outcome outcome = execute(plan, *runner, witness.sink(), stop);
  CHECK(states(outcome) == (threads ? "fdnrnr" : "frnwnw"));
  CHECK(outcome.errors[0]->trouble == Trouble::locked);
}

TEST_CASE("an exception in a step is our own mistake, and ends only that step") {
  const bool threads = GENERATE(false, true);
  const Plan plan = small_plan();
  auto runner = either(threads, [](const Step& s) -> Result<Effect> {
    if (s.id == "b1") throw std::runtime_error("boom");
    return Effect::made;
  });
  Witness witness(plan);
  const std::atomic<bool> stop = false;
  const Outcome outcome = execute(plan, *runner, witness.sink(), stop);
  CHECK(states(outcome) == "dfdnn");
  REQUIRE(outcome.errors[1].has_value());
  CHECK(outcome.errors[1]->trouble == Trouble::bug);
  CHECK(outcome.errors[1]->message == "an exception left a step: boom");
}

TEST_CASE("stop: what runs is finished, nothing is started") {
  const Plan plan = small_plan();
  std::atomic<bool> stop = false;
  auto runner = inline_runner([&](const Step&) -> Result<Effect> {
    stop = true;
    return Effect::made;
  });
  Witness witness(plan);
  const Outcome outcome = execute(plan, *runner, witness.sink(), stop);
  CHECK(outcome.interrupted);
  CHECK(witness.said == "+a1 sync a1 ");
  CHECK(states(outcome) == "drrww");
  CHECK(outcome.effects[0] == Effect::made);
}

TEST_CASE("stop before the beginning: nothing happens at all") {
  const Plan plan = small_plan();
  const std::atomic<bool> stop = true;
  auto runner = thread_runner(2, [](const Step&) -> Result<Effect> { return Effect::made; });
  Witness witness(plan);
  const Outcome outcome = execute(plan, *runner, witness.sink(), stop);
  CHECK(outcome.interrupted);
  CHECK(witness.said.empty());
}

TEST_CASE("what can't be written down is not done") {
  const bool threads = GENERATE(false, true);
  const Plan plan = small_plan();
  std::atomic<int> ran = 0;
  auto runner = either(threads, [&](const Step&) -> Result<Effect> {
    ++ran;
    return Effect::made;
  });
  Witness witness(plan);
  const std::atomic<bool> stop = false;
  SECTION("the line of a starting step") {
    witness.refuse_start = "a1";
    const Outcome outcome = execute(plan, *runner, witness.sink(), stop);
    REQUIRE(outcome.journal_error.has_value());
    CHECK(outcome.journal_error->message == "disk full");
    CHECK(ran == 0);
  }
  SECTION("the disk does not take it") {
    witness.refuse_sync = true;
    const Outcome outcome = execute(plan, *runner, witness.sink(), stop);
    CHECK(outcome.journal_error.has_value());
    CHECK(ran == 0);
  }
  SECTION("the line of an ended step: nothing more is started") {
    witness.refuse_end = true;
    const Outcome outcome = execute(plan, *runner, witness.sink(), stop);
    CHECK(outcome.journal_error.has_value());
    CHECK(ran == (threads ? 2 : 1));
  }
}

TEST_CASE("steps of many servers run side by side, those of one server never") {
  Plan plan;
  for (std::size_t i = 0; i < 200; ++i)
    plan.steps.push_back(step("s" + std::to_string(i), "server" + std::to_string(i % 20)));
  std::mutex guard;
  std::set<ServerName> busy;
  bool overlap = false;
  std::size_t most = 0;
  auto runner = thread_runner(8, [&](const Step& s) -> Result<Effect> {
    {
      const std::lock_guard lock(guard);
      overlap = overlap || !busy.insert(s.server).second;
      most = std::max(most, busy.size());
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
    const std::lock_guard lock(guard);
    busy.erase(s.server);
    return Effect::made;
  });
  Witness witness(plan);
  const std::atomic<bool> stop = false;
  const Outcome outcome = execute(plan, *runner, witness.sink(), stop);
  CHECK(states(outcome) == std::string(200, 'd'));
  CHECK_FALSE(overlap);
  CHECK(most > 1);
  CHECK(most <= 8);
}

TEST_CASE("an empty plan is done at once") {
  const Plan plan;
  auto runner = inline_runner([](const Step&) -> Result<Effect> { return Effect::made; });
  Witness witness(plan);
  const std::atomic<bool> stop = false;
  CHECK(execute(plan, *runner, witness.sink(), stop).states.empty());
}
