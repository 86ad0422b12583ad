// The journal: lines of JSON in a file that only its owner reads.
#include "engine/journal.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/engine/support_directory.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;
using nlohmann::json;

namespace {

std::vector<json> lines_of(const std::filesystem::path& file) {
  std::vector<json> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
  return lines;
}

}  // namespace

TEST_CASE("a run, line by line") {
  const Directory directory;
  const Plan plan = Story("primary; replica < primary | stopped").plan();
  auto journal = Journal::create(directory.path / "made" / "on the way", "a/../tree", plan);
  REQUIRE(journal.has_value());
  CHECK(journal->path().parent_path().filename() == "a_.._tree");
  StepResult done{0, Effect::made, std::chrono::microseconds(1500)};
  StepResult failed{1, fail(Trouble::late, "bytes \xff\xfe and \"quotes\"\nlines"),
                    std::chrono::microseconds(5)};
  REQUIRE(journal->write(StepStarted{0}, plan).has_value());
  REQUIRE(journal->sync().has_value());
  REQUIRE(journal->write(StepFinished{&done}, plan).has_value());
  REQUIRE(journal->write(StepFinished{&failed}, plan).has_value());
  Outcome outcome;
  outcome.states = {StepState::done, StepState::failed};
  REQUIRE(journal->finish(outcome, plan, 5).has_value());

  const auto lines = lines_of(journal->path());
  REQUIRE(lines.size() == 5);
  CHECK(lines[0]["event"] == "run-started");
  CHECK(lines[0]["topology"] == "a/../tree");
  CHECK(lines[0]["steps"][0]["id"] == "replica.start-replica");
  CHECK(lines[1]["event"] == "step-started");
  CHECK(lines[1]["step"] == "replica.start-replica");
  CHECK(lines[2]["effect"] == "made");
  CHECK(lines[2]["ms"] == 1.5);
  CHECK(lines[3]["event"] == "step-failed");
  CHECK(lines[3]["error"].get<std::string>().ends_with("and \"quotes\"\nlines"));
  CHECK(lines[4]["exit"] == 5);
  CHECK(lines[4]["not_done"] == json({{"replica.await-running", "failed"}}));
  for (const json& line : lines) CHECK(line["time"].get<std::string>().ends_with("Z"));
}

TEST_CASE("only its owner may read it, and no other run's file is used") {
  const Directory directory;
  const Plan plan;
  const auto one = Journal::create(directory.path, "tree", plan);
  REQUIRE(one.has_value());
  struct ::stat about {};
  REQUIRE(::stat(one->path().c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
  for (int i = 0; i < 10; ++i) {  // in the same millisecond, too
    const auto two = Journal::create(directory.path, "tree", plan);
    REQUIRE(two.has_value());
    CHECK(one->path() != two->path());
  }
}

TEST_CASE("a journal that can't be written: nothing may start") {
  // A file where the directory should be fails for root, too.
  const auto journal = Journal::create("/dev/null/journal", "tree", Plan{});
  REQUIRE_FALSE(journal.has_value());
  CHECK(journal.error().message.starts_with("can't write the journal /dev/null/journal/tree/"));
  CHECK(journal.error().hint.starts_with("nothing was changed"));
}

TEST_CASE("names that are no file names") {
  const Directory directory;
  for (const char* name : {"", ".", "..", ".hidden", "a b", "ä"}) {
    INFO("'" << name << "'");
    const auto journal = Journal::create(directory.path, name, Plan{});
    REQUIRE(journal.has_value());
    const auto folder = journal->path().parent_path();
    CHECK(folder.parent_path() == directory.path);
    CHECK(folder.filename().string().front() != '.');
  }
}

TEST_CASE("where journals are") {
  ::setenv("XDG_STATE_HOME", "/state", 1);
  CHECK(default_journal_directory() == "/state/stemma/journal");
  ::setenv("XDG_STATE_HOME", "relative", 1);
  ::setenv("HOME", "/home/me", 1);
  CHECK(default_journal_directory() == "/home/me/.local/state/stemma/journal");
  ::unsetenv("XDG_STATE_HOME");
  CHECK(default_journal_directory() == "/home/me/.local/state/stemma/journal");
}
