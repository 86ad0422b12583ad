// What operators do by hand, while an application writes: found by drift with its code, mended by apply,
// and not one row is lost or doubled.
#include <functional>

#include "tests/catch.h"
#include "tests/live/support_story.h"

namespace stemma::live {
namespace {

using Deed = std::function<void(const Story&)>;

// One deed: found as `expected`, mended, and everything is as before.
void by_hand(const Shape& shape, const Deed& deed, const Codes& expected) {
  Story story(shape);
  REQUIRE(story.apply().code == 0);
  Writer& writer = story.writer();
  story.caught_up();
  REQUIRE(story.codes().empty());

  deed(story);
  writer.must_write();
  CHECK(story.codes() == expected);
  const Ran drift = story.stemma({"drift"});
  CHECK(drift.code == 2);
  for (const std::string& code : expected) CHECK(contains(drift.out, code.substr(code.find(' ') + 1)));
  const Ran plan = story.stemma({"plan"});
  INFO(plan.all());
  CHECK(plan.code == 0);
  CHECK(story.stemma({"plan", "--detailed-exitcode"}).code == 2);
  writer.must_write();

  const Ran mended = story.apply();
  INFO(mended.all());
  REQUIRE(mended.code == 0);
  CHECK_FALSE(mended.document()["steps"].empty());
  writer.must_write();
  CHECK(story.codes().empty());
  CHECK(story.stemma({"drift"}).code == 0);
  CHECK(story.applied_steps().empty());
  writer.must_write();
  story.same_data();
  CHECK(story.codes().empty());
  for (const char* replica : {"replica-1", "replica-2"})
    CHECK(story.slave(replica, "Using_Gtid") == (shape.coordinates == "position" ? "No" : "Slave_Pos"));
}

Deed on(const std::string& server, const std::vector<std::string>& statements) {
  return [=](const Story& story) { story.sql(server, statements); };
}

// At the primary, and already replicated when the operator goes for coffee.
Deed everywhere(const std::vector<std::string>& statements) {
  return [=](const Story& story) {
    story.sql("primary", statements);
    story.caught_up();
  };
}

const char* const kModes[] = {"position", "gtid"};

}  // namespace

TEST_CASE("somebody stops both threads", "[live][server][mutation]") {
  for (const char* mode : kModes)
    by_hand(quickstart(mode), on("replica-1", {"STOP SLAVE"}),
            {"replica-1 replica.applier-stopped", "replica-1 replica.receiver-stopped"});
}

TEST_CASE("somebody stops the applier", "[live][mutation]") {
  for (const char* mode : kModes)
    by_hand(quickstart(mode), on("replica-1", {"STOP SLAVE SQL_THREAD"}),
            {"replica-1 replica.applier-stopped"});
}

TEST_CASE("somebody stops the receiver", "[live][mutation]") {
  for (const char* mode : kModes)
    by_hand(quickstart(mode), on("replica-1", {"STOP SLAVE IO_THREAD"}),
            {"replica-1 replica.receiver-stopped"});
}

TEST_CASE("somebody makes a replica writable", "[live][server][mutation]") {
  by_hand(quickstart("position"), on("replica-2", {"SET GLOBAL read_only = OFF"}),
          {"replica-2 replica.writable"});
}

TEST_CASE("somebody points a replica to another host, and its position is lost", "[live][server][mutation]") {
  for (const char* mode : kModes)
    by_hand(quickstart(mode),
            on("replica-1", {"STOP SLAVE", "CHANGE MASTER TO MASTER_HOST = '127.0.0.9'", "START SLAVE"}),
            {"replica-1 replica.receiver-error", "replica-1 replica.wrong-source"});
}

TEST_CASE("somebody points a replica elsewhere and leaves it stopped", "[live][mutation]") {
  for (const char* mode : kModes)
    by_hand(quickstart(mode), on("replica-1", {"STOP SLAVE", "CHANGE MASTER TO MASTER_HOST = '127.0.0.9'"}),
            {"replica-1 replica.applier-stopped", "replica-1 replica.receiver-stopped",
             "replica-1 replica.wrong-source"});
}

TEST_CASE("somebody resets a replica", "[live][server][mutation]") {
  for (const char* mode : kModes)
    by_hand(quickstart(mode), on("replica-1", {"STOP SLAVE", "RESET SLAVE ALL"}),
            {"replica-1 replica.not-configured"});
}

TEST_CASE("somebody lets a replica follow its sibling", "[live][server][mutation]") {
  by_hand(quickstart("gtid"),
          [](const Story& story) {
            story.sql(
                "replica-1",
                {"STOP SLAVE", "CHANGE MASTER TO MASTER_PORT = " + std::to_string(story.port("replica-2")),
                 "START SLAVE"});
            story.await("replica-1", "Slave_IO_Running", "Yes");
          },
          {"replica-1 replica.wrong-source"});
}

TEST_CASE("somebody spells the source's host another way", "[live][mutation]") {
  by_hand(quickstart("position"),
          [](const Story& story) {
            story.sql("replica-1", {"STOP SLAVE"});
            // Carefully: with the position that it has executed.
            story.sql("replica-1",
                      {"CHANGE MASTER TO MASTER_HOST = 'localhost', MASTER_LOG_FILE = '" +
                       story.slave("replica-1", "Relay_Master_Log_File") +
                       "', MASTER_LOG_POS = " + story.slave("replica-1", "Exec_Master_Log_Pos")});
            story.sql("replica-1", {"START SLAVE"});
            story.await("replica-1", "Slave_IO_Running", "Yes");
          },
          {"replica-1 channel.option-differs"});
}

TEST_CASE("somebody turns GTIDs off for a replica", "[live][mutation][gtid]") {
  by_hand(quickstart("gtid"),
          on("replica-1", {"STOP SLAVE", "CHANGE MASTER TO MASTER_USE_GTID = no", "START SLAVE"}),
          {"replica-1 channel.auto-position-off"});
}

TEST_CASE("somebody drops the replication account at the primary", "[live][mutation][account]") {
  for (const char* mode : kModes)
    by_hand(quickstart(mode), everywhere({"DROP USER 'repl_user'@'%'"}),
            {"primary user.missing", "replica-1 user.missing", "replica-2 user.missing"});
}

TEST_CASE("somebody drops the replication account of one replica only", "[live][mutation][account]") {
  by_hand(quickstart("position"),
          [](const Story& story) { story.unlogged("replica-2", {"DROP USER 'repl_user'@'%'"}); },
          {"replica-2 user.missing"});
}

TEST_CASE("somebody changes the account's password", "[live][mutation][account]") {
  by_hand(quickstart("position"), everywhere({"SET PASSWORD FOR 'repl_user'@'%' = PASSWORD('other')"}),
          {"primary user.password", "replica-1 user.password", "replica-2 user.password"});
}

TEST_CASE("somebody changes the account's password, and a receiver can't connect again",
          "[live][mutation][account]") {
  for (const char* mode : kModes)
    by_hand(quickstart(mode),
            [](const Story& story) {
              story.sql("primary", {"SET PASSWORD FOR 'repl_user'@'%' = PASSWORD('other')"});
              story.caught_up();
              story.sql("replica-1", {"STOP SLAVE IO_THREAD", "START SLAVE IO_THREAD"});
              story.await("replica-1", "Last_IO_Errno", "1045");
            },
            {"primary user.password", "replica-1 replica.receiver-error", "replica-1 user.password",
             "replica-2 user.password"});
}

TEST_CASE("somebody gives a channel a wrong password", "[live][mutation][account]") {
  by_hand(
      quickstart("position"),
      [](const Story& story) {
        story.sql("replica-1", {"STOP SLAVE", "CHANGE MASTER TO MASTER_PASSWORD = 'other'", "START SLAVE"});
        story.await("replica-1", "Last_IO_Errno", "1045");
      },
      {"replica-1 replica.receiver-error"});
}

TEST_CASE("somebody revokes REPLICATION SLAVE", "[live][mutation][account]") {
  by_hand(quickstart("position"), everywhere({"REVOKE REPLICATION SLAVE ON *.* FROM 'repl_user'@'%'"}),
          {"primary user.grants-missing", "replica-1 user.grants-missing", "replica-2 user.grants-missing"});
}

TEST_CASE("somebody lets the account read tables", "[live][mutation][account]") {
  Shape shape = quickstart("position");
  shape.admin = kRoot;  // only who may grant a privilege may revoke it
  by_hand(shape, everywhere({"GRANT SELECT ON *.* TO 'repl_user'@'%'"}),
          {"primary user.grants-excess", "replica-1 user.grants-excess", "replica-2 user.grants-excess"});
  by_hand(shape, everywhere({"GRANT INSERT ON app.* TO 'repl_user'@'%'"}),
          {"primary user.grants-excess", "replica-1 user.grants-excess", "replica-2 user.grants-excess"});
}

TEST_CASE("somebody changes an option of a channel", "[live][server][mutation]") {
  for (const char* mode : kModes) {
    Shape shape = quickstart(mode);
    shape.replication += "\nconnect_retry = \"10s\"";
    by_hand(
        shape,
        [](const Story& story) {
          story.sql("replica-2", {"STOP SLAVE", "CHANGE MASTER TO MASTER_CONNECT_RETRY = 2", "START SLAVE"});
          // The first try may fail while the source still has the connection before it.
          story.await("replica-2", "Slave_IO_Running", "Yes");
        },
        {"replica-2 channel.option-differs"});
  }
}

TEST_CASE("somebody delays a replica", "[live][mutation]") {
  Shape shape = quickstart("position");
  shape.replication += "\ndelay = \"0s\"";
  by_hand(shape, on("replica-2", {"STOP SLAVE", "CHANGE MASTER TO MASTER_DELAY = 1", "START SLAVE"}),
          {"replica-2 replica.delay-differs"});
}

TEST_CASE("somebody changes a declared variable", "[live][mutation]") {
  Shape shape = quickstart("position");
  shape.servers[1].more = "variables = { slave_net_timeout = 17 }";
  by_hand(shape, on("replica-1", {"SET GLOBAL slave_net_timeout = 99"}), {"replica-1 variable.differs"});
}

TEST_CASE("somebody closes the primary", "[live][mutation]") {
  by_hand(quickstart("position"), on("primary", {"SET GLOBAL read_only = ON"}), {"primary source.read-only"});
}

TEST_CASE("somebody does everything at once", "[live][mutation]") {
  by_hand(quickstart("position"),
          [](const Story& story) {
            story.sql("primary", {"DROP USER 'repl_user'@'%'", "SET GLOBAL read_only = ON"});
            story.caught_up();
            story.sql("replica-1", {"STOP SLAVE", "CHANGE MASTER TO MASTER_HOST = '127.0.0.9'"});
            story.sql("replica-2", {"SET GLOBAL read_only = OFF", "STOP SLAVE SQL_THREAD"});
          },
          {"primary source.read-only", "primary user.missing", "replica-1 replica.applier-stopped",
           "replica-1 replica.receiver-stopped", "replica-1 replica.wrong-source", "replica-1 user.missing",
           "replica-2 replica.applier-stopped", "replica-2 replica.writable", "replica-2 user.missing"});
}

}  // namespace stemma::live
