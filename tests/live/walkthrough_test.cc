// The walk-through: a primary and two replicas, from three bare servers to rows that arrive everywhere.
#include <algorithm>

#include "tests/catch.h"
#include "tests/live/support_story.h"

namespace stemma::live {
namespace {

std::string account_of(Story& story, const std::string& server) {
  return story.lines(server, "SHOW GRANTS FOR 'repl_user'@'%'");
}

void expect_keys(const json& object, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    INFO("key " << key);
    CHECK(object.contains(key));
  }
}

}  // namespace

TEST_CASE("a primary and two replicas are declared, planned, applied and checked",
          "[live][server][walkthrough]") {
  Story story(quickstart("position"));

  const Ran plan = story.stemma({"plan"});
  INFO(plan.all());
  REQUIRE(plan.code == 0);
  CHECK(contains(plan.out, "(binlog coordinates of primary, known after step "));
  CHECK(story.stemma({"plan", "--detailed-exitcode"}).code == 2);
  CHECK(story.codes() == Codes{"primary user.missing", "replica-1 replica.not-configured",
                               "replica-1 replica.writable", "replica-1 user.missing",
                               "replica-2 replica.not-configured", "replica-2 replica.writable",
                               "replica-2 user.missing"});

  const Ran apply = story.stemma({"apply", "--yes"});
  INFO(apply.all());
  REQUIRE(apply.code == 0);
  const std::string file = story.cell("primary", "SHOW MASTER STATUS");
  CHECK(contains(apply.out, "binlog coordinates of primary: File " + file + ", Position "));
  for (const char* replica : {"replica-1", "replica-2"}) {
    CHECK(story.slave(replica, "Slave_IO_Running") == "Yes");
    CHECK(story.slave(replica, "Slave_SQL_Running") == "Yes");
    CHECK(story.slave(replica, "Using_Gtid") == "No");
    CHECK(story.slave(replica, "Master_User") == "repl_user");
    CHECK(story.slave(replica, "Relay_Master_Log_File") == file);
    CHECK(story.cell(replica, "SELECT @@read_only") == "1");
  }
  CHECK(story.cell("primary", "SELECT @@read_only") == "0");

  for (const char* server : {"primary", "replica-1", "replica-2"}) {
    INFO(server);
    const std::string grants = account_of(story, server);
    CHECK(grants.starts_with("GRANT REPLICATION SLAVE ON *.* TO "));
    CHECK(std::count(grants.begin(), grants.end(), '\n') == 1);
    // Accounts are made outside the binlog: nothing that anybody could call errant.
    CHECK(story.cell(server, "SELECT @@gtid_binlog_pos").empty());
  }

  CHECK(story.applied_steps().empty());
  CHECK(story.stemma({"plan", "--detailed-exitcode"}).code == 0);
  const Ran drift = story.stemma({"drift"});
  INFO(drift.all());
  CHECK(drift.code == 0);
  const Ran status = story.stemma({"status"});
  CHECK(status.code == 0);
  CHECK(contains(status.out, file + ":"));
  CHECK(contains(status.out, "read-only  Yes       Yes"));

  const Ran verify = story.stemma({"verify"});
  INFO(verify.all());
  CHECK(verify.code == 0);
  CHECK(story
            .lines("primary",
                   "SELECT table_name FROM information_schema.tables WHERE table_schema = "
                   "'stemma_canary' AND table_rows > 0")
            .empty());

  story.writer().must_write();
  story.same_data();
  CHECK(story.stemma({"drift"}).code == 0);
  CHECK(story.applied_steps().empty());
}

