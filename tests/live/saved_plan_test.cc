// A plan that was saved is carried out as it was shown, or not at all.
#include <filesystem>
#include <fstream>

#include "tests/catch.h"
#include "tests/live/support_story.h"

namespace stemma::live {
namespace {

// A fleet in order, but for a replica that is stopped; and a plan that starts it.
struct Planned {
  Story story{quickstart("position")};
  std::string plan = story.path("saved.plan");

  Planned() {
    if (story.apply().code != 0) throw std::runtime_error("the first apply failed");
    story.make_app();
    story.caught_up();
    story.sql("replica-1", {"STOP SLAVE"});
    if (story.stemma({"plan", "-o", plan}).code != 0) throw std::runtime_error("the plan was not saved");
  }
  Ran apply() { return story.run({"apply", plan, "--yes"}); }

  // Refused with this exit code, and nothing changed.
  void refused(int code, const std::vector<std::string>& words) {
    const std::string before = story.snapshot();
    const Ran ran = apply();
    INFO(ran.all());
    CHECK(ran.code == code);
    for (const std::string& word : words) {
      INFO(word);
      CHECK(contains(ran.all(), word));
    }
    CHECK(story.snapshot() == before);
  }
};

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  if (at == std::string::npos) throw std::runtime_error("not in the plan: " + what);
  return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("a plan is written into a link or a pipe, not in its place", "[live][saved-plan]") {
  Story story(quickstart("position"));
  const std::string real = story.path("real.plan"), link = story.path("link.plan");
  std::ofstream(real) << "old";
  std::filesystem::create_symlink(real, link);
  REQUIRE(story.stemma({"plan", "-o", link}).code == 0);
  CHECK(std::filesystem::is_symlink(link));
  CHECK(std::filesystem::file_size(real) > 1000);
  const Ran full = story.stemma({"plan", "-o", "/dev/full"});
  INFO(full.all());
  CHECK(full.code == 1);
  CHECK(contains(full.err, "can't write /dev/full"));
  CHECK(std::filesystem::is_character_file("/dev/full"));
  CHECK(story.run({"apply", link, "--yes"}).code == 0);
}

TEST_CASE("the walk-through by a saved plan", "[live][server][saved-plan]") {
  for (const char* mode : {"position", "gtid"}) {
    Story story(quickstart(mode));
    const std::string plan = story.path("saved.plan");
    REQUIRE(story.stemma({"plan", "-o", plan}).code == 0);
    const Ran apply = story.run({"apply", plan, "--yes"});
    INFO(apply.all());
    REQUIRE(apply.code == 0);
    story.writer().must_write();
    CHECK(story.codes().empty());
    CHECK(story.applied_steps().empty());
    // Its time is over: the ground is another one now.
    CHECK(story.run({"apply", plan, "--yes"}).code == 4);
    story.same_data();
  }
}

TEST_CASE("a plan is fresh while only writes go on", "[live][saved-plan]") {
  Planned planned;
  planned.story.writer().must_write();
  const Ran apply = planned.apply();
  INFO(apply.all());
  REQUIRE(apply.code == 0);
  planned.story.writer().must_write();
  CHECK(planned.story.codes().empty());
  planned.story.same_data();
}

TEST_CASE("a plan is stale when somebody changed something", "[live][saved-plan]") {
  SECTION("a replica was made writable") {
    Planned planned;
    planned.story.sql("replica-2", {"SET GLOBAL read_only = OFF"});
    planned.refused(4, {"replica-2.read_only: true → false"});
  }
  SECTION("the thread was started by hand") {
    Planned planned;
    planned.story.sql("replica-1", {"START SLAVE"});
    planned.story.await("replica-1", "Slave_IO_Running", "Yes");
    planned.refused(4, {"replica-1.channel.receiver: off → on", "replica-1.channel.applier: off → on"});
  }
  SECTION("the source of a channel was changed") {
    Planned planned;
    planned.story.sql("replica-1", {"CHANGE MASTER TO MASTER_HOST = '127.0.0.9'"});
    planned.refused(4, {"replica-1.channel.source: 127.0.0.1:", " → 127.0.0.9:"});
  }
  SECTION("the account was dropped") {
    Planned planned;
    planned.story.unlogged("primary", {"DROP USER 'repl_user'@'%'"});
    planned.refused(4, {"primary.account.exists: yes → no"});
  }
  SECTION("the source's binlogs begin anew") {
    Planned planned;
    planned.story.sql("replica-2", {"STOP SLAVE"});
    REQUIRE(planned.story.stemma({"plan", "-o", planned.plan}).code == 0);
    planned.story.sql("primary", {"RESET MASTER"});
    planned.refused(4, {"primary.coordinates: ",
                        test::on_mysql() ? "primary.gtid_executed: " : "primary.gtid_binlog_pos: "});
  }
  SECTION("a server is gone") {
    Planned planned;
    planned.story.stop_server("replica-2");
    planned.refused(4, {"replica-2.reachable: none → false"});
  }
}

TEST_CASE("a plan for empty servers is stale once the source has data", "[live][saved-plan]") {
  Story story(quickstart("position"));
  const std::string plan = story.path("saved.plan");
  REQUIRE(story.stemma({"plan", "-o", plan}).code == 0);
  story.make_app();
  const std::string before = story.snapshot();
  const Ran apply = story.run({"apply", plan, "--yes"});
  INFO(apply.all());
  CHECK(apply.code == 4);
  CHECK(contains(apply.all(), "primary.schemas: (empty) → app"));
  CHECK(story.snapshot() == before);
}

TEST_CASE("a plan file that is not what stemma saved", "[live][saved-plan]") {
  Planned planned;
  const std::string good = read_text(planned.plan);
  SECTION("edited by hand") {
    write_text(planned.plan, replaced(good, planned.story.spoken("START SLAVE"), "RESET SLAVE ALL"));
    planned.refused(1, {"changed after it was saved"});
  }
  SECTION("another server's address") {
    write_text(planned.plan, replaced(good, "127.0.0.1", "127.0.0.2"));
    planned.refused(1, {"changed after it was saved"});
  }
  SECTION("of another format") {
    write_text(planned.plan, replaced(good, "\"format_version\": \"1.0\"", "\"format_version\": \"2.0\""));
    planned.refused(1, {"2.0", "plan again"});
  }
  SECTION("cut off") {
    write_text(planned.plan, good.substr(0, good.size() / 2));
    planned.refused(1, {"not whole"});
  }
  SECTION("empty object") {
    write_text(planned.plan, "{}");
    planned.refused(1, {"no plan of stemma"});
  }
  SECTION("untouched") { CHECK(planned.apply().code == 0); }
}

TEST_CASE("without a terminal nothing is applied unless --yes says so", "[live][saved-plan]") {
  Planned planned;
  const std::string before = planned.story.snapshot();
  for (const Ran& ran : {planned.story.stemma({"apply"}), planned.story.run({"apply", planned.plan})}) {
    INFO(ran.all());
    CHECK(ran.code == 1);
    CHECK(contains(ran.err, "--yes"));
  }
  CHECK(planned.story.snapshot() == before);
}

}  // namespace stemma::live
