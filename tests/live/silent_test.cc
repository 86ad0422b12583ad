// Servers that give no answer, or none in time: named, waited for no longer than said, and the others are served meanwhile.
#include <csignal>

#include "tests/catch.h"
#include "tests/live/support_story.h"

namespace stemma::live {

TEST_CASE("a login that is refused leaves the verdict open", "[live][safety][silent]") {
  Shape shape = quickstart("position");
  Story story(shape);
  shape.servers[2].more = "admin = { user = \"root\", password = { env = \"LIVE_WRONG_PASSWORD\" } }";
  story.environment["LIVE_WRONG_PASSWORD"] = "wrong";
  story.rewrite(shape);
  const Ran drift = story.stemma({"drift"});
  INFO(drift.all());
  CHECK(drift.code == 6);
  CHECK(has(story.codes(), "replica-2 server.login-refused"));
  CHECK(has(story.codes(), "replica-1 replica.not-configured"));
  CHECK(story.stemma({"status"}).code == 6);
  CHECK(story.stemma({"plan"}).code == 6);
  const Ran apply = story.apply();
  INFO(apply.all());
  CHECK(apply.code == 6);
  CHECK(story.slave("replica-1", "Slave_SQL_Running") == "Yes");
  CHECK(story.slave("replica-2", "Slave_SQL_Running").empty());
}

TEST_CASE("a server that is down is named, the others are mended", "[live][safety][silent]") {
  Story story(quickstart("position"));
  REQUIRE(story.apply().code == 0);
  story.writer();
  story.caught_up();
  story.stop_server("replica-2");
  Ran drift = story.stemma({"drift", "--format", "json"});
  INFO(drift.all());
  CHECK(drift.code == 6);
  CHECK(drift.document()["verdict"] == "unknown");
  CHECK(story.codes() == Codes{"replica-2 server.unreachable"});
  CHECK(story.stemma({"plan"}).code == 6);
  CHECK(story.apply().code == 6);

  story.sql("replica-1", {"STOP SLAVE"});
  story.writer().must_write();
  CHECK(story.codes() == Codes{"replica-1 replica.applier-stopped", "replica-1 replica.receiver-stopped",
                               "replica-2 server.unreachable"});
  CHECK(story.stemma({"drift"}).code == 6);
  const Ran apply = story.apply();
  INFO(apply.all());
  CHECK(apply.code == 6);
  const json document = apply.document();
  CHECK_FALSE(document["steps"].empty());
  for (const json& step : document["steps"]) CHECK(step["server"] == "replica-1");
  story.sql("replica-1", {"STOP SLAVE"});
  const Ran text = story.stemma({"apply", "--yes"});
  INFO(text.all());
  CHECK(contains(text.out, "✗ replica-2  server.unreachable"));  // among what is left
  CHECK_FALSE(contains(text.out, "✗ replica-2: "));              // and not once more
  CHECK(story.slave("replica-1", "Slave_SQL_Running") == "Yes");

  // It comes back: writable, as its option file has it; MySQL 9 has persisted what was set.
  REQUIRE(story.sandbox_up().code == 0);
  story.writer().must_write();
  const bool forgets = !test::on_server("mysql-9.7");
  CHECK(has(story.codes(), "replica-2 replica.writable") == forgets);
  CHECK(story.applied_steps().empty() != forgets);
  story.writer().must_write();
  CHECK(story.codes().empty());
  story.same_data();
}

TEST_CASE("a primary that is closed stays so while a replica is silent", "[live][safety][silent]") {
  Story story(quickstart("position"));
  REQUIRE(story.apply().code == 0);
  story.sql("primary", {"SET GLOBAL read_only = ON"});
  story.stop_server("replica-2");
  const Ran apply = story.apply();
  INFO(apply.all());
  CHECK(apply.code == 6);
  CHECK(story.cell("primary", "SELECT @@read_only") == "1");
}

TEST_CASE("a server that accepts and then says nothing delays nobody for long", "[live][safety][silent]") {
  Story story(quickstart("position"));
  REQUIRE(story.apply().code == 0);
  story.writer();
  story.caught_up();
  const pid_t pid = story.pid("replica-2");
  REQUIRE(::kill(pid, SIGSTOP) == 0);
  story.sql("replica-1", {"STOP SLAVE SQL_THREAD"});
  const Ran drift = story.stemma({"drift", "--timeout", "1s", "--format", "json"});
  const Ran apply = story.stemma({"apply", "--yes", "--timeout", "3s", "--format", "json"});
  REQUIRE(::kill(pid, SIGCONT) == 0);
  INFO(drift.all() << apply.all());
  CHECK(drift.code == 6);
  CHECK(drift.took < std::chrono::seconds(5));
  CHECK(contains(drift.out, "server.unreachable"));
  CHECK(contains(drift.out, "replica.applier-stopped"));
  CHECK(apply.took < std::chrono::seconds(10));
  CHECK((apply.code == 6 || apply.code == 5));
  story.writer().must_write();
  story.applied_steps();
  CHECK(story.codes().empty());
  story.same_data();
}

TEST_CASE("a step takes no longer than limits.step, and the next run goes on", "[live][safety][silent]") {
  Shape shape = quickstart("position");
  shape.step = "2s";
  Story story(shape);
  auto holder = story.connect("replica-1");
  REQUIRE(holder);
  REQUIRE(holder->query("FLUSH TABLES WITH READ LOCK"));
  const Ran late = story.apply();
  INFO(late.all());
  CHECK(late.code == 5);
  CHECK(late.took < std::chrono::seconds(6));
  CHECK(story.slave("replica-2", "Slave_SQL_Running") == "Yes");
  REQUIRE(holder->query("UNLOCK TABLES"));
  const Ran again = story.stemma({"apply", "--yes", "--lock-timeout", "10s"});
  INFO(again.all());
  CHECK(again.code == 0);
  CHECK(story.codes().empty());
  story.writer().must_write();
  story.same_data();
}

}  // namespace stemma::live
