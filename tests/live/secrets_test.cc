// Passwords that are hard to quote: they work, and nobody ever sees them.
#include <sys/stat.h>

#include "tests/catch.h"
#include "tests/live/support_story.h"

namespace stemma::live {
namespace {

namespace fs = std::filesystem;

// What no quoting can hide.
const char* const kMarks[] = {"AdminSecret4711", "ReplicaSecret0815", "FormerSecret1234"};

void no_secret(const std::string& text) {
  for (const char* mark : kMarks) {
    INFO(mark);
    CHECK_FALSE(contains(text, mark));
  }
}

void no_secret_below(const fs::path& directory) {
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    INFO(entry.path());
    no_secret(read_text(entry.path()));
  }
}

unsigned mode_of(const fs::path& file) {
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  return status.st_mode & 0777U;
}

}  // namespace

TEST_CASE("no secret is in any output, plan, journal or binlog", "[live][secrets]") {
  Shape shape = quickstart("position");
  // The replication password from a file, as Kubernetes hands it over: with a line end behind it.
  shape.replication = "password = { file = \"repl.password\" }";
  const std::string replication = "r'p\\w\"d`ReplicaSecret0815 ä%s;-";
  Story story(shape, {{"LIVE_ADMIN_PASSWORD", "pa'ss\\word\"xAdminSecret4711 ;#"}});
  write_text(story.path("repl.password"), replication + "\n");
  fs::permissions(story.path("repl.password"), fs::perms::owner_read | fs::perms::owner_write);

  const std::string plan = story.path("saved.plan");
  const auto run = [&](const std::vector<std::string>& arguments) {
    Ran ran = story.stemma(arguments);
    INFO(arguments.front() << " → " << ran.code);
    no_secret(ran.all());
    return ran;
  };
  const auto look = [&] {
    for (const char* format : {"text", "json", "markdown", "sql", "dot", "mermaid"})
      run({"plan", "-v", "--format", format});
    for (const char* command : {"drift", "status"})
      for (const char* format : {"text", "json"}) run({command, "-v", "--format", format});
    run({"validate", "-v"});
    CHECK(run({"plan", "-v", "-o", plan}).code == 0);
    CHECK(mode_of(plan) == 0600);
    no_secret(read_text(plan));
  };
  look();
  const Ran applied = story.run({"apply", plan, "--yes", "-v"});
  INFO(applied.all());
  no_secret(applied.all());
  REQUIRE(applied.code == 0);
  CHECK(run({"verify", "-v"}).code == 0);
  story.writer().must_write();
  for (const char* replica : {"replica-1", "replica-2"})
    CHECK(story.slave(replica, "Slave_IO_Running") == "Yes");
  CHECK(story.codes().empty());

  // The receiver is refused: its error is shown, and names nobody's password.
  story.sql("primary", {"SET PASSWORD FOR 'repl_user'@'%' = PASSWORD('FormerSecret1234')"});
  story.caught_up();
  story.sql("replica-1", {"STOP SLAVE IO_THREAD", "START SLAVE IO_THREAD"});
  story.await("replica-1", "Last_IO_Errno", "1045");
  look();
  const Ran mended = run({"apply", "--yes", "-v"});
  INFO(mended.all());
  CHECK(mended.code == 0);
  story.writer().must_write();

  // A login that is refused, a command that fails.
  story.environment["LIVE_WRONG_PASSWORD"] = "wrong'FormerSecret1234";
  Shape wrong = shape;
  wrong.servers[2].more = "admin = { user = \"root\", password = { env = \"LIVE_WRONG_PASSWORD\" } }";
  story.rewrite(wrong);
  run({"drift", "-v"});
  run({"plan", "-v"});
  run({"apply", "--yes", "-v"});
  run({"verify", "-v"});
  story.rewrite(shape);
  story.same_data();

  no_secret_below(story.state_home());
  std::size_t journals = 0;
  for (const auto& entry : fs::recursive_directory_iterator(story.state_home())) {
    if (!entry.is_regular_file()) continue;
    INFO(entry.path());
    CHECK(mode_of(entry.path()) == 0600);
    journals += entry.path().extension() == ".jsonl" ? 1 : 0;
  }
  CHECK(journals >= 2);
  // What stemma wrote went past the binlogs; the operator's own SET PASSWORD is there as a hash.
  for (const auto& entry : fs::recursive_directory_iterator(story.sandbox()))
    if (entry.is_regular_file() && contains(entry.path().filename(), "mysql-bin.0")) {
      INFO(entry.path());
      no_secret(read_text(entry.path()));
    }
}

