// Plans, drift and status as text, compared letter by letter.
#include "plans/render.h"

#include "plans/diff.h"
#include "tests/catch.h"
#include "tests/expected.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;

namespace {

const Preview no_sql = [](const Step& step) { return std::vector<std::string>{"SQL of " + step.id}; };
const char* const kQuickStart = "primary | fresh; replica < primary | fresh";
const char* const kTwoHazards = "primary | fenced may-also=SUPER; replica < primary";

std::string plan_text(const Story& story, bool with_sql = false, const Palette& palette = {}) {
  return plan_as_text({story.scene(), story.plan(), no_sql, ""}, palette, with_sql);
}
std::string drift_text(const Story& story) { return drift_as_text(diff(story.scene()), story.topology, {}); }
std::string status_text(const Story& story) { return status_as_text(story.scene(), diff(story.scene()), {}); }

}  // namespace

TEST_CASE("the quick start's plan for people") {
  check_text("plans", "plan_quick", plan_text(Story(kQuickStart)));
}

TEST_CASE("with SQL and reasons") {
  check_text("plans", "plan_sql", plan_text(Story("primary; replica < primary | writable"), true));
}

TEST_CASE("hazards") { check_text("plans", "plan_hazards", plan_text(Story(kTwoHazards))); }

TEST_CASE("refusals and notes") {
  check_text("plans", "plan_refused",
             plan_text(Story("primary | data=shop; r1 < primary | fresh; r2 < primary | silent")));
}

TEST_CASE("nothing to do") {
  const Story story("primary; replica < primary");
  CHECK(plan_summary(story.plan(), story.scene()) == "Nothing to do: the servers are what the file says.");
  const Story silent("primary | silent; replica < primary | silent");
  CHECK(plan_summary(silent.plan(), silent.scene()) ==
        "Nothing planned: 2 of 2 servers could not be looked at.");
  check_text("plans", "plan_nothing", plan_text(story));
}

TEST_CASE("where a channel starts is said in words") {
  const auto sentence = [](const std::string& text) {
    const Story story(text);
    const Plan plan = story.plan();
    std::string said;
    for (const Step& step : plan.steps)
      if (step.origin) said += step_sentence(plan, step) + "\n";
    return said;
  };
  CHECK(sentence(kQuickStart) ==
        "follow primary at primary:3306, from (binlog coordinates of primary, known after step 4)\n");
  CHECK(sentence("by gtid; primary | fresh; replica < primary | fresh") ==
        "set gtid_slave_pos of replica to where its data stand: (GTID position of primary, known after step "
        "4)\n"
        "follow primary at primary:3306, from its own GTIDs\n");
  CHECK(sentence("p | data=shop; r < p provision=replay | fresh no-account") ==
        "follow p at p:3306, from the very beginning, mysql-bin.000001:4\n");
  CHECK(
      sentence("p | data=shop; r < p provision=assume-identical at=mysql-bin.000001:77 | fresh data=shop") ==
      "follow p at p:3306, from mysql-bin.000001:77\n");
  CHECK(sentence("p; r < p connect_retry=10s") ==
        "follow p at p:3306, from (executed position of r, known after step 3)\n");
  CHECK(sentence("by gtid; p | data=shop; r < p provision=assume-identical at=0-1-7 | fresh data=shop") ==
        "set gtid_slave_pos of r to where its data stand: 0-1-7\nfollow p at p:3306, from its own "
        "GTIDs\n");
}

TEST_CASE("for a pull request") {
  const Story story(kTwoHazards);
  check_text("plans", "plan_markdown", plan_as_markdown({story.scene(), story.plan(), no_sql, "abc"}));
  Story odd("primary; replica < primary | writable");
  Plan plan = odd.plan();
  plan.differences[0].message = "a | b\nc";
  CHECK(plan_as_markdown({odd.scene(), plan, no_sql, ""})
            .find("| replica | `replica.writable` | a \\| b  c |") != std::string::npos);
}

TEST_CASE("as a script") {
  const Story story(kTwoHazards);
  check_text("plans", "plan_script", plan_as_sql({story.scene(), story.plan(), no_sql, ""}));
}

TEST_CASE("as a graph") {
  Plan plan = Story("primary | fenced; r < primary | writable").plan();
  CHECK(
      plan_as_dot(plan) ==
      "digraph plan {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n"
      "  s1 [label=\"1. r\\nfence\"];\n  s2 [label=\"2. primary\\nunfence\", color=red];\n  s1 -> s2;\n}\n");
  CHECK(plan_as_mermaid(plan) ==
        "flowchart LR\n  s1[\"1. r<br>fence\"]\n  s2[\"2. primary<br>unfence\"]\n  s1 --> s2\n");
  plan.steps[0].server.text = "a\"b\\";
  CHECK(plan_as_dot(plan).find("1. a\\\"b\\\\\\nfence") != std::string::npos);
  CHECK(plan_as_mermaid(plan).find("1. a#quot;b\\<br>fence") != std::string::npos);
}

