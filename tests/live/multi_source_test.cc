// One replica of two sources.
#include <algorithm>

#include "tests/catch.h"
#include "tests/live/support_story.h"
#include "tests/servers/support_servers.h"

namespace stemma::live {
namespace {

const char* const kModes[] = {"position", "gtid"};

// Two roots, and a replica with its default channel from the one and a named one from the other.
Shape two_sources(const std::string& coordinates, const std::string& of_channel = "") {
  const auto domain = [](int id) {
    return test::on_mysql() ? std::string() : "variables = { gtid_domain_id = " + std::to_string(id) + " }";
  };
  Shape shape;
  shape.coordinates = coordinates;
  shape.servers = {
      {"shop", "", domain(1)},
      {"stock", "", domain(2)},
      {"reports", "shop", "[server.reports.channel.stock]\nsource = \"stock\"\n" + of_channel + "\n"}};
  return shape;
}

std::string for_channel(const std::string& statement) {
  const auto space = statement.find(' ', statement.find(' ') + 1);
  return test::on_mysql() ? statement + " FOR CHANNEL 'stock'"
                          : statement.substr(0, space) + " 'stock'" +
                                (space == std::string::npos ? "" : statement.substr(space));
}

void make_data(const Story& story) {
  story.sql("shop", {"CREATE DATABASE app", "CREATE TABLE app.t (n INT PRIMARY KEY)"});
  story.sql("stock", {"CREATE DATABASE goods", "CREATE TABLE goods.t (n INT PRIMARY KEY)"});
}

void arrives(const Story& story, int number) {
  const std::string n = std::to_string(number);
  story.sql("shop", {"INSERT INTO app.t VALUES (" + n + ")"});
  story.sql("stock", {"INSERT INTO goods.t VALUES (" + n + ")"});
  for (const char* table : {"app.t", "goods.t"})
    eventually(std::string("a row of ") + table, [&] {
      const std::string there =
          story.cell("reports",
                     "SELECT COUNT(*) FROM information_schema.tables WHERE CONCAT(table_schema, '.', "
                     "table_name) = '" +
                         std::string(table) + "'");
      return there == "1" &&
             story.cell("reports", "SELECT COUNT(*) FROM " + std::string(table) + " WHERE n = " + n) == "1";
    });
}

}  // namespace

TEST_CASE("a replica of two sources is applied, stopped, changed by hand, and mended",
          "[live][server][multi-source]") {
  if (test::test_server().name == "mysql-5.6") {
    Story story(two_sources("gtid"));
    const Ran plan = story.stemma({"plan"});
    INFO(plan.all());
    CHECK(plan.code == 3);
    CHECK(contains(plan.out, "channel.unsupported"));
    return;
  }
  for (const char* mode : kModes) {
    INFO(mode);
    Story story(two_sources(mode));
    const Ran apply = story.stemma({"apply", "--yes", "--allow", "reset-binlog"});
    INFO(apply.all());
    REQUIRE(apply.code == 0);
    CHECK(story.cell("reports", "SELECT @@read_only") == "1");
    CHECK(story.codes().empty());
    CHECK(story.applied_steps().empty());
    make_data(story);
    arrives(story, 1);

    const Ran verify = story.stemma({"verify"});
    INFO(verify.all());
    CHECK(verify.code == 0);
    CHECK(story.codes().empty());
    const Ran status = story.stemma({"status"});
    CHECK(contains(status.out, "reports (stock)"));

    // A named channel that somebody stops; the other one goes on.
    story.sql("reports", {for_channel("STOP SLAVE")});
    story.sql("shop", {"INSERT INTO app.t VALUES (2)"});
    CHECK(story.codes() == Codes{"reports replica.applier-stopped", "reports replica.receiver-stopped"});
    const Ran drift = story.stemma({"drift"});
    CHECK(contains(drift.out, "channel 'stock': the receiver is stopped"));
    const std::vector<std::string> started = story.applied_steps();
    CHECK(started == std::vector<std::string>{"reports.start-replica.stock", "reports.await-running.stock"});
    arrives(story, 3);

    // An option of it that somebody changes.
    story.sql("reports",
              {for_channel("STOP SLAVE"),
               test::on_mysql() ? for_channel("CHANGE MASTER TO MASTER_CONNECT_RETRY = 7, MASTER_DELAY = 5")
                                : "CHANGE MASTER 'stock' TO MASTER_DELAY = 5",
               for_channel("START SLAVE")});
    story.rewrite(two_sources(mode, "delay = \"0s\"\nignore_db = [\"private\"]"));
    CHECK(story.codes() == Codes{"reports channel.option-differs", "reports replica.delay-differs"});
    CHECK_FALSE(story.applied_steps().empty());
    CHECK(story.codes().empty());
    CHECK(story.applied_steps().empty());
    story.sql("stock", {"CREATE DATABASE private"});
    story.sql("shop", {"CREATE DATABASE public"});
    arrives(story, 4);
    CHECK(story.cell("reports", "SHOW DATABASES LIKE 'p%lic'") == "public");
    CHECK(story.cell("reports", "SHOW DATABASES LIKE 'private'").empty());
    for (const char* table : {"app.t", "goods.t"})
      CHECK(story.cell("reports", "SELECT COUNT(*) FROM " + std::string(table)) ==
            story.cell(table[0] == 'a' ? "shop" : "stock", "SELECT COUNT(*) FROM " + std::string(table)));
  }
}

TEST_CASE("a second source is added to a replica that replicates", "[live][server][multi-source]") {
  if (test::test_server().name == "mysql-5.6") return;
  for (const char* mode : kModes) {
    INFO(mode);
    Story story(two_sources(mode));
    Shape one = two_sources(mode);
    one.servers[2].more.clear();
    story.rewrite(one);
    const Ran first = story.stemma({"apply", "--yes", "--allow", "reset-binlog"});
    INFO(first.all());
    REQUIRE(first.code == 0);
    story.sql("shop", {"CREATE DATABASE app", "CREATE TABLE app.t (n INT PRIMARY KEY)"});

    // An empty server with a history: what it has logged must not come.
    story.sql("stock", {"CREATE DATABASE passing", "DROP DATABASE passing"});
    story.rewrite(two_sources(mode));
    CHECK(story.codes() == Codes{"reports replica.not-configured", "stock user.missing"});
    const Ran second = story.apply();
    INFO(second.all());
    REQUIRE(second.code == 0);
    CHECK(story.codes().empty());
    CHECK(story.applied_steps().empty());
    story.sql("stock", {"CREATE DATABASE goods", "CREATE TABLE goods.t (n INT PRIMARY KEY)"});
    arrives(story, 1);
  }
}

TEST_CASE("two sources that write GTIDs of one domain are refused", "[live][multi-source][mariadb]") {
  Shape shape = two_sources("gtid");
  shape.servers[1].more.clear();
  shape.servers[0].more.clear();
  Story story(shape);
  const Ran plan = story.stemma({"plan"});
  INFO(plan.all());
  CHECK(plan.code == 3);
  CHECK(contains(plan.out, "gtid.domain-shared"));
  CHECK(contains(plan.out, "gtid_domain_id = 1"));
  const std::string before = story.snapshot();
  CHECK(story.stemma({"apply", "--yes"}).code == 3);
  CHECK(story.snapshot() == before);
}

}  // namespace stemma::live
