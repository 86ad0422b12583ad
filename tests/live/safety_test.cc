// What stemma refuses, what it says then, and that it has not touched anything.
#include <algorithm>

#include "tests/catch.h"
#include "tests/live/support_story.h"

namespace stemma::live {
namespace {

Codes refusals(Story& story) {
  Codes codes;
  const json plan = story.stemma({"plan", "--format", "json"}).document();
  for (const json& refusal : plan.at("refusals"))
    codes.push_back(refusal.at("server").get<std::string>() + " " + refusal.at("code").get<std::string>());
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  return codes;
}

// plan and apply both say no with these codes and these words, and nothing is changed anywhere.
void refused(Story& story, const Codes& codes, const std::vector<std::string>& words) {
  const std::string before = story.snapshot();
  const Ran plan = story.stemma({"plan"});
  INFO(plan.all());
  CHECK(plan.code == 3);
  CHECK(refusals(story) == codes);
  for (const std::string& code : codes) CHECK(contains(plan.all(), code.substr(code.find(' ') + 1)));
  for (const std::string& word : words) {
    INFO(word);
    CHECK(contains(plan.all(), word));
  }
  const Ran apply = story.stemma({"apply", "--yes"});
  INFO(apply.all());
  CHECK(apply.code == 3);
  CHECK(story.apply().code == 3);
  CHECK(story.snapshot() == before);
}

const std::vector<std::string> kShop = {"CREATE DATABASE shop",
                                        "CREATE TABLE shop.orders (id INT PRIMARY KEY)",
                                        "INSERT INTO shop.orders VALUES (1), (2), (3)"};

std::string coordinates_of(const Story& story, const std::string& server) {
  const std::string line = story.lines(server, "SHOW MASTER STATUS");
  const auto tab = line.find('\t');
  return line.substr(0, tab) + ":" + line.substr(tab + 1, line.find('\t', tab + 1) - tab - 1);
}

// A binlog that a dump thread or a checkpoint still needs is left where it is, with a warning only.
void purge_first_binlog(const Story& story) {
  eventually("the first binlog can be purged", [&] {
    story.sql("primary", {"PURGE BINARY LOGS TO 'mysql-bin.000002'"});
    return !contains(story.lines("primary", "SHOW BINARY LOGS"), "mysql-bin.000001");
  });
}

Shape with_provision(const std::string& lines, const std::string& coordinates = "position") {
  Shape shape = quickstart(coordinates);
  shape.servers[1].more = shape.servers[2].more = lines;
  return shape;
}

std::string orders(const Story& story, const std::string& server) {
  return story.lines(server, "SELECT id FROM shop.orders ORDER BY id");
}

void same_orders(const Story& story) {
  const std::string wanted = orders(story, "primary");
  for (const char* replica : {"replica-1", "replica-2"})
    eventually(std::string(replica) + " has the same orders", [&] {
      return story.cell(replica,
                        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'shop'") ==
                 "1" &&
             orders(story, replica) == wanted;
    });
}

}  // namespace

TEST_CASE("a source with data and replicas without are refused", "[live][safety]") {
  for (const char* mode : {"position", "gtid"}) {
    Story story(quickstart(mode));
    story.sql("primary", kShop);
    story.sql("primary", {"CREATE DATABASE crm"});
    refused(story, {"replica-1 replica.data-missing", "replica-2 replica.data-missing"},
            {"shop", "crm", "assume-identical", "replay"});
  }
}

TEST_CASE("one refusal stops the whole apply", "[live][safety]") {
  Story story(quickstart("position"));
  REQUIRE(story.apply().code == 0);
  story.make_app();
  story.caught_up();
  story.sql("replica-1", {"STOP SLAVE", "RESET SLAVE ALL", "SET GLOBAL gtid_slave_pos = ''", "RESET MASTER"});
  story.sql("replica-2", {"STOP SLAVE"});
  refused(story, {"replica-1 replica.data-missing"}, {"app"});
}

// The threads go on saying Yes, and the status 0 seconds.
TEST_CASE("a source reset beneath its running replicas", "[live][safety][server]") {
  for (const char* mode : {"position", "gtid"}) {
    Story story(quickstart(mode));
    REQUIRE(story.apply().code == 0);
    story.writer().must_write();
    story.stop_writing();
    story.caught_up();
    CHECK(story.codes().empty());
    story.sql("primary", {"RESET MASTER", "INSERT INTO app.t VALUES (-1, 'lost')"});
    const Ran status = story.stemma({"status", "--format", "json"});
    INFO(status.all());
    const json document = status.document();
    for (const json& server : document["servers"])
      if (server.contains("relation")) CHECK(server["relation"]["to_source"] == "diverged");
    refused(story, {"replica-1 replica.diverged", "replica-2 replica.diverged"}, {"RESET MASTER", "anew"});
  }
}

TEST_CASE("an account that only the source has is data, too", "[live][safety]") {
  Story story(quickstart("position"));
  story.sql("primary", {"CREATE USER 'shop'@'%' IDENTIFIED BY 'x'"});
  refused(story, {"replica-1 replica.data-missing", "replica-2 replica.data-missing"}, {"shop"});
}

TEST_CASE("a schema named as the canary's is data all the same", "[live][safety][data]") {
  Shape shape = quickstart("position");
  shape.rest = "[verify]\ndatabase = \"shop\"\n";
  Story story(std::move(shape));
  story.sql("primary", kShop);
  refused(story, {"replica-1 replica.data-missing", "replica-2 replica.data-missing"}, {"shop"});
}

TEST_CASE("a role that the replica would lack is missed like an account", "[live][safety][data][mariadb]") {
  Story story(quickstart("position"));
  story.sql("primary", {"CREATE ROLE app_role"});
  refused(story, {"replica-1 replica.data-missing", "replica-2 replica.data-missing"}, {"app_role"});
}

TEST_CASE("a replica that has data which its source lacks is refused", "[live][safety]") {
  Story story(quickstart("position"));
  story.sql("replica-1", kShop);
  refused(story, {"replica-1 replica.errant-transactions"}, {"shop"});
}

TEST_CASE("assume-identical takes the user's word", "[live][safety][provision]") {
  for (const char* mode : {"position", "gtid"}) {
    INFO(mode);
    Story story(with_provision("provision = \"assume-identical\"", mode));
    for (const char* server : {"primary", "replica-1", "replica-2"}) story.unlogged(server, kShop);
    const Ran plan = story.stemma({"plan"});
    INFO(plan.all());
    CHECK(plan.code == 0);
    CHECK(contains(plan.out, "assume-identical"));
    const Ran apply = story.apply();
    INFO(apply.all());
    REQUIRE(apply.code == 0);
    story.sql("primary", {"INSERT INTO shop.orders VALUES (4)"});
    same_orders(story);
    // Left in the file it is no drift, but worth a word.
    CHECK(story.codes().empty());
    CHECK(story.applied_steps().empty());
    CHECK(contains(story.stemma({"plan"}).out, "no longer used"));
    story.writer().must_write();
    story.same_data();
  }
}

TEST_CASE("assume-identical where the names differ is refused", "[live][safety][provision]") {
  Story story(with_provision("provision = \"assume-identical\""));
  for (const char* server : {"primary", "replica-1"}) story.unlogged(server, kShop);
  refused(story, {"replica-2 replica.data-missing"}, {"shop"});
}

TEST_CASE("assume-identical holds for the coordinates of the plan only", "[live][safety][provision]") {
  Story story(with_provision("provision = \"assume-identical\""));
  for (const char* server : {"primary", "replica-1", "replica-2"}) story.unlogged(server, kShop);
  const std::string saved = story.path("saved.plan");
  REQUIRE(story.stemma({"plan", "-o", saved}).code == 0);
  story.sql("primary", {"INSERT INTO shop.orders VALUES (4)"});
  const std::string before = story.snapshot();
  const Ran apply = story.run({"apply", saved, "--yes"});
  INFO(apply.all());
  CHECK(apply.code == 4);
  CHECK(contains(apply.all(), "primary.coordinates: "));
  CHECK(story.snapshot() == before);
}

TEST_CASE("a restored backup says where it stands", "[live][safety][provision]") {
  for (const bool gtid : {false, true}) {
    Story story(quickstart("position"));
    story.sql("primary", kShop);
    const std::string at =
        gtid ? story.cell("primary", "SELECT @@gtid_binlog_pos") : coordinates_of(story, "primary");
    INFO(at);
    for (const char* replica : {"replica-1", "replica-2"}) story.unlogged(replica, kShop);
    story.sql("primary", {"INSERT INTO shop.orders VALUES (4)"});
    story.rewrite(with_provision("provision = \"assume-identical\"\nat = \"" + at + "\""));
    const Ran apply = story.apply();
    INFO(apply.all());
    REQUIRE(apply.code == 0);
    story.sql("primary", {"INSERT INTO shop.orders VALUES (5)"});
    same_orders(story);
    CHECK(story.codes().empty());
    CHECK(story.applied_steps().empty());
    CHECK(story.slave("replica-1", "Using_Gtid") == "No");
  }
}

TEST_CASE("replay attaches replicas to a source with data", "[live][safety][provision]") {
  for (const char* mode : {"position", "gtid"}) {
    INFO(mode);
    Story story(with_provision("provision = \"replay\"", mode));
    story.sql("primary", kShop);
    story.sql("primary", {"FLUSH BINARY LOGS", "CREATE USER 'shop'@'%' IDENTIFIED BY 'x'"});
    story.writer().must_write();
    const Ran apply = story.apply();
    INFO(apply.all());
    REQUIRE(apply.code == 0);
    story.writer().must_write();
    same_orders(story);
    story.same_data();
    CHECK(story.codes().empty());
    CHECK(story.applied_steps().empty());
  }
}

TEST_CASE("replay of a source that made the account itself", "[live][safety][provision][account]") {
  Shape shape = with_provision("provision = \"replay\"");
  shape.admin = kRoot;  // only who may grant a privilege may revoke it
  Story story(shape);
  story.sql("primary", kShop);
  story.sql("primary",
            {"CREATE USER 'repl_user'@'%' IDENTIFIED BY 'x'", "GRANT SELECT ON *.* TO 'repl_user'@'%'"});
  // What the replicas will have replayed is known afterwards only: then the account is mended there, too.
  const Ran apply = story.apply();
  INFO(apply.all());
  CHECK((apply.code == 0 || apply.code == 5));
  same_orders(story);
  story.applied_steps();
  CHECK(story.codes().empty());
  CHECK(story.applied_steps().empty());
}

TEST_CASE("the account was made at the source before anybody thought of replicas",
          "[live][safety][account]") {
  for (const char* mode : {"position", "gtid"}) {
    INFO(mode);
    Story story(quickstart(mode));
    story.sql("primary", {"CREATE USER 'repl_user'@'%' IDENTIFIED BY 'x'"});
    const Ran apply = story.apply();
    INFO(apply.all());
    REQUIRE(apply.code == 0);
    story.writer().must_write();
    CHECK(story.codes().empty());
    CHECK(story.applied_steps().empty());
    // What breaks replicas that lack the account: 1133.
    story.sql("primary", {"SET PASSWORD FOR 'repl_user'@'%' = PASSWORD('other')"});
    story.caught_up();
    CHECK_FALSE(story.applied_steps().empty());
    CHECK(story.codes().empty());
    story.same_data();
  }
}

TEST_CASE("replay is refused when binlogs were purged", "[live][safety][provision]") {
  Story story(with_provision("provision = \"replay\""));
  story.sql("primary", kShop);
  story.sql("primary", {"FLUSH BINARY LOGS"});
  purge_first_binlog(story);
  refused(story, {"replica-1 replica.binlog-gone", "replica-2 replica.binlog-gone"}, {"mysql-bin.000002"});
}

TEST_CASE("two servers with one server_id", "[live][safety][identity]") {
  Shape shape = quickstart("position");
  shape.server_ids = false;
  Story story(shape);
  story.restart("replica-2", {"--server-id=" + story.cell("replica-1", "SELECT @@server_id")});
  refused(story, {"replica-2 server.id-duplicate"}, {"server_id = ", "[mysqld]"});
}

TEST_CASE("a server with another server_id than declared", "[live][safety][identity]") {
  Story story(quickstart("position"));
  story.restart("replica-2", {"--server-id=77"});
  refused(story, {"replica-2 server.id-differs"}, {"77", "server_id = 3"});
}

namespace {

// MySQL 5.6 does not start with GTIDs and without its binlogs.
Shape without_gtids(Shape shape) {
  if (test::on_mysql()) shape.options.emplace_back("--gtid-mode=OFF");
  return shape;
}

}  // namespace

TEST_CASE("a source without a binlog", "[live][safety][identity]") {
  Story story(without_gtids(quickstart("position")));
  story.restart("primary", {"--skip-log-bin"});
  refused(story, {"primary server.binlog-off"}, {"log_bin = mysql-bin"});
}

TEST_CASE("a middle that does not log what it replicates", "[live][safety][identity]") {
  Story story(without_gtids(chain("position")));
  story.restart("middle", {"--skip-log-slave-updates"});
  refused(story, {"middle server.log-updates-off"}, {"log_slave_updates = ON"});
}

TEST_CASE("a declared root that replicates", "[live][safety]") {
  Story story(quickstart("position"));
  REQUIRE(story.apply().code == 0);
  story.make_app();
  story.caught_up();
  story.sql("primary", {"CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = " +
                        std::to_string(story.port("replica-1")) + ", MASTER_USER = 'repl_user'"});
  refused(story, {"primary source.has-channel"}, {"root"});
}

TEST_CASE("an admin account that may only look", "[live][safety][privileges]") {
  Story story(quickstart("position"));
  const auto on_all = [&](const std::vector<std::string>& statements) {
    for (const char* server : {"primary", "replica-1", "replica-2"}) story.unlogged(server, statements);
  };
  Shape shape = quickstart("position");
  shape.admin = "user = \"looker\"\npassword = { env = \"LIVE_LOOKER_PASSWORD\" }";
  story.environment["LIVE_LOOKER_PASSWORD"] = "looks";
  story.rewrite(shape);

  on_all({"CREATE USER 'looker'@'%' IDENTIFIED BY 'looks'",
          test::on_mysql()
              ? "GRANT SELECT, REPLICATION CLIENT, REPLICATION SLAVE, SHOW DATABASES ON *.* TO 'looker'@'%'"
              : "GRANT SELECT, BINLOG MONITOR, SLAVE MONITOR, REPLICATION MASTER ADMIN, SHOW DATABASES ON "
                "*.* TO "
                "'looker'@'%'"});
  refused(story,
          {"primary server.privilege-missing", "replica-1 server.privilege-missing",
           "replica-2 server.privilege-missing"},
          {"GRANT ", "CREATE USER", "TO 'looker'@"});
  on_all({"REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'looker'@'%'", "GRANT SELECT ON *.* TO 'looker'@'%'"});
  const Ran drift = story.stemma({"drift", "--format", "json"});
  INFO(drift.all());
  CHECK(contains(drift.out, "server.privilege-missing"));
  CHECK(contains(drift.out, "GRANT "));
  refused(story,
          {"primary server.privilege-missing", "replica-1 server.privilege-missing",
           "replica-2 server.privilege-missing"},
          {"GRANT ", "TO 'looker'@"});
}

TEST_CASE("a conflicting row stops the applier: reported, never stepped over", "[live][safety][applier]") {
  for (const char* mode : {"position", "gtid"}) {
    INFO(mode);
    Story story(quickstart(mode));
    REQUIRE(story.apply().code == 0);
    story.writer();
    story.sql("primary", {"CREATE TABLE app.u (id INT PRIMARY KEY, who VARCHAR(20))"});
    story.caught_up();
    story.unlogged("replica-1", {"INSERT INTO app.u VALUES (1, 'replica')"});
    story.sql("primary", {"INSERT INTO app.u VALUES (1, 'primary')"});
    story.await("replica-1", "Last_SQL_Errno", "1062");
    const auto where = [&] {  // beside a worker that failed, MySQL's others may still write their place down
      return test::on_mysql() ? story.cell("replica-1", "SELECT @@gtid_executed")
                              : story.slave("replica-1", "Exec_Master_Log_Pos") + " " +
                                    story.cell("replica-1", "SELECT @@gtid_slave_pos");
    };
    const std::string stands = where();
    story.writer().must_write();

    const Ran drift = story.stemma({"drift"});
    INFO(drift.all());
    CHECK(drift.code == 2);
    CHECK(has(story.codes(), "replica-1 replica.applier-error"));
    CHECK(contains(drift.out, "1062"));
    CHECK(contains(drift.out, "Duplicate entry"));
    const Ran apply = story.apply();
    INFO(apply.all());
    CHECK(apply.code == 5);
    CHECK(contains(apply.out, "1062"));
    CHECK(where() == stands);
    CHECK(story.cell("replica-1", "SELECT who FROM app.u") == "replica");
    CHECK(story.slave("replica-2", "Slave_SQL_Running") == "Yes");

    story.writer().must_write();
    story.unlogged("replica-1", {"DELETE FROM app.u"});
    const Ran again = story.apply();
    INFO(again.all());
    CHECK(again.code == 0);
    story.writer().must_write();
    CHECK(story.codes().empty());
    story.same_data();
  }
}

TEST_CASE("a replica with rows of its own is not attached blindly again", "[live][safety]") {
  Story story(quickstart("gtid"));
  REQUIRE(story.apply().code == 0);
  story.make_app();
  story.caught_up();
  story.sql("replica-1", {test::on_server("mysql-9.7") ? "SET GLOBAL super_read_only = OFF" : "DO 1",
                          "INSERT INTO app.t VALUES (-1, 'errant')"});
  CHECK(has(story.codes(), "replica-1 replica.errant-transactions"));
  refused(story, {"replica-1 replica.errant-transactions"},
          {test::on_mysql() ? "mysqlbinlog" : "mariadb-binlog"});
}

TEST_CASE("a GTID position that somebody has emptied or set back is refused, not gone on from",
          "[live][server][safety]") {
  Story story(quickstart("gtid"));
  REQUIRE(story.apply().code == 0);
  story.make_app();
  story.sql("primary", {"CREATE TABLE app.nokey (v INT)", "INSERT INTO app.nokey VALUES (1)"});
  story.caught_up();
  if (!test::on_mysql()) {
    const std::string stood = story.cell("replica-1", "SELECT @@gtid_slave_pos");
    const auto dash = stood.rfind('-');
    const std::string back =
        fmt::format("{}-{}", stood.substr(0, dash), std::stoull(stood.substr(dash + 1)) - 1);
    story.sql("replica-1", {"STOP SLAVE", fmt::format("SET GLOBAL gtid_slave_pos = '{}'", back)});
    refused(story, {"replica-1 replica.position-unknown"}, {stood, back});
    story.sql("replica-1", {fmt::format("SET GLOBAL gtid_slave_pos = '{}'", stood)});
    REQUIRE(story.apply().code == 0);
  }
  story.sql("replica-1", {"STOP SLAVE", "RESET SLAVE", "RESET MASTER", "SET GLOBAL gtid_slave_pos = ''"});
  if (!test::on_mysql()) story.sql("replica-1", {"CHANGE MASTER TO MASTER_USE_GTID = slave_pos"});
  refused(story, {"replica-1 replica.position-unknown"}, {"has data (app)"});
  CHECK(story.cell("replica-1", "SELECT COUNT(*) FROM app.nokey") == "1");
}

TEST_CASE("a channel by file and position that was pointed beyond a transaction",
          "[.][live][safety][mysql]") {
  REQUIRE(test::on_mysql());  // MariaDB's source translates the position: another story
  Story story(quickstart("position"));
  REQUIRE(story.apply().code == 0);
  story.make_app();
  story.sql("primary", {"INSERT INTO app.t (n, note) VALUES (100, 'one')"});
  story.caught_up();
  story.sql("replica-1", {"STOP SLAVE"});
  story.sql("primary", {"INSERT INTO app.t (n, note) VALUES (101, 'skipped')"});
  const Coordinates beyond = *parse_coordinates(coordinates_of(story, "primary"));
  story.sql("replica-1", {fmt::format("CHANGE MASTER TO MASTER_LOG_FILE = '{}', MASTER_LOG_POS = {}",
                                      beyond.file, beyond.position)});
  story.sql("primary", {"INSERT INTO app.t (n, note) VALUES (102, 'after')"});
  const Ran apply = story.apply();
  INFO(apply.all());
  CHECK(apply.code == 5);
  CHECK(contains(apply.out, "has skipped transactions of primary"));
  CHECK(has(story.codes(), "replica-1 replica.diverged"));
}

TEST_CASE("what a stopped replica needs was purged at the source", "[live][safety]") {
  for (const char* mode : {"position", "gtid"}) {
    INFO(mode);
    Story story(quickstart(mode));
    REQUIRE(story.apply().code == 0);
    story.make_app();
    story.caught_up();
    story.sql("replica-1", {"STOP SLAVE"});
    story.sql("primary", {"INSERT INTO app.t VALUES (1, 'one')", "FLUSH BINARY LOGS"});
    eventually("the other replica has left the first binlog",
               [&] { return story.slave("replica-2", "Relay_Master_Log_File") == "mysql-bin.000002"; });
    purge_first_binlog(story);
    const Ran apply = story.apply();
    INFO(apply.all());
    CHECK(apply.code == 3);
    const Ran drift = story.stemma({"drift"});
    INFO(drift.all());
    CHECK(drift.code == 2);
    // Whatever it did: it has not gone on behind the gap.
    CHECK(story.cell("replica-1", "SELECT COUNT(*) FROM app.t") == "0");
    refused(
        story, {"replica-1 replica.binlog-gone"},
        {std::string(mode) == "position" ? "mysql-bin.000001" : "primary has purged what replica-1 needs"});
  }
}

TEST_CASE("a backlog that brings the account's end", "[live][safety][account]") {
  Story story(chain("position"));
  REQUIRE(story.apply().code == 0);
  story.make_app();
  story.caught_up();
  story.sql("leaf", {"STOP SLAVE SQL_THREAD"});
  const std::string product = "information_schema.COLLATIONS a, information_schema.COLLATIONS b";
  story.sql("primary", {"USE app", "CREATE TABLE app.big (n INT)",
                        "INSERT INTO app.big SELECT 1 FROM " + product +
                            ", information_schema.COLLATIONS c LIMIT 100000",
                        "UPDATE app.big SET n = n + 1", "DROP USER 'repl_user'@'%'"});
  const Ran apply = story.apply();
  INFO(apply.all());
  CHECK(apply.code == 0);
  CHECK(story.codes().empty());
  CHECK(story.applied_steps().empty());
  story.same_data();
}

TEST_CASE("the primary is opened only after the others are closed", "[live][safety]") {
  Story story(quickstart("position"));
  REQUIRE(story.apply().code == 0);
  story.sql("primary", {"SET GLOBAL read_only = ON"});
  story.sql("replica-1", {"SET GLOBAL read_only = OFF"});
  const json plan = story.stemma({"plan", "--format", "json"}).document();
  bool opened = false;
  for (const json& step : plan["steps"]) {
    if (step["kind"] != "unfence") continue;
    opened = true;
    CHECK(step["server"] == "primary");
    CHECK(step["hazards"] == json::array({"unfence"}));
    CHECK(step["needs"] == json::array({"replica-1.fence"}));
  }
  CHECK(opened);
  // At no instant two of them accept writes.
  std::atomic<bool> done{false};
  std::atomic<int> twice{0}, looks{0};
  std::thread watch([&] {
    auto primary = story.connect("primary"), replica = story.connect("replica-1");
    while (primary && replica && !done.load()) {
      // The primary first: once it is open it stays so, and the replica has to be closed already.
      const auto first = primary->query("SELECT @@read_only");
      const auto second = replica->query("SELECT @@read_only");
      if (first && second && first->rows[0][0] == "0" && second->rows[0][0] == "0") ++twice;
      ++looks;
    }
  });
  const Ran apply = story.apply();
  done = true;
  watch.join();
  INFO(apply.all());
  CHECK(apply.code == 0);
  CHECK(looks > 2);
  CHECK(twice == 0);
  CHECK(story.codes().empty());
}

TEST_CASE("verify tells when a row does not arrive", "[live][safety][verify]") {
  Story story(quickstart("position"));
  REQUIRE(story.apply().code == 0);
  story.sql("replica-2", {"STOP SLAVE SQL_THREAD"});
  const Ran verify = story.stemma({"verify", "--wait", "1s", "--format", "json"});
  INFO(verify.all());
  CHECK(verify.code == 2);
  const json document = verify.document();
  CHECK(document["arrived"] == false);
  for (const json& reading : document["readings"])
    CHECK(reading["arrived"] == (reading["where"] == "replica-1"));
  story.sql("replica-2", {"START SLAVE"});
  CHECK(story.stemma({"verify"}).code == 0);
  CHECK(story.codes().empty());
}

TEST_CASE("accepted drift is shown and does not count", "[live][safety][ignore]") {
  Story story(quickstart("position"));
  REQUIRE(story.apply().code == 0);
  story.sql("replica-2", {"STOP SLAVE SQL_THREAD"});
  Shape shape = quickstart("position");
  shape.rest =
      "[[ignore]]\ncode = \"replica.applier-stopped\"\nserver = \"replica-2\"\nreason = \"CHG-123\"\n";
  story.rewrite(shape);
  const Ran drift = story.stemma({"drift"});
  INFO(drift.all());
  CHECK(drift.code == 0);
  CHECK(contains(drift.out, "replica.applier-stopped"));
  story.sql("replica-1", {"STOP SLAVE SQL_THREAD"});
  CHECK(story.stemma({"drift"}).code == 2);
  CHECK(story.codes() == Codes{"replica-1 replica.applier-stopped"});
}

}  // namespace stemma::live
