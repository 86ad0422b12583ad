// Journals, read back for people: whole ones, cut ones, and files that are none.
#include "engine/history.h"

#include <unistd.h>

#include <fstream>

#include "engine/journal.h"
#include "tests/catch.h"
#include "tests/engine/support_directory.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;

namespace {

Plan two_steps() { return Story("primary; replica < primary | stopped").plan(); }

std::filesystem::path write_run(const std::filesystem::path& directory, const std::string& topology,
                                bool to_the_end) {
  const Plan plan = two_steps();
  auto journal = Journal::create(directory, topology, plan);
  REQUIRE(journal.has_value());
  REQUIRE(journal->write(StepStarted{0}, plan).has_value());
  const StepResult done{0, Effect::made, std::chrono::microseconds(1500)};
  REQUIRE(journal->write(StepFinished{&done}, plan).has_value());
  REQUIRE(journal->write(StepStarted{1}, plan).has_value());
  if (to_the_end) {
    const StepResult failed{1, fail(Trouble::late, "waited in vain"), std::chrono::microseconds(5)};
    REQUIRE(journal->write(StepFinished{&failed}, plan).has_value());
    Outcome outcome;
    outcome.states = {StepState::done, StepState::failed};
    REQUIRE(journal->finish(outcome, plan, 5).has_value());
  }
  ::usleep(2000);  // a millisecond is what names tell apart
  return journal->path();
}

void append(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::app) << text;
}

}  // namespace

TEST_CASE("history: a run that ended") {
  const Directory directory;
  const auto file = write_run(directory.path, "tree", true);
  const auto history = read_history(directory.path, std::nullopt);
  REQUIRE(history.has_value());
  REQUIRE(history->runs.size() == 1);
  const RunRecord& run = history->runs.front();
  CHECK(run.journal == file);
  CHECK(run.topology == "tree");
  CHECK(run.exit_code == 5);
  CHECK(run.finished >= run.started);
  CHECK_FALSE(still_runs(run));
  REQUIRE(run.steps.size() == 2);
  CHECK(run.steps[0].id == "replica.start-replica");
  CHECK(run.steps[0].server == "replica");
  CHECK(run.steps[0].state == "done");
  CHECK_FALSE(run.steps[0].already);
  CHECK(run.steps[0].took == std::chrono::microseconds(1500));
  CHECK(run.steps[1].state == "failed");
  CHECK(run.steps[1].error == "waited in vain");
  CHECK(run.count("done") == 1);
}

TEST_CASE("history: the newest first, of one topology or of all") {
  const Directory directory;
  write_run(directory.path, "tree", true);
  write_run(directory.path, "wood", true);
  write_run(directory.path, "tree", false);
  const auto all = read_history(directory.path, std::nullopt);
  REQUIRE(all.has_value());
  REQUIRE(all->runs.size() == 3);
  CHECK_FALSE(all->runs[0].exit_code);
  CHECK(all->runs[1].topology == "wood");
  CHECK(read_history(directory.path, "tree")->runs.size() == 2);
  CHECK(read_history(directory.path, "nobody")->runs.empty());
  CHECK(read_history(directory.path / "nowhere", std::nullopt)->runs.empty());
}

TEST_CASE("history: a run that was cut off, its last line torn") {
  const Directory directory;
  const auto file = write_run(directory.path, "tree", false);
  append(file, R"({"event":"step-done","step":"replica.await-ru)");
  const auto history = read_history(directory.path, std::nullopt);
  REQUIRE(history->runs.size() == 1);
  RunRecord run = history->runs.front();
  CHECK_FALSE(run.exit_code);
  CHECK(run.finished.empty());
  CHECK(run.steps[1].state == "running");
  CHECK(still_runs(run));  // this process wrote it
  run.pid = 0;
  CHECK_FALSE(still_runs(run));
}

TEST_CASE("history: what is no journal, and lines that make no sense") {
  const Directory directory;
  const auto file = write_run(directory.path, "tree", true);
  append(file, "[1]\n{\"event\":7}\n{\"event\":\"step-done\",\"step\":\"nobody.knows\"}\n\xff\n");
  append(directory.path / "empty.jsonl", "");
  append(directory.path / "other.jsonl", "{\"event\":\"something else\"}\n");
  append(directory.path / "binary.jsonl", std::string("\0\xff\n", 3));
  append(directory.path / "notes.txt", "mine\n");
  append(directory.path / "odd.jsonl",
         "{\"event\":\"run-started\",\"pid\":\"x\",\"steps\":[3,{\"id\":4}]}\n{\"event\":\"run-finished\","
         "\"exit\":\"0\","
         "\"not_done\":[]}\n");
  const auto history = read_history(directory.path, std::nullopt);
  REQUIRE(history.has_value());
  REQUIRE(history->runs.size() == 2);
  CHECK(history->runs[0].exit_code == 5);
  CHECK_FALSE(history->runs[1].exit_code);
  CHECK(history->unreadable.size() == 3);
}
