// One step, carried out on servers that do what the test tells them.
#include "engine/attempt.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "tests/catch.h"
#include "tests/engine/support_fake.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;
using namespace std::chrono_literals;

namespace {

const ServerName primary{"primary"}, replica{"replica"};

// One step of a story's plan, on servers that are as the story says.
struct Stage {
  explicit Stage(const std::string& text, const std::string& id)
      : story(text),
        plan(story.plan()),
        provider(story.fleet),
        board(story.topology, story.secrets, story.fleet, clock.now()) {
    const auto found =
        std::find_if(plan.steps.begin(), plan.steps.end(), [&](const Step& s) { return s.id == id; });
    if (found == plan.steps.end()) FAIL("no step " << id << " in\n" << steps(plan));
    step = *found;
  }

  Result<Effect> run() { return attempt(step, board, provider, clock, patience, stop); }
  ServerState& real(const ServerName& name) { return provider.truth.servers.at(name); }
  std::string calls() const { return fmt::format("{}", fmt::join(provider.calls, ", ")); }

  Story story;
  Plan plan;
  Step step;
  FakeClock clock;
  FakeProvider provider;
  Board board;
  Patience patience{.in_all = 5000ms};
  std::atomic<bool> stop = false;
};

Error lost() { return {Trouble::unreachable, "lost connection", {}, 2013, {}}; }

// The outcome as a word or the error's message.
std::string outcome(const Result<Effect>& result) {
  if (!result) return result.error().message;
  return *result == Effect::made ? "made" : "already";
}

}  // namespace

TEST_CASE("a step is made, and its reading is on the board") {
  Stage stage("primary; replica < primary | writable", "replica.fence");
  stage.provider.perform_script = [](const Step&, ServerState& real) -> Result<void> {
    real.read_only = true;
    return {};
  };
  CHECK(outcome(stage.run()) == "made");
  CHECK(stage.calls() == "perform replica");  // one round trip
  CHECK(stage.board.get(replica).read_only);
}

TEST_CASE("a goal that holds already is not made again") {
  Stage stage("primary; replica < primary | writable", "replica.fence");
  stage.clock.pass(2000ms);  // the reading is too old to be trusted
  stage.real(replica).read_only = true;
  CHECK(outcome(stage.run()) == "already");
  CHECK(stage.calls() == "refresh replica");
}

TEST_CASE("a need that no longer holds: stale, and nothing is done") {
  Stage stage("primary; replica < primary | stopped", "replica.start-replica");
  stage.clock.pass(2000ms);
  stage.real(replica).read_only = false;
  const auto result = stage.run();
  CHECK(outcome(result) == "no longer true: replica is read-only");
  CHECK(result.error().trouble == Trouble::stale);
  CHECK(stage.calls() == "refresh replica");
}

TEST_CASE("an applier that had not noticed the last that was received is given the time") {
  Stage stage("primary; replica < primary connect_retry=10s | retry=60", "replica.stop-replica-2");
  stage.clock.pass(2000ms);
  Channel& channel = stage.real(replica).channels.front();
  channel.receiver = ReceiverState::off;
  channel.read = {channel.executed.file, channel.executed.position + 100};
  const auto run = [&] {
    stage.provider.perform_script = [](const Step&, ServerState& real) -> Result<void> {
      real.channels.front().applier = false;
      return {};
    };
    return outcome(stage.run());
  };
  SECTION("and gets there") {
    stage.clock.on_sleep = [&] {
      if (stage.clock.sleeps == 3) channel.executed = channel.read;
    };
    CHECK(run() == "made");
    CHECK(stage.clock.sleeps == 3);
  }
  SECTION("but not for ever") {
    CHECK(run() == "no longer true: replica has applied what it has received");
    CHECK(stage.clock.sleeps > 10);
  }
  SECTION("and one that has stopped is not waited for") {
    channel.applier = false;
    CHECK(run() == "no longer true: replica has applied what it has received");
    CHECK(stage.clock.sleeps == 0);
  }
}

TEST_CASE("a server that says yes and does nothing: late") {
  Stage stage("primary; replica < primary | writable", "replica.fence");
  const auto result = stage.run();
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().trouble == Trouble::late);
  CHECK(result.error().message == "still not true after 5 s: replica is read-only: accepts writes");
  CHECK(stage.clock.sleeps > 50);
  CHECK(stage.clock.sleeps < 200);
}

