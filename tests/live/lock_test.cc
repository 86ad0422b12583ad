// Two at once: one waits, or is told who was first. And those who only look leave no trace.
#include "tests/catch.h"
#include "tests/live/support_story.h"

namespace stemma::live {

TEST_CASE("the lock of another apply is respected", "[live][lock]") {
  Story story(quickstart("position"));
  for (const char* server : {"primary", "replica-2"}) {
    // Another apply, by the same account; who else has a session it may not see.
    auto holder = story.connect(server, "stemma");
    REQUIRE(holder);
    REQUIRE(holder->query("SELECT GET_LOCK('stemma.apply', 0)"));
    const std::string before = story.snapshot();
    const Ran apply = story.stemma({"apply", "--yes"});
    INFO(apply.all());
    CHECK(apply.code == 7);
    CHECK(contains(apply.err, std::string("holds the lock on ") + server));
    CHECK(contains(apply.err, "stemma@127.0.0.1"));
    CHECK(contains(apply.err, ", for "));
    const Ran patient = story.stemma({"apply", "--yes", "--lock-timeout", "300ms"});
    CHECK(patient.code == 7);
    CHECK(patient.took >= std::chrono::milliseconds(300));
    CHECK(story.snapshot() == before);
    // Looking needs no lock.
    CHECK(story.stemma({"plan"}).code == 0);
    CHECK(story.stemma({"drift"}).code == 2);
  }
  auto administrator = story.connect("primary");
  REQUIRE(administrator);
  REQUIRE(administrator->query("SELECT GET_LOCK('stemma.apply', 0)"));
  const Ran apply = story.stemma({"apply", "--yes"});
  INFO(apply.all());
  CHECK(apply.code == 7);
  CHECK(contains(apply.err, "holds the lock on primary: a session of another account"));
  REQUIRE(administrator->query("SELECT RELEASE_LOCK('stemma.apply')"));
  CHECK(story.apply().code == 0);
}

TEST_CASE("--lock-timeout waits until the other one is done", "[live][lock]") {
  Story story(quickstart("position"));
  auto holder = story.connect("replica-1");
  REQUIRE(holder);
  REQUIRE(holder->query("SELECT GET_LOCK('stemma.apply', 0)"));
  const auto waiting = story.start({"apply", story.file(), "--yes", "--lock-timeout", "20s"});
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CHECK(waiting->alive());
  CHECK(story.slave("replica-1", "Slave_IO_Running").empty());
  REQUIRE(holder->query("SELECT RELEASE_LOCK('stemma.apply')"));
  const Ran apply = waiting->wait();
  INFO(apply.all());
  CHECK(apply.code == 0);
  CHECK(story.codes().empty());
}

// The lock is on the servers, so that it does not matter who holds it from where, nor what else is in the file.
TEST_CASE("two files that share one server, applied from two hosts", "[live][lock]") {
  Shape shape = quickstart("position");
  shape.server_ids = false;  // they count the servers of a file
  Story story(shape);
  const auto without = [&](const std::string& server) {
    Shape part = shape;
    std::erase_if(part.servers, [&](const ServerLines& one) { return one.name == server; });
    return part;
  };
  story.rewrite(without("replica-2"));
  std::filesystem::copy_file(story.file(), story.path("one.toml"));
  story.rewrite(without("replica-1"));
  std::filesystem::copy_file(story.file(), story.path("two.toml"));
  // Held up at a place that is known.
  auto holder = story.connect("replica-1");
  REQUIRE(holder);
  REQUIRE(holder->query("FLUSH TABLES WITH READ LOCK"));
  const auto first = story.start({"apply", story.path("one.toml").string(), "--yes"});
  eventually("the first is at work",
             [&] { return story.cell("primary", "SELECT IS_USED_LOCK('stemma.apply')") != "NULL"; });
  story.environment["XDG_STATE_HOME"] = story.path("other-host").string();
  const Ran second = story.run({"apply", story.path("two.toml").string(), "--yes", "--lock-timeout", "0s"});
  INFO(second.all());
  CHECK(second.code == 7);
  CHECK(contains(second.err, "holds the lock on primary"));
  CHECK(story.slave("replica-2", "Slave_IO_Running").empty());
  REQUIRE(holder->query("UNLOCK TABLES"));
  CHECK(first->wait().code == 0);
  CHECK(story.run({"apply", story.path("two.toml").string(), "--yes", "--lock-timeout", "20s"}).code == 0);
  CHECK(story.slave("replica-2", "Slave_SQL_Running") == "Yes");
}

TEST_CASE("an apply right behind another does not meet its lock", "[live][server][lock]") {
  Story story(quickstart("position"));
  auto holder = story.connect("primary", "stemma");
  REQUIRE(holder);
  REQUIRE(holder->query("SELECT GET_LOCK('stemma.apply', 0)"));
  // As when the server has not yet noticed that the one before is gone.
  const auto next = story.start({"apply", story.file(), "--yes"});
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  { const mysql::Connection closed = std::move(*holder); }
  const Ran apply = next->wait();
  INFO(apply.all());
  CHECK(apply.code == 0);
}

TEST_CASE("two applies at once: the fleet is in order, and nobody fails", "[live][server][lock]") {
  Story story(quickstart("position"));
  const auto one = story.start({"apply", story.file(), "--yes", "--lock-timeout", "20s"});
  const auto two = story.start({"apply", story.file(), "--yes", "--lock-timeout", "20s"});
  const auto three = story.start({"apply", story.file(), "--yes", "--lock-timeout", "20s"});
  for (Running* running : {one.get(), two.get(), three.get()}) {
    const Ran ran = running->wait();
    INFO(ran.all());
    CHECK(ran.code == 0);
  }
  CHECK(story.codes().empty());
  CHECK(story.applied_steps().empty());
}

TEST_CASE("reading is reading", "[live][reading]") {
  Story story(quickstart("position"));
  const auto look = [&] {
    const std::string before = story.snapshot();
    for (const char* format : {"text", "json", "markdown", "sql", "dot", "mermaid"})
      CHECK(story.stemma({"plan", "--format", format}).code != 1);
    CHECK(story.stemma({"plan", "-o", story.path("saved.plan"), "-v"}).code != 1);
    for (const char* format : {"text", "json"}) {
      CHECK(story.stemma({"drift", "--format", format, "-v"}).code != 1);
      CHECK(story.stemma({"status", "--format", format, "-v"}).code != 1);
    }
    CHECK(story.stemma({"validate"}).code == 0);
    CHECK(story.snapshot() == before);
  };
  look();
  REQUIRE(story.apply().code == 0);
  look();
  story.make_app();
  story.caught_up();
  story.sql("replica-1",
            {"STOP SLAVE", "CHANGE MASTER TO MASTER_HOST = '127.0.0.9'", "SET GLOBAL read_only = OFF"});
  story.unlogged("replica-2", {"DROP USER 'repl_user'@'%'"});
  look();
}

}  // namespace stemma::live
