// What must be so for any fleet, tried on many made-up ones.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <optional>
#include <random>
#include <set>

#include "plans/diff.h"
#include "plans/planner.h"
#include "tests/catch.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;

namespace {

// The same numbers on every machine: std's distributions are not.
class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  std::size_t below(std::size_t limit) { return engine_() % limit; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  const std::string& any(const std::vector<std::string>& of) { return of[below(of.size())]; }

 private:
  std::mt19937 engine_;
};

// A forest of up to thirty servers in any state that the language of stories can say; with several sources some
// replicas have a channel 'x' from another tree.
std::string any_fleet(Dice& dice, const std::string& nothing_executed = "stopped", bool several = false) {
  static const std::vector<std::string> declared = {"",
                                                    "",
                                                    "",
                                                    "delay=60s",
                                                    "provision=assume-identical",
                                                    "provision=replay",
                                                    "read_only=false",
                                                    "connect_retry=10s"};
  static const std::vector<std::string> server = {
      "writable",       "fenced",      "no-account", "password=old",           "no-grant",
      "may-also=SUPER", "data=shop.t", "silent",     "at=mysql-bin.000001:77", "binlogs=mysql-bin.000009",
      "horizon=0-1-11", "poor",        "offers-tls"};
  const std::vector<std::string> channel = {"stopped",
                                            "receiver-off",
                                            "applier-off",
                                            "connecting",
                                            "receiver-error=1045",
                                            "receiver-error=1236",
                                            "applier-error=1133",
                                            "applier-error=1062",
                                            "follows=s0",
                                            "follows=elsewhere",
                                            "from-id=77",
                                            "lost-place",
                                            nothing_executed,
                                            "slave-pos=0-1-99",
                                            "executed=mysql-bin.000001:9",
                                            "using=slave_pos",
                                            "lag=100"};
  const std::size_t count = 1 + dice.below(30);
  std::string text = "by " + dice.any({"position", "gtid", "auto"}) + "\n";
  std::vector<std::set<std::size_t>> roots(count);
  for (std::size_t i = 0; i < count; ++i) {
    const bool replica = i > 0 && !dice.one_in(8);
    text += fmt::format("s{}", i);
    const std::size_t source = replica ? dice.below(i) : i;
    roots[i] = replica ? roots[source] : std::set<std::size_t>{i};
    if (replica) text += fmt::format(" < s{} {}", source, dice.any(declared));
    std::optional<std::size_t> other;
    if (several && replica && !dice.one_in(3)) other = dice.below(i);
    if (other && std::any_of(roots[*other].begin(), roots[*other].end(),
                             [&](std::size_t root) { return roots[i].contains(root); }))
      other.reset();
    if (other) {
      roots[i].insert(roots[*other].begin(), roots[*other].end());
      text += fmt::format(" x<s{}", *other);
    }
    text += several ? fmt::format(" | domain={}", i) : " |";
    const bool fresh = dice.one_in(3);
    if (fresh) text += " fresh";
    for (std::size_t n = dice.below(3); n > 0; --n)
      if (const std::string& word = dice.any(server);
          !fresh || (word[0] != 'p' && word[0] != 'n' && word[0] != 'm'))
        text += " " + word;
    if (replica && !fresh)
      for (std::size_t n = dice.below(3); n > 0; --n) text += " " + dice.any(channel);
    if (other && !fresh)
      text +=
          " " + dice.any({"", "x:stopped", "x:gone", "x:applier-error=1062", "x:lost-place", "x:follows=s0"});
    text += "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("any fleet: steps in order, needs brought about, one writer, no skipped transaction") {
  Dice dice(20261122);
  std::size_t with_steps = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string text = any_fleet(dice);
    INFO("the fleet is\n" << text);
    const Story story(text);
    const Plan plan = story.plan();  // checks broken_rules()
    if (!plan.steps.empty()) ++with_steps;
    CHECK(plan == story.plan());
    // Only errors are drift, and each has steps or a refusal: no error, no steps. (A server that must stay as it
    // is has notes.)
    if (verdict_of(plan.differences) == DriftVerdict::in_sync) CHECK(steps(plan).empty());
  }
  CHECK(with_steps > 200);
}

TEST_CASE("any fleet with replicas of several sources") {
  Dice dice(20261125);
  std::size_t applied = 0, adopted = 0;
  for (int i = 0; i < 600; ++i) {
    const std::string text = any_fleet(dice, "slave-pos=", true);
    INFO("the fleet is\n" << text);
    const Story story(text);
    const Plan plan = story.plan();  // checks broken_rules()
    for (const Step& step : plan.steps) {
      const Link* link = link_of(step);
      if (link != nullptr && link->channel == "x") ++applied;
      if (step.kind == StepKind::adopt_position && sources_of(step).size() > 1) ++adopted;
    }
    if (verdict_of(plan.differences) == DriftVerdict::in_sync) CHECK(steps(plan).empty());
  }
  CHECK(applied > 100);
  CHECK(adopted > 5);
}

TEST_CASE("any fleet: drift has steps, a refusal or a note") {
  Dice dice(7);
  for (int i = 0; i < 300; ++i) {
    const std::string text = any_fleet(dice);
    INFO("the fleet is\n" << text);
    const Plan plan = Story(text).plan();
    if (verdict_of(plan.differences) != DriftVerdict::drifted) continue;
    CHECK((!plan.steps.empty() || !plan.refusals.empty() || !plan.notes.empty()));
  }
}

TEST_CASE("any fleet that may be applied: what a step needs of other servers is so, or brought about") {
  Dice dice(3);
  for (int i = 0; i < 300; ++i) {
    const std::string text = any_fleet(dice);
    INFO("the fleet is\n" << text);
    const Story story(text);
    const Plan plan = story.plan();
    if (!plan.refusals.empty()) continue;
    for (const Step& step : plan.steps)
      for (const Fact& need : step.needs) {
        bool given = false;
        for (const StepIndex before : step.after)
          for (const Fact& fact : plan.steps[before].ensures) given = given || fact == need;
        INFO(step.id << " needs: " << describe(need));
        CHECK((given || judge(need, story.scene()).verdict != Verdict::missing));
      }
  }
}

TEST_CASE("any fleet, with replicas that have executed nothing") {
  Dice dice(20261122);
  for (int i = 0; i < 300; ++i) {
    const std::string text = any_fleet(dice, "slave-pos=");
    INFO("the fleet is\n" << text);
    static_cast<void>(Story(text).plan());
  }
}

TEST_CASE("planning ten thousand servers") {
  // A root, a hundred middle servers, the rest below them; a third of the leaves fresh, a third stopped.
  std::string text = "s0\n";
  for (int i = 1; i < 10000; ++i)
    text += fmt::format("s{} < s{} | {}\n", i, i <= 100 ? 0 : 1 + i % 100,
                        i <= 100 || i % 3 == 0 ? "" : (i % 3 == 1 ? "fresh" : "stopped writable"));
  const Story story(text);
  const auto begin = std::chrono::steady_clock::now();
  const auto plan = make_plan(story.scene());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  REQUIRE(plan.has_value());
  CHECK(plan->refusals.empty());
  CHECK(plan->steps.size() > 20000);
  std::cout << fmt::format("planned {} steps on 10000 servers in {:.2f} s\n", plan->steps.size(),
                           took.count());
  CHECK(took.count() < 600);  // a few seconds; sanitizers and busy machines take far longer
}