TEST_CASE("a server that makes another value of a variable: told at once, not awaited") {
  Stage stage("primary variables.sync_binlog=1 | var=sync_binlog:0; replica < primary",
              "primary.set-variable.sync_binlog");
  stage.provider.perform_script = [](const Step&, ServerState& real) -> Result<void> {
    real.variables.at("sync_binlog").value = "5";
    return {};
  };
  const auto result = stage.run();
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().trouble == Trouble::refused);
  CHECK(result.error().message == "the server has made another value of it: sync_binlog is 5, declared is 1");
  CHECK(stage.clock.sleeps == 0);
}

TEST_CASE("a slow server: looked at until it is so") {
  Stage stage("primary; replica < primary | writable", "replica.fence");
  stage.clock.on_sleep = [&] { stage.real(replica).read_only = stage.clock.sleeps >= 3; };
  CHECK(outcome(stage.run()) == "made");
  CHECK(stage.clock.sleeps == 3);
}

TEST_CASE("the server refuses the statement") {
  Stage stage("primary; replica < primary | writable", "replica.fence");
  stage.provider.perform_script = [](const Step&, ServerState&) -> Result<void> {
    return fail(Trouble::refused, "access denied");
  };
  CHECK(outcome(stage.run()) == "access denied");
  CHECK(stage.calls() == "perform replica");
}

TEST_CASE("a lost connection is looked into, never blindly repeated") {
  Stage stage("primary; replica < primary | writable", "replica.fence");
  SECTION("it took effect") {
    stage.provider.perform_script = [](const Step&, ServerState& real) -> Result<void> {
      real.read_only = true;
      return tl::unexpected(lost());
    };
    CHECK(outcome(stage.run()) == "made");
    CHECK(stage.calls() == "perform replica, refresh replica");
  }
  SECTION("it did not") {
    stage.provider.perform_script = [](const Step&, ServerState&) -> Result<void> {
      return tl::unexpected(lost());
    };
    CHECK(outcome(stage.run()) == "lost connection");
    CHECK(stage.calls() == "perform replica, refresh replica");
  }
  SECTION("nobody can tell") {
    stage.provider.perform_script = [](const Step&, ServerState&) -> Result<void> {
      return tl::unexpected(lost());
    };
    stage.provider.refreshes["replica"] = {
        [](ServerState&) -> Result<void> { return fail(Trouble::stale, "another server"); }};
    CHECK(outcome(stage.run()) == "lost connection");
  }
  SECTION("the lock is lost with it") {  // which stops more than this step
    stage.provider.perform_script = [](const Step&, ServerState&) -> Result<void> {
      return tl::unexpected(lost());
    };
    stage.provider.refreshes["replica"] = {
        [](ServerState&) -> Result<void> { return fail(Trouble::locked, "the lock was lost"); }};
    CHECK(outcome(stage.run()) == "the lock was lost");
  }
}

namespace {

// The next step of that server: a fence.
void looks_and_is_made(Stage& stage) {
  stage.provider.calls.clear();
  stage.provider.perform_script = [](const Step&, ServerState& real) -> Result<void> {
    real.read_only = true;
    return {};
  };
  CHECK(outcome(stage.run()) == "made");
  CHECK(stage.calls() == "refresh replica, perform replica");
}

}  // namespace

TEST_CASE("after a refusal the next step of that server looks for itself, on a new connection") {
  Stage stage("primary; replica < primary | writable", "replica.fence");
  stage.provider.perform_script = [](const Step&, ServerState&) -> Result<void> {
    return fail(Trouble::refused, "no");
  };
  CHECK(outcome(stage.run()) == "no");
  looks_and_is_made(stage);
}

TEST_CASE("after a reading that failed the next step of that server looks for itself, too") {
  Stage stage("primary; replica < primary | writable", "replica.fence");
  stage.clock.pass(2000ms);
  stage.provider.refreshes["replica"] = {[](ServerState&) -> Result<void> { return tl::unexpected(lost()); }};
  CHECK(outcome(stage.run()) == "lost connection");
  looks_and_is_made(stage);
}

