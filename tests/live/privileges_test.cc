// Least privilege. Every story logs in with the accounts that `stemma grants` describes; here it is seen that nothing of
// them is too much, and that what is missing is named before anything is changed.
#include <algorithm>
#include <functional>

#include "tests/catch.h"
#include "tests/live/support_grants.h"
#include "tests/live/support_story.h"

namespace stemma::live {
namespace {

bool for_verify(const Privilege& privilege) { return contains(privilege.object, "stemma_canary"); }

// The GRANT that gives it back, as a hint has it: with others perhaps, in their usual order.
bool names_grant(const std::string& output, const Privilege& privilege) {
  for (auto at = output.find("GRANT "); at != std::string::npos; at = output.find("GRANT ", at + 1)) {
    const std::string grant = output.substr(at, output.find(';', at) - at);
    const auto on = grant.find(" ON " + privilege.object + " TO 'stemma");
    if (on == std::string::npos) continue;
    if (privilege.name == "GRANT OPTION" ? contains(grant, "WITH GRANT OPTION")
                                         : contains(grant.substr(0, on), privilege.name))
      return true;
  }
  return false;
}

// `run` must refuse for want of the privilege, say how to mend that, and leave every server as it was.
void refused_without(const Story& story, const Privilege& privilege, const std::function<Ran()>& run) {
  story.unlogged("replica-1", {privilege.revoke});
  const std::string before = story.snapshot();
  const Ran ran = run();
  INFO(privilege.revoke << "\n" << ran.all());
  CHECK(ran.code == 3);
  CHECK(contains(ran.out, "server.privilege-missing"));
  CHECK(contains(ran.out, "replica-1"));
  CHECK(names_grant(ran.out, privilege));
  CHECK(story.snapshot() == before);
  story.unlogged("replica-1", {privilege.grant});
}

}  // namespace

TEST_CASE("who may only look sees what the applying account sees, and can't apply",
          "[live][server][privileges]") {
  Story story(quickstart("gtid"));
  const auto looks = [&](const std::string& command) {
    return story.run({command, story.looking_file(), "--format", "json"});
  };
  const std::string before = story.snapshot();
  const Ran refused = story.run({"apply", "--yes", story.looking_file()});
  INFO(refused.all());
  CHECK(refused.code == 3);
  CHECK(contains(refused.all(), "server.privilege-missing"));
  CHECK(contains(refused.all(), "GRANT "));
  CHECK(story.snapshot() == before);

  REQUIRE(story.apply().code == 0);
  story.writer();
  CHECK(story.codes().empty());
  const Ran plan = looks("plan"), drift = looks("drift"), status = looks("status");
  INFO(plan.all() << drift.all() << status.all());
  CHECK((plan.code == 0 && drift.code == 0 && status.code == 0));
  CHECK(plan.document().at("steps").empty());
  CHECK(drift.document() == story.stemma({"drift", "--format", "json"}).document());

  story.sql("replica-2", {"STOP SLAVE", "SET GLOBAL read_only = OFF"});
  CHECK(story.codes() == Codes{"replica-2 replica.applier-stopped", "replica-2 replica.receiver-stopped",
                               "replica-2 replica.writable"});
  CHECK(looks("status").code == 0);
  CHECK(looks("drift").code == 2);
}

TEST_CASE("each privilege that is taken away is named before anything is changed",
          "[live][server][privileges]") {
  Story story(quickstart("position"));
  const auto applying = each_of(story.grants(story.file(), "replica-1"));
  const auto looking = each_of(story.grants(story.looking_file(), "replica-1"));
  CHECK(applying.size() > looking.size());
  for (const Privilege& privilege : looking)
    refused_without(story, privilege, [&] {
      return story.run({"plan", story.looking_file(), "--format", "json"});
    });
  const bool super = std::any_of(applying.begin(), applying.end(),
                                 [](const Privilege& privilege) { return privilege.name == "SUPER"; });
  for (const Privilege& privilege : applying) {
    // Before MySQL 8.0 SUPER says that, too.
    if (for_verify(privilege) || (super && privilege.name == "REPLICATION CLIENT")) continue;
    refused_without(story, privilege, [&] { return story.apply(); });
  }
  // Not one too few: with all of them back it goes through.
  const Ran apply = story.apply();
  INFO(apply.all());
  CHECK(apply.code == 0);
  CHECK(story.stemma({"verify"}).code == 0);
  CHECK(story.codes().empty());
}

TEST_CASE("what a declared variable takes is granted and asked for", "[live][server][privileges]") {
  Shape shape = quickstart("gtid");
  shape.servers[1].more = "variables = { max_connections = 77, slave_net_timeout = 17 }";
  Story story(std::move(shape));
  const auto grants = each_of(story.grants(story.file(), "replica-1"));
  const auto needed = std::find_if(grants.begin(), grants.end(), [&](const Privilege& privilege) {
    return privilege.name == "CONNECTION ADMIN" || privilege.name == "SYSTEM_VARIABLES_ADMIN" ||
           privilege.name == "SUPER";
  });
  REQUIRE(needed != grants.end());
  refused_without(story, *needed, [&] { return story.apply(); });
  const Ran apply = story.apply();
  INFO(apply.all());
  CHECK(apply.code == 0);
  CHECK(story.cell("replica-1", "SELECT @@max_connections") == "77");
}

TEST_CASE("who may not grant a privilege can't revoke it, and is told so before",
          "[live][server][privileges]") {
  Story story(quickstart("position"));
  REQUIRE(story.apply().code == 0);
  story.unlogged("primary", {"GRANT INSERT ON *.* TO 'repl_user'@'%'"});
  story.sql("replica-2", {"STOP SLAVE"});  // something that could be done
  CHECK(has(story.codes(), "primary user.grants-excess"));
  const std::string before = story.snapshot();
  const Ran refused = story.stemma({"apply", "--yes"});
  INFO(refused.all());
  CHECK(refused.code == 3);
  CHECK(contains(refused.all(), "server.privilege-missing"));
  CHECK(contains(refused.all(), "GRANT INSERT ON *.* TO 'stemma'"));
  CHECK(story.snapshot() == before);
  story.unlogged("primary", {"GRANT INSERT ON *.* TO 'stemma'@'%' WITH GRANT OPTION"});
  CHECK_FALSE(story.applied_steps().empty());
  CHECK(story.codes().empty());
}

}  // namespace stemma::live
