// Servers, connections and disks that fail in the middle of an apply, while a writer writes: the next run arrives, and
// not one row is lost or doubled. STEMMA_TEST_FAULTS=100 for a long run.
#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <random>

#include "tests/catch.h"
#include "tests/live/support_story.h"

namespace stemma::live {
namespace {

using std::chrono::milliseconds;

// Rounds of each story here; without a wish, each fault once.
int rounds(int normally) {
  const char* asked = std::getenv("STEMMA_TEST_FAULTS");
  return asked == nullptr ? normally : std::max(normally, std::atoi(asked));
}

struct Fault {
  const char* name;
  std::function<void(Story&, const std::string& server)> strike;
  bool forgets = false;  // the server starts anew, and has what its option file says
};

// A server that is going down may have closed its doors already.
void kill_connections(const Story& story, const std::string& server) {
  std::istringstream ids(story.lines(
      server, "SELECT id FROM information_schema.processlist WHERE user = 'stemma' AND command <> 'Daemon'"));
  for (std::string id; std::getline(ids, id, '\t'); ids.ignore()) {
    auto administrator = story.connect(server);
    if (administrator) static_cast<void>(administrator->query("KILL " + id));  // or it has just ended
  }
}

const std::vector<Fault>& faults() {
  static const std::vector<Fault> all = {
      {"killed and started again",
       [](Story& story, const std::string& server) {
         story.kill_server(server);
         REQUIRE(story.sandbox_up().code == 0);
       },
       true},
      {"stopped in its tracks for a second",
       [](Story& story, const std::string& server) {
         const pid_t pid = story.pid(server);
         REQUIRE(::kill(pid, SIGSTOP) == 0);
         std::this_thread::sleep_for(std::chrono::seconds(1));
         REQUIRE(::kill(pid, SIGCONT) == 0);
       }},
      {"its connections killed by an administrator", kill_connections},
      {"shut down and started again",
       [](Story& story, const std::string& server) {
         story.stop_server(server);
         REQUIRE(story.sandbox_up().code == 0);
       },
       true},
  };
  return all;
}

// A replica that replicates is read-only, unless it has just been started anew.
void one_writer(const Story& story, const std::string& but) {
  for (const char* replica : {"replica-1", "replica-2"})
    if (replica != but && story.slave(replica, "Slave_SQL_Running") == "Yes")
      CHECK(story.cell(replica, "SELECT @@read_only") == "1");
}

}  // namespace

// By GTID: MariaDB's relay-log.info is a file that a killed server may have left behind its data.
TEST_CASE("a server fails at any instant of a mend, while the writer writes", "[live][faults]") {
  Story story(quickstart("gtid"));
  for (const char* server :
       {"primary", "replica-1", "replica-2"})  // for relay logs that a kill leaves broken
    story.unlogged(server, {"GRANT RELOAD ON *.* TO 'stemma'@'%'"});
  REQUIRE(story.apply().code == 0);
  Writer& writer = story.writer();
  story.caught_up();
  disorder(story);
  const Ran whole = story.apply();
  INFO(whole.all());
  REQUIRE(whole.code == 0);

  std::mt19937 random{std::random_device{}()};
  const std::vector<std::string> servers = {"replica-1", "primary", "replica-2"};
  for (int round = 0; round < rounds(12); ++round) {
    const std::string server = servers[static_cast<std::size_t>(round) % 3];
    const Fault& fault = faults()[static_cast<std::size_t>(round / 3) % faults().size()];
    const auto moment =
        milliseconds(std::uniform_int_distribution<std::int64_t>(0, whole.took.count())(random));
    INFO("round " << round << ": " << server << " " << fault.name << " after " << moment.count() << " ms");
    disorder(story);
    writer.must_write();
    const auto running = story.start({"apply", story.file(), "--yes"});
    std::this_thread::sleep_for(moment);
    fault.strike(story, server);
    const Ran struck = running->wait();
    INFO(struck.all());
    CHECK((struck.code == 0 || struck.code == 5 || struck.code == 6));
    if (struck.code != 0) CHECK(contains(struck.all(), server));
    one_writer(story, fault.forgets ? server : "");
    writer.must_write();
    arrives(story);
    writer.must_write();
    CHECK(story.codes().empty());
  }
  CHECK(story.applied_steps().empty());
  story.same_data();
}

TEST_CASE("a server fails at any instant of the first apply", "[live][faults]") {
  const int per_fault = rounds(4) / 4;
  for (const Fault& fault : faults())
    for (int i = 0; i < per_fault; ++i) {
      const std::string server =
          std::vector<std::string>{"primary", "replica-1"}[static_cast<std::size_t>(i % 2)];
      Story story(quickstart("gtid"));
      const auto moment = milliseconds(20 + 15 * (i % 10));
      INFO(server << " " << fault.name << " after " << moment.count() << " ms");
      const auto running = story.start({"apply", story.file(), "--yes"});
      std::this_thread::sleep_for(moment);
      fault.strike(story, server);
      const Ran struck = running->wait();
      INFO(struck.all());
      CHECK((struck.code == 0 || struck.code == 5 || struck.code == 6));
      one_writer(story, fault.forgets ? server : "");
      arrives(story);
      CHECK(story.codes().empty());
      story.writer().must_write();
      story.same_data();
    }
}

// Each byte late, so that kills fall between what is sent and what is answered.
TEST_CASE("kill -9 at any instant of an apply over a slow network", "[live][faults][crash]") {
  constexpr int beyond = 5;
  Shape shape = quickstart("gtid");
  Story story(shape);
  std::vector<std::string> proxy = {STEMMA_PROXY, "20000"};
  for (const ServerLines& server : shape.servers)
    proxy.push_back(fmt::format("{}:{}", story.port(server.name) + beyond, story.port(server.name)));
  Running wire(proxy, {}, story.path("wire"));
  shape.by_way_of = beyond;
  story.rewrite(shape);
  const Ran whole = story.apply();
  INFO(whole.all());
  REQUIRE(whole.code == 0);
  Writer& writer = story.writer();
  story.caught_up();
  std::mt19937 random{std::random_device{}()};
  for (int round = 0; round < rounds(6); ++round) {
    const auto moment =
        milliseconds(std::uniform_int_distribution<std::int64_t>(0, whole.took.count())(random));
    INFO("round " << round << ": after " << moment.count() << " ms of " << whole.took.count());
    disorder(story);
    writer.must_write();
    const auto running = story.start({"apply", story.file(), "--yes"});
    std::this_thread::sleep_for(moment);
    running->signal(SIGKILL);
    running->wait();
    one_writer(story, "");
    writer.must_write();
    arrives(story);
    writer.must_write();
  }
  CHECK(story.codes().empty());
  CHECK(story.applied_steps().empty());
  story.same_data();
}

// Seen after kill -9 in the middle of START SLAVE, which begins new relay logs: error 1201 from then on.
TEST_CASE("a relay log that a crash has left broken", "[live][faults][mariadb]") {
  for (const char* mode : {"gtid", "position"}) {
    Story story(quickstart(mode));
    REQUIRE(story.apply().code == 0);
    // In no file: RESET SLAVE would forget it.
    story.sql("replica-1", {"STOP SLAVE", "CHANGE MASTER TO MASTER_DELAY = 1", "START SLAVE"});
    Writer& writer = story.writer();
    story.caught_up();
    story.sql("replica-1", {"STOP SLAVE"});
    const std::string data = story.cell("replica-1", "SELECT @@datadir");
    story.kill_server("replica-1");
    for (const auto& entry : std::filesystem::directory_iterator(data))
      if (entry.path().filename().string().starts_with("relay-bin.0")) std::filesystem::remove(entry.path());
    REQUIRE(story.sandbox_up().code == 0);
    writer.must_write();
    if (std::string(mode) == "gtid") {
      // RESET SLAVE wants a privilege that nothing else does.
      const Ran refused = story.stemma({"apply", "--yes"});
      INFO(refused.all());
      CHECK(refused.code == 5);
      CHECK(contains(refused.all(), "grant RELOAD to the account of [admin] on replica-1"));
      story.unlogged("replica-1", {"GRANT RELOAD ON *.* TO 'stemma'@'%'"});
    } else {
      const std::string stood = story.slave("replica-1", "Exec_Master_Log_Pos");
      const Ran refused = story.apply();
      INFO(refused.all());
      CHECK(refused.code == 5);
      const std::string by_hand =
          "CHANGE MASTER TO MASTER_LOG_FILE = 'mysql-bin.000001', MASTER_LOG_POS = " + stood +
          ", MASTER_DELAY = 1";
      CHECK(contains(story.stemma({"apply", "--yes", "-v"}).all(), by_hand));
      story.sql("replica-1", {"RESET SLAVE", by_hand});
    }
    arrives(story);
    CHECK(story.slave("replica-1", "SQL_Delay") == "1");
    CHECK(story.codes().empty());
    CHECK(story.applied_steps().empty());
    story.same_data();
  }
}

// A disk that lies: the receiver runs on, the applier stops at what it can't read.
TEST_CASE("a relay log that is damaged below a running receiver", "[live][faults]") {
  const std::string mode = GENERATE(as<std::string>(), "gtid", "position");
  INFO(mode);
  Story story(quickstart(mode));
  REQUIRE(story.apply().code == 0);
  story.make_app();
  story.caught_up();
  story.sql("replica-1", {story.spoken("STOP SLAVE SQL_THREAD")});
  const auto received = [&] { return story.slave("replica-1", "Read_Master_Log_Pos"); };
  const std::string before = received();
  for (int i = 0; i < 20; ++i) story.sql("primary", {fmt::format("INSERT INTO app.t (n) VALUES ({})", i)});
  eventually("rows are received", [&] { return received() != before; });
  const std::string place = story.slave("replica-1", "Relay_Log_Pos");
  const auto file = std::filesystem::path(story.cell("replica-1", "SELECT @@datadir")) /
                    story.slave("replica-1", "Relay_Log_File");
  {
    std::fstream damaged(file, std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(std::stoll(place));
    damaged << std::string(40, '\0') << std::flush;
    REQUIRE(damaged);
  }
  story.sql("replica-1", {story.spoken("START SLAVE SQL_THREAD")});
  eventually("the applier fails", [&] { return story.slave("replica-1", "Last_SQL_Errno") != "0"; });
  CHECK(story.slave("replica-1", "Slave_IO_Running") == "Yes");

  const std::string drift = story.stemma({"drift"}).all();
  INFO(drift);
  CHECK(contains(drift, "its relay log can't be read"));
  if (mode == "position" || story.flavor() == Flavor::mysql) {
    const Ran refused = story.apply();
    INFO(refused.all());
    CHECK(refused.code == 5);
    if (mode == "gtid") {
      CHECK(contains(drift, "RESET REPLICA"));
      story.sql("replica-1", {story.spoken("STOP SLAVE"), story.spoken("RESET SLAVE")});
    } else {
      const std::string log = story.slave("replica-1", "Relay_Master_Log_File");
      const std::string at = story.slave("replica-1", "Exec_Master_Log_Pos");
      CHECK(contains(drift, fmt::format("stands at {}:{}", log, at)));
      story.sql("replica-1", {story.spoken("STOP SLAVE"),
                              story.spoken(fmt::format(
                                  "CHANGE MASTER TO MASTER_LOG_FILE = '{}', MASTER_LOG_POS = {}", log, at))});
    }
  }
  arrives(story);
  CHECK(story.codes().empty());
  CHECK(story.applied_steps().empty());
  story.same_data();
  CHECK(story.cell("replica-1", "SELECT COUNT(*) FROM app.t") == "20");
}

TEST_CASE("an apply whose lock an administrator kills goes no further", "[live][faults][lock]") {
  Story story(quickstart("position"));
  auto holder = story.connect("replica-1");
  REQUIRE(holder);
  REQUIRE(holder->query("FLUSH TABLES WITH READ LOCK"));
  const auto running = story.start({"apply", story.file(), "--yes", "--parallelism", "1"});
  eventually("a step waits",
             [&] { return contains(story.lines("replica-1", "SHOW PROCESSLIST"), "Waiting for"); });
  const std::string lock = story.cell("replica-1", "SELECT IS_USED_LOCK('stemma.apply')");
  REQUIRE(lock != "NULL");
  story.sql("replica-1", {"KILL " + lock});
  REQUIRE(holder->query("UNLOCK TABLES"));
  const Ran ran = running->wait();
  INFO(ran.all());
  CHECK(ran.code == 5);
  CHECK(contains(ran.all(), "the apply lock on replica-1 was lost"));
  // Not even on the servers whose locks it still had.
  CHECK(story.slave("replica-2", "Slave_SQL_Running") != "Yes");
  arrives(story);
  CHECK(story.codes().empty());
}

TEST_CASE("a server that is out of connections, before an apply and in the middle of it",
          "[live][faults][silent]") {
  Story story(quickstart("position"));
  REQUIRE(story.apply().code == 0);
  Writer& writer = story.writer();
  story.caught_up();
  const std::string usual = story.cell("replica-1", "SELECT @@max_connections");
  auto root = story.connect("replica-1");
  REQUIRE(root);
  std::vector<mysql::Connection> taken;
  const auto take_all = [&] {
    REQUIRE(root->query("SET GLOBAL max_connections = 10"));
    for (;;) {
      auto one = story.connect("replica-1");
      if (!one) break;
      taken.push_back(std::move(*one));
      REQUIRE(taken.size() < 100);
    }
  };
  const auto give_back = [&] {
    taken.clear();
    REQUIRE(root->query("SET GLOBAL max_connections = " + usual));
  };

  disorder(story);
  take_all();
  writer.must_write();
  const Ran plan = story.stemma({"plan"});
  INFO(plan.all());
  CHECK(plan.code == 6);
  CHECK(contains(plan.all(), "raise max_connections"));
  const Ran apply = story.stemma({"apply", "--yes"});
  INFO(apply.all());
  CHECK(apply.code == 6);
  CHECK(story.slave("replica-2", "Slave_SQL_Running") == "Yes");
  give_back();
  writer.must_write();
  arrives(story);
  CHECK(story.codes().empty());

  // In the middle: the connections of the apply are killed, and others are faster than it.
  disorder(story);
  REQUIRE(root->query("FLUSH TABLES WITH READ LOCK"));
  const auto running = story.start({"apply", story.file(), "--yes"});
  eventually("the apply is at work",
             [&] { return story.cell("replica-1", "SELECT IS_USED_LOCK('stemma.apply')") != "NULL"; });
  take_all();
  const auto of_stemma = root->query("SELECT id FROM information_schema.processlist WHERE user = 'stemma'");
  REQUIRE(of_stemma);
  for (const auto& row : of_stemma->rows) static_cast<void>(root->query("KILL " + row[0].value_or("")));
  take_all();
  REQUIRE(root->query("UNLOCK TABLES"));
  const Ran struck = running->wait();
  INFO(struck.all());
  CHECK((struck.code == 5 || struck.code == 6));
  CHECK(contains(struck.all(), "replica-1"));
  give_back();
  writer.must_write();
  arrives(story);
  CHECK(story.codes().empty());
  CHECK(story.applied_steps().empty());
  story.same_data();
}

namespace {

// apply with its journal on a disk of two pages, the first `taken` bytes of which are in use. The disk is copied to
// `after` before it goes away.
std::unique_ptr<Running> apply_on_a_small_disk(Story& story, const std::string& taken,
                                               const std::string& after) {
  const char* script =
      "mkdir -p \"$0/disk\" && mount -t tmpfs -o size=8k none \"$0/disk\" && head -c \"$1\" /dev/zero "
      ">\"$0/disk/ballast\"\n"
      "after=$2\n"
      "shift 2\n"
      "\"$@\" --journal \"$0/disk/journal\"\n"
      "code=$?\n"
      "cp -r \"$0/disk\" \"$after\"\n"
      "exit $code";
  return story.start(
      {"apply", story.file(), "--yes", "--format", "json"},
      {"unshare", "--mount", "--map-root-user", "sh", "-c", script, story.path(""), taken, after});
}

}  // namespace

TEST_CASE("the journal's disk is full: nothing starts that could not be written down",
          "[live][faults][journal]") {
  Shape shape = quickstart("position");
  for (const char* more : {"replica-3", "replica-4"}) shape.servers.push_back({more, "primary", ""});
  Story story(shape);
  const std::string before = story.snapshot();
  const Ran none = apply_on_a_small_disk(story, "8192", story.path("none"))->wait();
  INFO(none.all());
  CHECK(none.code == 1);
  CHECK(contains(none.err, "No space left on device"));
  CHECK(story.snapshot() == before);

  const Ran some = apply_on_a_small_disk(story, "4096", story.path("some"))->wait();
  INFO(some.all());
  CHECK(some.code == 5);
  CHECK(contains(some.err, "No space left on device"));
  CHECK(contains(some.err, "free some space"));
  // What was done had been written down first.
  std::string journal;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(story.path("some")))
    if (entry.path().extension() == ".jsonl") journal = read_text(entry.path());
  int done = 0;
  const json document = some.document();
  for (const json& step : document.at("steps"))
    if (step.at("state") == "done") {
      ++done;
      const std::string id = step.at("id");
      INFO(id << " in\n" << journal);
      bool written = false;
      std::istringstream lines(journal);
      for (std::string line; std::getline(lines, line);)
        written = written || (contains(line, "step-started") && contains(line, '"' + id + '"'));
      CHECK(written);
    }
  CHECK(done > 0);
  arrives(story);
  CHECK(story.codes().empty());
  story.writer().must_write();
  story.same_data();
}

TEST_CASE("a clock that is set back in the middle of an apply", "[live][faults][clock]") {
  Story story(quickstart("position"));
  // One more second back with each look at it.
  const Ran back = story
                       .start({"apply", story.file(), "--yes"},
                              {"env", "DONT_FAKE_MONOTONIC=1", "ASAN_OPTIONS=verify_asan_link_order=0",
                               "faketime", "-f", "-0 i-1.0"})
                       ->wait();
  INFO(back.all());
  CHECK(back.code == 0);
  CHECK(story.codes().empty());
  CHECK(story.applied_steps().empty());
  const Ran log = story.run({"log", story.file()});
  INFO(log.all());
  CHECK(log.code == 0);
}

}  // namespace stemma::live