TEST_CASE("the password is in no process title", "[live][secrets]") {
  Story story(quickstart("position"));
  auto holder = story.connect("replica-1");
  REQUIRE(holder);
  REQUIRE(holder->query("SELECT GET_LOCK('stemma.apply', 0)"));
  const auto waiting = story.start({"apply", story.file(), "--yes", "--lock-timeout", "20s"});
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string title = read_text(entry.path() / "cmdline");
    if (!contains(title, story.file())) continue;
    CHECK_FALSE(contains(title, "secret"));
  }
  REQUIRE(holder->query("SELECT RELEASE_LOCK('stemma.apply')"));
  CHECK(waiting->wait().code == 0);
}

TEST_CASE("a plan with a literal secret is not saved, and works all the same", "[live][secrets]") {
  Shape shape = quickstart("position");
  shape.replication = "password = \"ReplicaSecret0815\"";
  Story story(shape);
  const Ran saved = story.stemma({"plan", "-o", story.path("saved.plan")});
  INFO(saved.all());
  CHECK(saved.code == 1);
  CHECK_FALSE(fs::exists(story.path("saved.plan")));
  CHECK(contains(saved.err, "can't be saved"));
  no_secret(saved.all());
  const Ran apply = story.stemma({"apply", "--yes", "-v"});
  INFO(apply.all());
  CHECK(apply.code == 0);
  no_secret(apply.all());
  no_secret_below(story.state_home());
}

TEST_CASE("a plan's secret command runs only when the topology file vouches for it", "[live][secrets]") {
  Shape shape = quickstart("position");
  shape.replication = "password = { command = [\"sh\", \"-c\", \"touch $RAN; cat $FROM\"] }";
  Story story(shape);
  write_text(story.path("repl.password"), "ReplicaSecret0815\n");
  story.environment["FROM"] = story.path("repl.password").string();
  const fs::path ran = story.path("ran");
  story.environment["RAN"] = ran.string();
  const std::string plan = story.path("saved.plan");
  REQUIRE(story.stemma({"plan", "-o", plan}).code == 0);
  fs::remove(ran);
  const Ran alone = story.run({"apply", plan, "--yes"});
  INFO(alone.all());
  CHECK(alone.code == 1);
  CHECK(contains(alone.err, "--topology"));
  CHECK_FALSE(fs::exists(ran));
  const Ran vouched = story.run({"apply", plan, "--yes", "--topology", story.file()});
  INFO(vouched.all());
  CHECK(vouched.code == 0);
  CHECK(fs::exists(ran));
  no_secret(alone.all() + vouched.all() + read_text(plan));
  no_secret_below(story.state_home());
}

TEST_CASE("validate resolves no secret; plan and drift can do without the replicas' one", "[live][secrets]") {
  Shape shape = quickstart("position");
  Story story(shape);
  REQUIRE(story.apply().code == 0);
  shape.replication = "password = { env = \"LIVE_UNSET_PASSWORD\" }";
  story.rewrite(shape);
  CHECK(story.stemma({"validate"}).code == 0);
  const Ran drift = story.stemma({"drift", "--format", "json"});
  INFO(drift.all());
  CHECK(drift.code == 0);
  bool told = false;
  const json document = drift.document();
  for (const json& finding : document["findings"])
    told = told || (finding["code"] == "user.password" && finding["severity"] == "info");
  CHECK(told);
  const std::string before = story.snapshot();
  const Ran apply = story.stemma({"apply", "--yes"});
  CHECK(apply.code == 1);
  CHECK(contains(apply.err, "LIVE_UNSET_PASSWORD"));
  CHECK(story.snapshot() == before);
}

}  // namespace stemma::live
