// Replicas of replicas.
#include "tests/catch.h"
#include "tests/live/support_story.h"

namespace stemma::live {
namespace {

const char* const kModes[] = {"position", "gtid"};

}  // namespace

TEST_CASE("a chain of three is applied at once, and rows written right away arrive at its end",
          "[live][server][chain]") {
  for (const char* mode : kModes) {
    INFO(mode);
    Story story(chain(mode));
    const Ran apply = story.apply();
    INFO(apply.all());
    REQUIRE(apply.code == 0);
    story.writer().must_write();
    CHECK(story.slave("leaf", "Master_Port") == std::to_string(story.port("middle")));
    CHECK(story.slave("middle", "Master_Port") == std::to_string(story.port("primary")));
    CHECK(story.cell("middle", "SELECT @@read_only") == "1");
    CHECK(story.codes().empty());
    CHECK(story.applied_steps().empty());
    CHECK(story.stemma({"verify"}).code == 0);
    story.same_data();
  }
}

TEST_CASE("a chain of four levels and two branches", "[live][chain]") {
  for (const char* mode : kModes) {
    INFO(mode);
    Shape shape = chain(mode, {"root", "child", "grandchild", "leaf"});
    shape.servers.push_back({"cousin", "child", ""});
    Story story(shape);
    const Ran apply = story.apply();
    INFO(apply.all());
    REQUIRE(apply.code == 0);
    story.make_app();
    story.sql("root", {"INSERT INTO app.t VALUES (0, 'right after apply')"});
    story.same_data();
    CHECK(story.cell("leaf", "SELECT note FROM app.t") == "right after apply");
    CHECK(story.codes().empty());
    CHECK(story.applied_steps().empty());
  }
}

TEST_CASE("the middle of a chain is stopped while the writer writes", "[live][chain]") {
  for (const char* mode : kModes) {
    INFO(mode);
    Story story(chain(mode));
    REQUIRE(story.apply().code == 0);
    story.writer();
    story.sql("middle", {"STOP SLAVE"});
    story.writer().must_write();
    CHECK(story.codes() == Codes{"middle replica.applier-stopped", "middle replica.receiver-stopped"});
    CHECK_FALSE(story.applied_steps().empty());
    story.writer().must_write();
    CHECK(story.applied_steps().empty());
    story.same_data();
  }
}

TEST_CASE("the leaf of a chain is pointed elsewhere while the writer writes", "[live][chain]") {
  for (const char* mode : kModes) {
    INFO(mode);
    Story story(chain(mode));
    REQUIRE(story.apply().code == 0);
    story.writer();
    story.caught_up();
    story.sql("leaf", {"STOP SLAVE", "CHANGE MASTER TO MASTER_HOST = '127.0.0.9'"});
    story.writer().must_write();
    CHECK(has(story.codes(), "leaf replica.wrong-source"));
    const Ran apply = story.apply();
    INFO(apply.all());
    REQUIRE(apply.code == 0);
    story.writer().must_write();
    CHECK(story.codes().empty());
    CHECK(story.applied_steps().empty());
    story.same_data();
  }
}

TEST_CASE("the account is dropped at the root of a chain", "[live][chain][account]") {
  Story story(chain("position"));
  REQUIRE(story.apply().code == 0);
  story.writer();
  story.sql("primary", {"DROP USER 'repl_user'@'%'"});
  story.caught_up();
  story.writer().must_write();
  CHECK(story.codes() == Codes{"leaf user.missing", "middle user.missing", "primary user.missing"});
  const Ran apply = story.apply();
  INFO(apply.all());
  REQUIRE(apply.code == 0);
  story.writer().must_write();
  CHECK(story.codes().empty());
  story.same_data();
}

TEST_CASE("a replica moves below its sibling, and back, while the writer writes", "[live][server][chain]") {
  for (const char* mode : kModes) {
    INFO(mode);
    Story story(quickstart(mode));
    REQUIRE(story.apply().code == 0);
    story.writer();
    story.caught_up();

    Shape moved = quickstart(mode);
    moved.servers[2].source = "replica-1";
    story.rewrite(moved);
    story.writer().must_write();
    CHECK(story.codes() == Codes{"replica-2 replica.wrong-source"});
    Ran apply = story.apply();
    INFO(apply.all());
    REQUIRE(apply.code == 0);
    story.writer().must_write();
    CHECK(story.slave("replica-2", "Master_Port") == std::to_string(story.port("replica-1")));
    CHECK(story.codes().empty());
    CHECK(story.applied_steps().empty());

    story.rewrite(quickstart(mode));
    story.writer().must_write();
    apply = story.apply();
    INFO(apply.all());
    REQUIRE(apply.code == 0);
    story.writer().must_write();
    CHECK(story.slave("replica-2", "Master_Port") == std::to_string(story.port("primary")));
    CHECK(story.codes().empty());
    story.same_data();
  }
}

TEST_CASE("a replica is added to a fleet that has data", "[live][chain]") {
  // The third server is up from the start, and unknown to the first file.
  Story story(quickstart("position"));
  Shape two = quickstart("position");
  two.servers.pop_back();
  story.rewrite(two);
  REQUIRE(story.apply().code == 0);
  story.writer().must_write();
  story.rewrite(quickstart("position"));
  const Ran apply = story.apply();
  INFO(apply.all());
  CHECK(apply.code == 3);  // it has none of the data
  story.writer().must_write();
  CHECK(story.slave("replica-1", "Slave_SQL_Running") == "Yes");
  CHECK(story.slave("replica-2", "Slave_SQL_Running").empty());

  Shape replayed = quickstart("position");
  replayed.servers[2].more = "provision = \"replay\"";
  story.rewrite(replayed);
  const Ran again = story.apply();
  INFO(again.all());
  REQUIRE(again.code == 0);
  story.writer().must_write();
  story.same_data();
  CHECK(story.codes().empty());
}

}  // namespace stemma::live