TEST_CASE("running means that the receiver has what the source had when START returned") {
  Stage stage("primary; replica < primary | stopped", "replica.await-running");
  Channel& channel = stage.real(replica).channels.front();
  channel.receiver = ReceiverState::on;
  channel.applier = true;
  stage.board.put(replica, stage.real(replica), Reading{.channel = true},
                  stage.clock.now());  // START's read-back
  stage.real(primary).coordinates = at("mysql-bin.000002:1500");
  SECTION("it comes") {
    stage.clock.on_sleep = [&] {
      if (stage.clock.sleeps == 4) channel.read = at("mysql-bin.000002:1500");
    };
    CHECK(outcome(stage.run()) == "made");
    // Both are asked at the same time, then the replica until it is there.
    CHECK(stage.provider.calls.size() == 6);
    CHECK(stage.board.outputs().after_start.at(replica).coordinates == at("mysql-bin.000002:1500"));
  }
  SECTION("it is there already") {
    channel.read = at("mysql-bin.000002:1500");
    CHECK(outcome(stage.run()) == "made");
    CHECK(stage.clock.sleeps == 0);
  }
  SECTION("both threads say Yes and nothing flows") {
    const auto result = stage.run();
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().trouble == Trouble::late);
    CHECK(result.error().message ==
          "still not true after 5 s: data flow from primary to replica: the receiver is at \"Waiting for "
          "master to "
          "send event\"");
  }
  SECTION("the source gives no answer") {
    stage.provider.refreshes["primary"] = {
        [](ServerState&) -> Result<void> { return tl::unexpected(lost()); }};
    CHECK(outcome(stage.run()) == "asking primary: lost connection");
  }
  SECTION("a wait outlives a lost connection") {
    const auto good = [](ServerState&) -> Result<void> { return {}; };
    const auto bad = [](ServerState&) -> Result<void> { return tl::unexpected(lost()); };
    stage.provider.refreshes["replica"] = {good, bad, bad};
    stage.clock.on_sleep = [&] {
      if (stage.clock.sleeps == 4) channel.read = at("mysql-bin.000002:1500");
    };
    CHECK(outcome(stage.run()) == "made");
  }
}

TEST_CASE("an applier that had failed says Yes, and fails again") {
  Stage stage("primary; replica < primary | applier-error=1062 executed=mysql-bin.000002:500",
              "replica.await-running");
  Channel& channel = stage.real(replica).channels.front();
  channel.applier = true;
  channel.applier_errno = 0;
  stage.board.put(replica, stage.real(replica), Reading{.channel = true}, stage.clock.now());
  SECTION("its error ends the step") {
    stage.clock.on_sleep = [&] {
      if (stage.clock.sleeps != 3) return;
      channel.applier = false;
      channel.applier_errno = 1062;
      channel.applier_error = "Duplicate entry";
    };
    CHECK(outcome(stage.run()) == "the applier stopped with 1062: Duplicate entry");
  }
  SECTION("it gets over it") {
    stage.clock.on_sleep = [&] {
      if (stage.clock.sleeps == 3) channel.executed = at("mysql-bin.000002:600");
    };
    CHECK(outcome(stage.run()) == "made");
    CHECK(stage.clock.sleeps == 3);
  }
  SECTION("it works on it, for longer than a step may take") {
    const std::string end = outcome(stage.run());
    INFO(end);
    CHECK(
        end.starts_with("still not true after 5 s: data flow from primary to replica: the applier, started "
                        "again, has executed nothing since it failed with 1062"));
  }
}

TEST_CASE("a source that has caught up tells its replicas how far they have to go") {
  Stage stage("primary | no-account; middle < primary | executed=mysql-bin.000002:500; leaf < middle",
              "middle.await-caught-up");
  const ServerName middle{"middle"};
  stage.real(middle).channels.front().executed = stage.real(middle).channels.front().read;
  stage.real(middle).coordinates = at("mysql-bin.000009:77");
  stage.clock.pass(2000ms);
  SECTION("at once") {
    CHECK(outcome(stage.run()) == "made");
    CHECK(stage.clock.sleeps == 0);
  }
  SECTION("when its connection is back") {
    const auto good = [](ServerState&) -> Result<void> { return {}; };
    const auto bad = [](ServerState&) -> Result<void> { return tl::unexpected(lost()); };
    stage.provider.refreshes["middle"] = {good, bad, bad};
    CHECK(outcome(stage.run()) == "made");
    CHECK(stage.clock.sleeps == 2);
  }
  CHECK(stage.board.outputs().sources.at(middle).coordinates == at("mysql-bin.000009:77"));
}

