// A whole apply: locks, observation, steps, the look back.
#include "engine/apply.h"

#include <algorithm>
#include <fstream>

#include "tests/catch.h"
#include "tests/engine/support_directory.h"
#include "tests/engine/support_fake.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;

namespace {

// A replica whose threads are off, and what an apply needs.
struct Setting {
  explicit Setting(const std::string& text = "p; r < p | stopped") : story(text), provider(story.fleet) {
    provider.perform_script = [](const Step& step, ServerState& truth) -> Result<void> {
      if (step.kind == StepKind::start_replica) {
        truth.channels.front().applier = true;
        truth.channels.front().receiver = ReceiverState::on;
      }
      return {};
    };
  }
  [[nodiscard]] ApplyTo to() { return {story.topology, story.secrets, provider, clock, stop}; }
  [[nodiscard]] std::ptrdiff_t calls(const std::string& what) const {
    return std::count(provider.calls.begin(), provider.calls.end(), what);
  }

  Story story;
  FakeProvider provider;
  FakeClock clock;
  std::atomic<bool> stop = false;
};

Error locked_out(Setting& setting, std::chrono::milliseconds timeout) {
  const auto prepared = prepare_apply(setting.to(), timeout);
  REQUIRE_FALSE(prepared.has_value());
  return prepared.error();
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("an apply from its locks to the look back") {
  Setting setting;
  const auto prepared = prepare_apply(setting.to(), std::chrono::milliseconds(0));
  REQUIRE(prepared.has_value());
  CHECK(steps(prepared->plan) == "r.start-replica\nr.await-running after r.start-replica\n");
  const auto first_look =
      std::find(setting.provider.calls.begin(), setting.provider.calls.end(), "observe p");
  CHECK(std::count(setting.provider.calls.begin(), first_look, "lock p") == 1);
  CHECK(std::count(setting.provider.calls.begin(), first_look, "lock r") == 1);

  const Directory directory;
  auto journal = Journal::create(directory.path, "tree", prepared->plan);
  REQUIRE(journal.has_value());
  int told = 0;
  ApplyOptions options;
  options.tell = [&](const Event&) { ++told; };
  const auto applied = carry_out(*prepared, setting.to(), *journal, options);
  REQUIRE(applied.has_value());
  CHECK(applied->ending == Ending::converged);
  CHECK(applied->outcome.states == std::vector<StepState>{StepState::done, StepState::done});
  CHECK(applied->left.empty());
  CHECK(applied->after.find({"r"})->channel()->applier);
  CHECK_FALSE(applied->journal_unfinished.has_value());
  CHECK(told == 4);
  CHECK(setting.calls("observe r") == 2);
  CHECK(setting.calls("unlock all") == 0);  // the locks end with the provider
  CHECK(text_of(journal->path()).find("\"event\":\"run-finished\",\"exit\":0") != std::string::npos);
}

TEST_CASE("a lock that another apply holds") {
  Setting setting;
  setting.provider.lock_script = [](const ServerName& name) -> Result<std::optional<LockHolder>> {
    return LockHolder{name, "anna", "desk", 12};
  };
  SECTION("is told at once") {
    const Error error = locked_out(setting, std::chrono::milliseconds(0));
    CHECK(error.trouble == Trouble::locked);
    CHECK(error.message == "another apply holds the lock on p: anna@desk, for 12 s");
    CHECK(setting.calls("observe p") == 0);
    CHECK(setting.calls("unlock all") == 1);
  }
  SECTION("is waited for, without keeping those that are free") {
    CHECK(locked_out(setting, std::chrono::milliseconds(350)).trouble == Trouble::locked);
    CHECK(setting.calls("lock p") == 5);
    CHECK(setting.calls("unlock all") == 5);
  }
  SECTION("until it is free") {
    setting.clock.on_sleep = [&] { setting.provider.lock_script = nullptr; };
    CHECK(prepare_apply(setting.to(), std::chrono::seconds(1)).has_value());
  }
  SECTION("or until the user has enough") {
    setting.clock.on_sleep = [&] { setting.stop = true; };
    CHECK(locked_out(setting, std::chrono::seconds(60)).trouble == Trouble::interrupted);
    CHECK(setting.clock.sleeps == 1);
  }
}

TEST_CASE("a server that can't be locked gets no step, even if it can be read") {
  Setting setting;
  setting.provider.lock_script = [](const ServerName& name) -> Result<std::optional<LockHolder>> {
    if (name.text == "r") return fail(Trouble::denied, "access denied");
    return std::nullopt;
  };
  const auto prepared = prepare_apply(setting.to(), std::chrono::milliseconds(0));
  REQUIRE(prepared.has_value());
  CHECK(prepared->fleet.silent.at({"r"}).code == "server.login-refused");
  CHECK(prepared->fleet.find({"r"}) == nullptr);
  CHECK(prepared->plan.steps.empty());
}

TEST_CASE("how an apply ends") {
  Setting setting("p; r < p | stopped; s < p | writable");
  const auto prepared = prepare_apply(setting.to(), std::chrono::milliseconds(0));
  REQUIRE(prepared.has_value());
  const Directory directory;
  auto journal = Journal::create(directory.path, "tree", prepared->plan);
  REQUIRE(journal.has_value());
  const auto ending = [&] {
    const auto applied = carry_out(*prepared, setting.to(), *journal, {});
    return applied ? applied->ending : Ending::no_journal;
  };
  SECTION("a step fails") {
    setting.provider.perform_script = [](const Step&, ServerState&) -> Result<void> {
      return fail(Trouble::refused, "no");
    };
    CHECK(ending() == Ending::partly);
  }
  SECTION("the servers have moved on") {
    setting.provider.perform_script = [](const Step&, ServerState&) -> Result<void> {
      return fail(Trouble::stale, "another server answers");
    };
    CHECK(ending() == Ending::stale);
  }
  SECTION("stopped before anything began") {
    setting.stop = true;
    CHECK(ending() == Ending::interrupted);
  }
  SECTION("a server falls silent") {
    setting.provider.perform_script = [&](const Step& step, ServerState& truth) -> Result<void> {
      if (step.server.text == "s") truth.read_only = true;
      truth.channels.front().applier = true;
      truth.channels.front().receiver = ReceiverState::on;
      return {};
    };
    setting.provider.truth.silent[{"p"}] = {"server.unreachable", {Trouble::unreachable, "gone", {}, 0, {}}};
    CHECK(ending() == Ending::incomplete);
  }
}

TEST_CASE("a refused plan is not carried out, and hazards need a word") {
  Setting setting("p | data=shop; r < p | fresh");
  const auto prepared = prepare_apply(setting.to(), std::chrono::milliseconds(0));
  REQUIRE(prepared.has_value());
  const Directory directory;
  auto journal = Journal::create(directory.path, "tree", prepared->plan);
  REQUIRE(journal.has_value());
  const auto applied = carry_out(*prepared, setting.to(), *journal, {});
  REQUIRE_FALSE(applied.has_value());
  CHECK(applied.error().trouble == Trouble::unsafe);

  Plan plan;
  plan.steps.resize(1);
  plan.steps[0].id = "r.reset";
  plan.steps[0].hazards = {Hazard::unfence, Hazard::reset_binlog};
  const auto errors = not_allowed(plan, {"reset-channel"});
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].hint == "--allow reset-binlog permits it");
  CHECK(not_allowed(plan, {"reset-binlog"}).empty());
}
