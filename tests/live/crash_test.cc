// Killed at any instant, run again, arrive.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <random>
#include <sstream>

#include "tests/catch.h"
#include "tests/live/support_story.h"

namespace stemma::live {
namespace {

// STEMMA_TEST_KILLS=200 for a long run: then at random instants, one in each part of an apply.
int kills() {
  const char* asked = std::getenv("STEMMA_TEST_KILLS");
  return asked == nullptr ? 10 : std::max(1, std::atoi(asked));
}

// As the servers were on their first day; for stories without data only.
void first_day(const Story& story) {
  for (const char* replica : {"replica-1", "replica-2"})
    story.sql(replica, {"STOP SLAVE", "RESET SLAVE ALL", "SET GLOBAL read_only = OFF"});
  // RESET MASTER would wait for dump threads that have not yet noticed that nobody listens.
  std::istringstream dumps(story.lines(
      "primary", "SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'"));
  for (std::string id; std::getline(dumps, id, '\t'); dumps.ignore()) story.sql("primary", {"KILL " + id});
  for (const char* server : {"replica-1", "replica-2", "primary"}) {
    if (story.cell(server, "SELECT COUNT(*) FROM mysql.user WHERE user = 'repl_user'") != "0")
      story.unlogged(server, {"DROP USER 'repl_user'@'%'"});
    story.sql(server, {"RESET MASTER", "SET GLOBAL gtid_slave_pos = ''"});
  }
}

// A replica that replicates is read-only, and nobody skipped anything: true at every instant.
void one_writer(const Story& story) {
  for (const char* replica : {"replica-1", "replica-2"})
    if (story.slave(replica, "Slave_SQL_Running") == "Yes")
      CHECK(story.cell(replica, "SELECT @@read_only") == "1");
}

// Starts apply and kills it after `moment`. Whether it came to its end before.
void kill_apply(Story& story, std::chrono::microseconds moment) {
  const auto running = story.start({"apply", story.file(), "--yes"});
  std::this_thread::sleep_for(moment);
  running->signal(SIGKILL);
  const int code = running->wait().code;
  CHECK((code == -SIGKILL || code == 0));
}

// The middle of the i-th part of an apply that takes so long, or in a long run a random place in it.
std::chrono::microseconds part(std::chrono::milliseconds whole, int i) {
  static std::mt19937 random{std::random_device{}()};
  const double where =
      std::getenv("STEMMA_TEST_KILLS") == nullptr ? 0.5 : std::uniform_real_distribution(0.0, 1.0)(random);
  return std::chrono::microseconds(static_cast<std::int64_t>(
      static_cast<double>(std::chrono::microseconds(whole).count()) * (i + where) / kills()));
}

}  // namespace

TEST_CASE("kill -9 at ten instants of the first apply", "[live][server][crash]") {
  for (const char* mode : {"position", "gtid"}) {
    Story story(quickstart(mode));
    const Ran whole = story.apply();
    REQUIRE(whole.code == 0);
    for (int i = 0; i < kills(); ++i) {
      INFO(mode << ", kill " << i);
      first_day(story);
      kill_apply(story, part(whole.took, i));
      one_writer(story);
      arrives(story);

      CHECK(story.codes().empty());
    }
    CHECK(story.applied_steps().empty());
    story.writer().must_write();
    story.same_data();
    for (const char* server : {"primary", "replica-1", "replica-2"})
      CHECK(story.cell(server, "SELECT COUNT(*) FROM mysql.user WHERE user = 'repl_user'") == "1");
  }
}

TEST_CASE("kill -9 at ten instants of a mend, while the writer writes", "[live][crash]") {
  for (const char* mode : {"position", "gtid"}) {
    Story story(quickstart(mode));
    REQUIRE(story.apply().code == 0);
    Writer& writer = story.writer();
    story.caught_up();
    const auto broken = [&] {
      disorder(story);
      writer.must_write();
    };
    broken();
    const Ran whole = story.apply();
    INFO(whole.all());
    REQUIRE(whole.code == 0);
    for (int i = 0; i < kills(); ++i) {
      INFO(mode << ", kill " << i << " of " << whole.took.count() << " ms");
      broken();
      kill_apply(story, part(whole.took, i));
      one_writer(story);
      writer.must_write();
      arrives(story);
      writer.must_write();
    }
    CHECK(story.codes().empty());
    CHECK(story.applied_steps().empty());
    story.same_data();
  }
}

TEST_CASE("kill -9 of an account's mend", "[live][crash][account]") {
  Story story(quickstart("position"));
  REQUIRE(story.apply().code == 0);
  Writer& writer = story.writer();
  for (int i = 0; i < kills(); ++i) {
    INFO("kill " << i);
    story.sql("primary", {"DROP USER 'repl_user'@'%'"});
    story.caught_up();
    writer.must_write();
    kill_apply(story, part(std::chrono::milliseconds(30), i));
    writer.must_write();
    arrives(story);
  }
  CHECK(story.codes().empty());
  story.same_data();
}

TEST_CASE("a source that got data between a crash and the next run is refused, with the way on",
          "[live][crash]") {
  Story story(quickstart("position"));
  // The crash, made certain: the accounts are there, nothing else.
  for (const char* server : {"primary", "replica-1"})
    story.unlogged(server, {"CREATE USER 'repl_user'@'%' IDENTIFIED BY 'x'"});
  story.writer().must_write();
  const Ran apply = story.apply();
  INFO(apply.all());
  CHECK(apply.code == 3);
  CHECK(contains(apply.out, "replay"));
  Shape shape = quickstart("position");
  shape.servers[1].more = shape.servers[2].more = "provision = \"replay\"";
  story.rewrite(shape);
  arrives(story);
  story.writer().must_write();
  CHECK(story.codes().empty());
  story.same_data();
}

namespace {

// At FLUSH TABLES WITH READ LOCK of somebody else.
void a_step_waits(const Story& story) {
  eventually("a step waits", [&] {
    const std::string running = story.lines("replica-1", "SHOW PROCESSLIST");
    return contains(running, "Waiting for backup lock") || contains(running, "Waiting for global read lock");
  });
}

}  // namespace

TEST_CASE("Ctrl-C: what runs is finished, nothing else starts, the next run arrives",
          "[live][crash][signal]") {
  for (const int signal : {SIGINT, SIGTERM}) {
    Story story(quickstart("position"));
    // Held up at a place that is known: no account can be made on replica-1.
    auto holder = story.connect("replica-1");
    REQUIRE(holder);
    REQUIRE(holder->query("FLUSH TABLES WITH READ LOCK"));
    const auto running = story.start({"apply", story.file(), "--yes"});
    a_step_waits(story);
    running->signal(signal);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    CHECK(running->alive());
    REQUIRE(holder->query("UNLOCK TABLES"));
    const Ran ran = running->wait();
    INFO(ran.all());
    CHECK(ran.code == 130);
    CHECK(contains(ran.out, "not tried"));
    CHECK(story.slave("replica-1", "Slave_IO_Running").empty());
    CHECK(story.cell("replica-1", "SELECT COUNT(*) FROM mysql.user WHERE user = 'repl_user'") == "1");
    arrives(story);
    CHECK(story.codes().empty());
    story.writer().must_write();
    story.same_data();
  }
}

TEST_CASE("Ctrl-C twice: out at once, and the next run arrives", "[live][crash][signal]") {
  Story story(quickstart("position"));
  auto holder = story.connect("replica-1");
  REQUIRE(holder);
  REQUIRE(holder->query("FLUSH TABLES WITH READ LOCK"));
  const auto running = story.start({"apply", story.file(), "--yes"});
  a_step_waits(story);
  running->signal(SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  running->signal(SIGINT);
  CHECK(running->wait(std::chrono::seconds(2)).code == 130);
  REQUIRE(holder->query("UNLOCK TABLES"));
  arrives(story);
  CHECK(story.codes().empty());
  story.writer().must_write();
  story.same_data();
}

TEST_CASE("a server that dies in mid-apply stops only what needs it", "[live][crash][silent]") {
  Story story(quickstart("position"));
  auto holder = story.connect("replica-1");
  REQUIRE(holder);
  REQUIRE(holder->query("FLUSH TABLES WITH READ LOCK"));
  const pid_t pid = story.pid("replica-1");
  const auto running = story.start({"apply", story.file(), "--yes", "--format", "json"});
  a_step_waits(story);
  REQUIRE(::kill(pid, SIGKILL) == 0);
  const Ran ran = running->wait();
  INFO(ran.all());
  CHECK(ran.code == 5);
  CHECK(story.slave("replica-2", "Slave_SQL_Running") == "Yes");
  REQUIRE(story.sandbox_up().code == 0);
  arrives(story);
  CHECK(story.codes().empty());
  story.writer().must_write();
  story.same_data();
}

// A receiver that stops in the middle of a transaction leaves its first half in the relay log: the applier
// will never execute up to what was read, and need not, for the source sends it again.
TEST_CASE("a channel is changed while its receiver stands in the middle of a transaction",
          "[live][crash][mariadb]") {
  for (const char* mode : {"position", "gtid"}) {
    Shape shape = quickstart(mode);
    shape.step = "4s";
    Story story(shape);
    REQUIRE(story.apply().code == 0);
    story.make_app();
    story.caught_up();
    story.sql("replica-1", {"STOP SLAVE", "SET GLOBAL read_binlog_speed_limit = 16", "START SLAVE"});
    story.await("replica-1", "Slave_IO_Running", "Yes");
    std::vector<std::string> rows = {"START TRANSACTION"};
    for (int i = 0; i < 3000; ++i) rows.push_back("INSERT INTO app.t VALUES (1, REPEAT('x', 40))");
    rows.emplace_back("COMMIT");
    story.sql("primary", rows);
    eventually("half a transaction is received", [&] {
      return story.slave("replica-1", "Read_Master_Log_Pos") !=
             story.slave("replica-1", "Exec_Master_Log_Pos");
    });
    story.sql("replica-1", {"STOP SLAVE IO_THREAD", "SET GLOBAL read_binlog_speed_limit = 0"});
    REQUIRE(story.cell("replica-1", "SELECT COUNT(*) FROM app.t") == "0");

    Shape changed = shape;
    changed.replication += "\nconnect_retry = \"7s\"";
    story.rewrite(changed);
    const Ran apply = story.apply();
    INFO(mode << "\n" << apply.all());
    CHECK(apply.code == 0);
    arrives(story);
    CHECK(story.codes().empty());
    story.same_data();
    CHECK(story.cell("replica-1", "SELECT COUNT(*) FROM app.t") == "3000");
  }
}

}  // namespace stemma::live