TEST_CASE("an error of a thread ends the wait when it stands") {
  Stage stage("primary; replica < primary | stopped", "replica.await-running");
  Channel& channel = stage.real(replica).channels.front();
  channel.receiver = ReceiverState::on;
  channel.applier = true;
  stage.board.put(replica, stage.real(replica), Reading{.channel = true}, stage.clock.now());
  channel.receiver = ReceiverState::off;
  SECTION("the receiver's own") {
    channel.receiver_errno = 1236;
    channel.receiver_error = "Could not find first log file";
    const auto result = stage.run();
    CHECK(outcome(result) == "the receiver failed with 1236: Could not find first log file");
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == "replica.receiver-error");
    CHECK(result.error().number == 1236);
    CHECK(stage.clock.now() - Clock::Time{std::chrono::hours(1)} < 1s);
  }
  SECTION("the applier's") {
    channel.applier = false;
    channel.applier_errno = 1062;
    channel.applier_error = "Duplicate entry";
    const auto result = stage.run();
    CHECK(outcome(result) == "the applier stopped with 1062: Duplicate entry");
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == "replica.applier-error");
  }
  SECTION("one that may pass is waited out") {
    channel.receiver_errno = 2003;
    channel.receiver_error = "Can't connect";
    const auto result = stage.run();
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().trouble == Trouble::late);
  }
  SECTION("one that goes away at once does not count") {
    channel.receiver_errno = 1236;
    stage.clock.on_sleep = [&] {
      if (stage.clock.sleeps < 4) return;
      channel.receiver_errno = 0;
      channel.receiver = ReceiverState::on;
    };
    CHECK(outcome(stage.run()) == "made");
  }
}

TEST_CASE("the user asks to stop while a step waits") {
  Stage stage("primary; replica < primary | stopped", "replica.await-running");
  Channel& channel = stage.real(replica).channels.front();
  channel.receiver = ReceiverState::on;
  channel.applier = true;
  stage.board.put(replica, stage.real(replica), Reading{.channel = true}, stage.clock.now());
  channel.receiver_doing = "Checking master version";
  stage.clock.on_sleep = [&] { stage.stop = true; };
  const auto result = stage.run();
  CHECK(outcome(result) == "interrupted while waiting: data flow from primary to replica");
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().trouble == Trouble::interrupted);
  CHECK(stage.clock.sleeps == 1);
}

TEST_CASE("coordinates are noted, and the source must still be empty") {
  Stage stage("primary | fresh; replica < primary | fresh", "primary.capture-coordinates");
  SECTION("it is") {
    CHECK(outcome(stage.run()) == "made");
    CHECK(stage.board.outputs().noted.at(primary).coordinates == at("mysql-bin.000001:328"));
  }
  SECTION("our own account is no data") {
    stage.real(primary).accounts.push_back({"repl", "%"});
    CHECK(outcome(stage.run()) == "made");
  }
  SECTION("somebody made a schema") {
    (*stage.real(primary).schemas)["shop"] = {};
    const auto result = stage.run();
    CHECK(outcome(result) == "primary is no longer empty, its replicas would lack: shop");
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().trouble == Trouble::unsafe);
    CHECK(result.error().code == "replica.data-missing");
    CHECK(stage.board.outputs().noted.empty());
  }
  SECTION("somebody made an account") {
    stage.real(primary).accounts.push_back({"app", "%"});
    CHECK(outcome(stage.run()) == "primary is no longer empty, its replicas would lack: 'app'@'%'");
  }
}

TEST_CASE("the file's word holds for the coordinates that the plan showed") {
  Stage stage("primary | data=shop; replica < primary provision=assume-identical | fresh data=shop",
              "primary.capture-coordinates");
  SECTION("the source stands there") {
    CHECK(outcome(stage.run()) == "made");
    CHECK(stage.board.outputs().noted.at(primary).coordinates == at("mysql-bin.000002:1000"));
  }
  SECTION("it has moved on") {
    stage.real(primary).coordinates = at("mysql-bin.000002:1001");
    const auto result = stage.run();
    CHECK(outcome(result) == "primary.coordinates: mysql-bin.000002:1000 → mysql-bin.000002:1001");
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().trouble == Trouble::stale);
  }
}