TEST_CASE("a tree of names, also of names that are not ASCII") {
  const Story story("a; b < a; c < b; d < a; e");
  const std::map<std::string, std::vector<std::string>> cells = {
      {"a", {"1", ""}}, {"b", {"ü", "yy"}}, {"c", {"", ""}}, {"d", {"4", "y"}}, {"e", {"5", "y"}}};
  const auto text =
      tree(story.topology, {"x", "y"},
           [&](const Server& server, const DeclaredChannel*) { return cells.at(server.name.text); }, {});
  check_text("plans", "tree", text);
}

TEST_CASE("drift for people") {
  CHECK(drift_text(Story("a; b < a")) == "✓ tree: in sync, 2 servers as declared\n");
  check_text("plans", "drift_silent", drift_text(Story("a; b < a | silent")));
  check_text("plans", "drift_text",
             drift_text(Story("a; b < a | writable channel=x; c < a | lag=3 stopped")));
  Story unchecked("a; b < a");
  unchecked.secrets.replication.reset();
  CHECK(drift_text(unchecked) ==
        "  · the replication account's password was not checked: its secret is not at hand\n"
        "✓ tree: in sync, 2 servers as declared\n");
}

TEST_CASE("drift for programs") {
  const Story story("a; b < a | writable", "[[ignore]]\ncode = \"replica.writable\"\nreason = \"x\"\n");
  auto findings = diff(story.scene());
  mark_ignored(findings, story.topology, "2026-01-01");
  const auto document = drift_to_json(findings, story.topology);
  CHECK(document["format_version"] == "1.0");
  CHECK(document["verdict"] == "in-sync");
  CHECK(document["findings"][0]["code"] == "replica.writable");
  CHECK(document["findings"][0]["ignored"] == true);
  CHECK(document["findings"][0]["severity"] == "error");
  CHECK(document["findings"][0]["line"].is_number());
  CHECK(drift_to_json(diff(Story("a | silent").scene()), story.topology)["verdict"] == "unknown");
  CHECK(drift_to_json(diff(Story("a | galera").scene()), story.topology)["verdict"] == "drifted");
}

TEST_CASE("status for people") {
  check_text(
      "plans", "status_text",
      status_text(Story("primary; r1 < primary delay=60s | lag=75; r2 < r1 | connecting; r3 < r1 | silent; "
                        "r4 < r1 | fresh")));
}

TEST_CASE("status for programs") {
  const Story story("a; b < a | lag=3; c < a | silent");
  const auto document = status_to_json(story.scene(), diff(story.scene()));
  CHECK(document["servers"][0]["role"] == "source");
  CHECK(document["servers"][1]["channels"][0]["lag_seconds"] == 3);
  CHECK(document["servers"][1]["channels"][0]["receiver"] == "Yes");
  CHECK(document["servers"][1]["source"] == "a");
  CHECK(document["servers"][2]["reachable"] == false);
  CHECK_FALSE(document["servers"][2].contains("channels"));
}

TEST_CASE("colours stand around the same text") {
  const Palette colours{"<g>", "<b>", "<w>", "<d>", "<B>", "</>"};
  const Story story(kTwoHazards);
  std::string text = plan_text(story, true, colours);
  for (const char* mark : {"<g>", "<b>", "<w>", "<d>", "<B>", "</>"})
    for (auto begin = text.find(mark); begin != std::string::npos; begin = text.find(mark))
      text.erase(begin, std::string_view(mark).size());
  CHECK(text == plan_text(story, true));
}

TEST_CASE("no secret and no hash is in any text") {
  const Story story("primary | password=old; replica < primary | password=older no-grant writable");
  const Plan plan = story.plan();
  const PlanView view{story.scene(), plan, no_sql, "id"};
  for (const std::string& text :
       {plan_as_text(view, {}, true), plan_as_markdown(view), plan_as_sql(view), plan_as_dot(plan),
        plan_as_mermaid(plan), drift_text(story), drift_to_json(diff(story.scene()), story.topology).dump(),
        status_text(story), status_to_json(story.scene(), diff(story.scene())).dump()}) {
    CHECK(text.find(kReplicationSecret) == std::string::npos);
    for (const char* name : {"primary", "replica"})
      CHECK(text.find(story.fleet.find({name})->replication_account->hash) == std::string::npos);
  }
}
