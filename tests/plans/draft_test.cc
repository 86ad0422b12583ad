// Steps drafted in any order, and the graph behind a plan.
#include "plans/draft.h"

#include "plans/plan_graph.h"
#include "tests/catch.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;

namespace {

const ServerName a{"a"}, b{"b"};

Step& add(Draft& draft, StepKind kind, const ServerName& server, Fact ensures, std::vector<Fact> needs = {}) {
  return draft.add(kind, server, {std::move(ensures)}, std::move(needs), "summary", "reason");
}

}  // namespace

TEST_CASE("steps are put in order by what they need, and named") {
  Draft draft;
  add(draft, StepKind::start_replica, b, ChannelOn{b}, {Follows{b, a, false}, ReadOnly{b, true}});
  add(draft, StepKind::configure_source, b, Follows{b, a, false}, {ReadOnly{b, true}});
  add(draft, StepKind::fence, b, ReadOnly{b, true});
  CHECK(draft.provides(ReadOnly{b, true}));
  CHECK_FALSE(draft.provides(ReadOnly{b, false}));
  Plan plan;
  REQUIRE(std::move(draft).finish(plan).has_value());
  CHECK(steps(plan) == lines(R"(
    b.fence
    b.configure-source after b.fence
    b.start-replica after b.fence, b.configure-source)"));
  CHECK(plan.critical_path == std::vector<StepIndex>{0, 1, 2});
}

TEST_CASE("ids tell steps of one kind apart") {
  Draft draft;
  add(draft, StepKind::set_variable, a, VariableIs{a, "x"}).variable = "x";
  add(draft, StepKind::set_variable, a, VariableIs{a, "y"}).variable = "y";
  add(draft, StepKind::stop_replica, b, ReceiverOff{b, 1});
  add(draft, StepKind::stop_replica, b, ChannelOff{b, 1}, {ReceiverOff{b, 1}});
  Plan plan;
  REQUIRE(std::move(draft).finish(plan).has_value());
  CHECK(steps(plan) == lines(R"(
    a.set-variable.x
    a.set-variable.y
    b.stop-replica
    b.stop-replica-2 after b.stop-replica)"));
}

TEST_CASE("a need found out later, and one that no step gives") {
  Draft draft;
  add(draft, StepKind::unfence, a, ReadOnly{a, false}, {CaughtUp{b, a}});
  add(draft, StepKind::fence, b, ReadOnly{b, true});
  draft.need_also(ReadOnly{a, false}, ReadOnly{b, true});
  draft.need_also(ReadOnly{b, false}, ReadOnly{a, true});
  Plan plan;
  REQUIRE(std::move(draft).finish(plan).has_value());
  CHECK(steps(plan) == "b.fence\na.unfence after b.fence\n");
  CHECK(plan.steps[1].needs.size() == 2);
}

TEST_CASE("steps that wait for each other are our own mistake") {
  Draft draft;
  add(draft, StepKind::fence, a, ReadOnly{a, true}, {ReadOnly{b, true}});
  add(draft, StepKind::fence, b, ReadOnly{b, true}, {ReadOnly{a, true}});
  Plan plan;
  const auto finished = std::move(draft).finish(plan);
  REQUIRE_FALSE(finished.has_value());
  CHECK(finished.error().trouble == Trouble::bug);
  CHECK(finished.error().message == "the steps wait for each other in a cycle: 0, 1");
}

TEST_CASE("the shape of a graph") {
  SECTION("nothing") {
    const auto shape = shape_of({});
    REQUIRE(shape.has_value());
    CHECK(shape->order.empty());
    CHECK(shape->critical_path.empty());
  }
  SECTION("the smallest that is ready comes first") {
    // 3 → 0, 1 → 2
    const auto shape = shape_of({{3}, {}, {1}, {}});
    REQUIRE(shape.has_value());
    CHECK(shape->order == std::vector<std::size_t>{1, 2, 3, 0});
    CHECK(shape->urgency == std::vector<std::size_t>{1, 2, 1, 2});
    CHECK(shape->critical_path == std::vector<std::size_t>{1, 2});
  }
  SECTION("the longest chain, with a diamond on the way") {
    const auto shape = shape_of({{}, {0}, {0}, {1, 2}, {3}, {}});
    REQUIRE(shape.has_value());
    CHECK(shape->critical_path.size() == 4);
    CHECK(shape->critical_path.front() == 0);
    CHECK(shape->critical_path.back() == 4);
    CHECK(shape->urgency == std::vector<std::size_t>{4, 3, 3, 2, 1, 1});
  }
  SECTION("a cycle names its members only") {
    const auto shape = shape_of({{}, {0, 3}, {1}, {2}, {3}});
    REQUIRE_FALSE(shape.has_value());
    CHECK(shape.error().message == "the steps wait for each other in a cycle: 1, 2, 3");
  }
}