TEST_CASE("the JSON of plan, apply, drift, status and verify has the promised shape",
          "[live][walkthrough][json]") {
  Story story(quickstart("position"));
  const json plan = story.stemma({"plan", "--format", "json"}).document();
  expect_keys(plan, {"format_version", "stemma_version", "topology", "plan_id", "coordinates", "desired",
                     "servers", "differences", "steps", "refusals", "fingerprint", "summary"});
  CHECK(plan["format_version"] == "1.0");
  CHECK(plan["topology"] == "story");
  CHECK(plan["coordinates"] == "position");
  REQUIRE(plan["servers"].size() == 3);
  expect_keys(plan["servers"][0], {"name", "address", "flavor", "version", "role", "reachable"});
  CHECK(plan["servers"][0]["role"] == "source");
  CHECK(plan["servers"][1]["role"] == "replica");
  CHECK(plan["servers"][1]["flavor"] == (test::on_mysql() ? "mysql" : "mariadb"));
  CHECK(plan["servers"][1]["reachable"] == true);
  REQUIRE(plan["differences"].size() == 7);
  expect_keys(plan["differences"][0], {"server", "attribute", "desired", "observed", "code"});
  CHECK(plan["refusals"].empty());
  expect_keys(plan["fingerprint"], {"primary", "replica-1", "replica-2"});
  CHECK(plan["summary"]["steps"] == plan["steps"].size());
  CHECK(plan["summary"]["servers_changed"] == 3);
  CHECK_FALSE(plan["summary"]["critical_path"].empty());

  std::vector<std::string> seen;
  for (const json& step : plan["steps"]) {
    INFO(step.dump());
    expect_keys(step, {"id", "kind", "server", "summary", "needs", "sql", "hazards", "requires", "ensures"});
    CHECK_FALSE(step["ensures"].empty());
    for (const json& before : step["needs"]) CHECK(has(seen, before.get<std::string>()));
    seen.push_back(step["id"].get<std::string>());
    if (step["kind"] != "configure-source") continue;
    CHECK(step["from"]["unknown"] == "coordinates");
    CHECK(step["from"]["of"] == "primary");
    CHECK(step["from"]["after"] == "primary.capture-coordinates");
    CHECK(contains(step["sql"].dump(), "<secret>"));
  }
  // The same servers give the same bytes.
  CHECK(story.stemma({"plan", "--format", "json"}).document() == plan);

  const json before = story.stemma({"drift", "--format", "json"}).document();
  expect_keys(before, {"format_version", "topology", "verdict", "findings"});
  CHECK(before["verdict"] == "drifted");
  for (const json& finding : before["findings"])
    expect_keys(finding, {"code", "severity", "server", "message", "desired", "observed", "line", "ignored"});

  const Ran ran = story.apply();
  REQUIRE(ran.code == 0);
  const json applied = ran.document();
  CHECK(applied["outcome"] == "converged");
  CHECK(applied["steps"].size() == plan["steps"].size());
  for (const json& step : applied["steps"]) CHECK(step["state"] == "done");
  CHECK(applied["known"]["primary"]["file"] == story.cell("primary", "SHOW MASTER STATUS"));
  CHECK(applied["known"]["primary"]["position"].get<int>() > 4);

  CHECK(story.stemma({"drift", "--format", "json"}).document()["verdict"] == "in-sync");
  const json status = story.stemma({"status", "--format", "json"}).document();
  CHECK(status["servers"][1]["channels"][0]["receiver"] == "Yes");
  CHECK(status["servers"][1]["channels"][0]["applier"] == "Yes");
  const json verified = story.stemma({"verify", "--format", "json"}).document();
  CHECK(verified["arrived"] == true);
  CHECK(verified["readings"].size() == 2);
}

TEST_CASE("the walk-through with GTIDs", "[live][walkthrough][gtid]") {
  for (const char* coordinates : {"gtid", "auto"}) {
    INFO(coordinates);
    Story story(quickstart(coordinates));
    const json plan = story.stemma({"plan", "--format", "json"}).document();
    CHECK(plan["coordinates"] == "gtid");
    const Ran apply = story.stemma({"apply", "--yes"});
    INFO(apply.all());
    REQUIRE(apply.code == 0);
    CHECK(story.applied_steps().empty());
    story.writer().must_write();
    for (const char* replica : {"replica-1", "replica-2"}) {
      CHECK(story.slave(replica, "Using_Gtid") == "Slave_Pos");
      CHECK(story.slave(replica, "Slave_IO_Running") == "Yes");
      CHECK(story.slave(replica, "Slave_SQL_Running") == "Yes");
      CHECK(story.cell(replica, "SELECT @@read_only") == "1");
    }
    CHECK(story.stemma({"verify"}).code == 0);
    story.same_data();
    CHECK(story.codes().empty());
    CHECK(story.applied_steps().empty());
  }
}

TEST_CASE("\"auto\" keeps the mode that running channels have", "[live][walkthrough][gtid]") {
  Story story(quickstart("position"));
  REQUIRE(story.apply().code == 0);
  story.writer().must_write();
  story.rewrite(quickstart("auto"));
  CHECK(story.stemma({"plan", "--detailed-exitcode"}).code == 0);
  CHECK(story.applied_steps().empty());
  CHECK(story.slave("replica-1", "Using_Gtid") == "No");
  story.same_data();
}

TEST_CASE("declared coordinates change under a running writer", "[live][walkthrough][gtid]") {
  Story story(quickstart("position"));
  REQUIRE(story.apply().code == 0);
  story.writer().must_write();

  story.rewrite(quickstart("gtid"));
  CHECK(has(story.codes(), "replica-1 channel.auto-position-off"));
  CHECK_FALSE(story.applied_steps().empty());
  CHECK(story.slave("replica-1", "Using_Gtid") == "Slave_Pos");
  story.writer().must_write();
  CHECK(story.codes().empty());

  story.rewrite(quickstart("position"));
  CHECK(has(story.codes(), "replica-1 channel.option-differs"));
  CHECK_FALSE(story.applied_steps().empty());
  CHECK(story.slave("replica-1", "Using_Gtid") == "No");
  story.writer().must_write();
  CHECK(story.codes().empty());
  CHECK(story.applied_steps().empty());
  story.same_data();
}

}  // namespace stemma::live
