// Reading all servers side by side, and what the running apply knows of them.
#include "engine/survey.h"

#include <mutex>
#include <set>

#include "engine/board.h"
#include "tests/catch.h"
#include "tests/engine/support_fake.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;

TEST_CASE("each server is observed once, and asked more only where it decides something") {
  Story story("a | unasked; b < a; c < a | unasked fresh; d < a | silent; e < a | login-refused");
  FakeProvider provider(story.fleet);
  const Fleet fleet = survey(provider, story.topology, story.secrets, 4);
  CHECK(fleet.servers.size() == 3);
  CHECK(fleet.silent.at({"d"}).code == "server.unreachable");
  CHECK(fleet.silent.at({"e"}).code == "server.login-refused");
  std::multiset<std::string> calls(provider.calls.begin(), provider.calls.end());
  CHECK(calls == std::multiset<std::string>{"answer a", "answer c", "observe a", "observe b", "observe c",
                                            "observe d", "observe e"});
  CHECK(fleet.find({"a"})->binlogs.has_value());
  CHECK_FALSE(fleet.find({"b"})->gtid_horizon.has_value());
}

TEST_CASE("a server that falls silent between two questions is silent") {
  Story story("a | unasked; b < a | fresh unasked");
  FakeProvider provider(story.fleet);
  SECTION("it is gone") {
    provider.answer_script = [](const ServerName& name) -> Result<void> {
      if (name.text == "b") return fail(Trouble::unreachable, "lost connection");
      return {};
    };
    const Fleet fleet = survey(provider, story.topology, story.secrets);
    CHECK(fleet.silent.at({"b"}).code == "server.unreachable");
    CHECK(fleet.servers.size() == 1);
  }
  SECTION("it shuts the door") {
    provider.answer_script = [](const ServerName&) -> Result<void> {
      return fail(Trouble::denied, "access denied");
    };
    CHECK(survey(provider, story.topology, story.secrets).silent.at({"a"}).code == "server.login-refused");
  }
}

TEST_CASE("work is done once for each name, by few threads or many") {
  const std::size_t at_once = GENERATE(1U, 3U, 100U);
  std::vector<ServerName> names;
  for (int i = 0; i < 50; ++i) names.push_back({std::to_string(i)});
  std::mutex guard;
  std::multiset<ServerName> seen;
  side_by_side(names, at_once, [&](const ServerName& name) {
    const std::lock_guard lock(guard);
    seen.insert(name);
  });
  CHECK(seen == std::multiset<ServerName>(names.begin(), names.end()));
  side_by_side({}, at_once, [](const ServerName&) { FAIL("nothing to do"); });
}

TEST_CASE("replicas that ask for their source's coordinates at the same time share readings") {
  Story story("a; b < a");
  FakeProvider provider(story.fleet);
  FakeClock clock;
  Board board(story.topology, story.secrets, story.fleet, clock.now());
  provider.truth.servers.at({"a"}).coordinates = at("mysql-bin.000009:9");
  std::vector<ServerName> askers;
  for (int i = 0; i < 32; ++i) askers.push_back({std::to_string(i)});
  std::atomic<int> right = 0;
  side_by_side(askers, 16, [&](const ServerName&) {
    const auto moment = board.coordinates_from_now({"a"}, provider);
    if (moment && moment->coordinates == at("mysql-bin.000009:9")) ++right;
  });
  CHECK(right == 32);
  CHECK(provider.calls.size() <= 32);
  CHECK(board.get({"a"}).coordinates == at("mysql-bin.000009:9"));

  provider.refreshes["a"] = {[](ServerState&) -> Result<void> { return fail(Trouble::unreachable, "gone"); }};
  CHECK_FALSE(board.coordinates_from_now({"a"}, provider).has_value());
  CHECK(board.coordinates_from_now({"a"}, provider).has_value());
}

TEST_CASE("the board remembers where the sources stood at first") {
  Story story("a; b < a");
  FakeClock clock;
  Board board(story.topology, story.secrets, story.fleet, clock.now());
  CHECK(board.outputs().sources.at({"a"}).coordinates == at("mysql-bin.000002:1000"));
  ServerState moved = story.state("a");
  moved.coordinates = at("mysql-bin.000003:4");
  board.put({"a"}, moved, Reading{.coordinates = true}, clock.now());
  CHECK(board.outputs().sources.at({"a"}).coordinates == at("mysql-bin.000002:1000"));
  CHECK(board.judge(CaughtUp{ServerName{"b"}, ServerName{"a"}}, story.state("b")).verdict == Verdict::holds);
  const Clock::Time begin = clock.now();
  clock.pass(std::chrono::milliseconds(500));
  board.put({"b"}, story.state("b"), Reading{.channel = true}, clock.now());
  CHECK(board.read_at({"b"}, Reading{.channel = true}) == clock.now());
  CHECK(board.read_at({"b"}, Reading{.channel = true, .account = true}) == begin);
  board.forget_readings({"b"});
  CHECK(board.read_at({"b"}, Reading{.channel = true}) < begin);
  CHECK(board.is_replication({"repl", "%"}));
  CHECK_FALSE(board.is_replication({"repl", "localhost"}));
}
