// Plans as JSON, and whether the ground has moved since.
#include "plans/plan_file.h"

#include <limits>

#include "plans/fingerprint.h"
#include "plans/json_text.h"
#include "plans/topology_file.h"
#include "tests/catch.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;
using nlohmann::json;

namespace {

const Preview no_sql = [](const Step& step) { return std::vector<std::string>{"SQL of " + step.id}; };

json document_of(const Story& story, bool to_save = true) {
  auto document = plan_to_json(story.scene(), story.plan(), no_sql, "0.1.0", to_save);
  if (!document) FAIL(document.error().message);
  return std::move(*document);
}

std::string why_not(const std::string& text) {
  const auto loaded = load_plan(text);
  REQUIRE_FALSE(loaded.has_value());
  CHECK(loaded.error().trouble == Trouble::input);
  return loaded.error().message;
}

const char* const kQuickStart = "primary | fresh; replica < primary | fresh";

std::vector<std::string> changes(const std::string& was, const std::string& is) {
  const Story before(was), after(is);
  return moved(fingerprint(before.scene(), before.plan()), fingerprint(after.scene(), before.plan()));
}

using Fields = std::vector<std::string>;

}  // namespace

TEST_CASE("the keys of a plan's document") {
  const json document = document_of(Story(kQuickStart));
  std::string keys;
  for (const auto& [key, value] : document.items()) keys += key + " ";
  CHECK(keys ==
        "coordinates desired differences fingerprint format_version notes plan_id refusals servers "
        "stemma_version steps "
        "summary topology ");
  CHECK(document["format_version"] == "1.0");
  CHECK(document["stemma_version"] == "0.1.0");
  CHECK(document["topology"] == "tree");
  CHECK(document["coordinates"] == "position");
  CHECK(document["servers"][1] == json({{"name", "replica"},
                                        {"address", "replica:3306"},
                                        {"flavor", "mariadb"},
                                        {"version", "10.11.6"},
                                        {"role", "replica"},
                                        {"reachable", true}}));
  CHECK(document["differences"][0] == json({{"server", "primary"},
                                            {"attribute", "user"},
                                            {"desired", "'repl'@'%'"},
                                            {"observed", "none"},
                                            {"code", "user.missing"}}));
  CHECK(document["summary"]["steps"] == 7);
  CHECK(document["summary"]["servers_changed"] == 2);
  CHECK(document["summary"]["critical_path"].size() == 5);
}

TEST_CASE("a step, with what is known only later as a typed unknown") {
  const json step = document_of(Story(kQuickStart))["steps"][4];
  CHECK(step["id"] == "replica.configure-source");
  CHECK(step["kind"] == "configure-source");
  CHECK(step["needs"] == json({"replica.fence", "primary.capture-coordinates"}));
  CHECK(step["sql"] == json({"SQL of replica.configure-source"}));
  CHECK(step["hazards"] == json::array());
  CHECK(step["requires"][0] == "replica is read-only");
  CHECK(step["ensures"] == json({"replica follows primary by file and position, with the declared options"}));
  CHECK(step["from"] ==
        json({{"unknown", "coordinates"}, {"of", "primary"}, {"after", "primary.capture-coordinates"}}));
}

TEST_CASE("a silent server, and a refusal") {
  const json silent = document_of(Story("primary; replica < primary | silent"));
  CHECK(silent["servers"][1]["reachable"] == false);
  CHECK(silent["servers"][1]["version"].is_null());
  CHECK(silent["fingerprint"]["replica"]["exact"] == json({{"reachable", false}}));
  const json refused = document_of(Story("primary | data=shop; replica < primary | fresh"));
  CHECK(refused["refusals"][0]["code"] == "replica.data-missing");
  CHECK(refused["refusals"][0]["hint"].get<std::string>().starts_with("load a backup"));
}

TEST_CASE("a saved plan reads back") {
  const Story story(kQuickStart);
  const json document = document_of(story);
  const auto saved = load_plan(document.dump(2));
  REQUIRE(saved.has_value());
  CHECK(saved->document == document);
  CHECK(to_json(saved->desired).value() == to_json(story.topology).value());
  CHECK(same_steps(document, saved->document));
  CHECK_FALSE(same_steps(document, document_of(Story("primary; replica < primary | writable"))));
  CHECK(looks_like_plan(document.dump()));
  CHECK(looks_like_plan("\n\t {"));
  CHECK_FALSE(looks_like_plan("[topology]"));
  CHECK_FALSE(looks_like_plan(""));
  CHECK(document_of(story).dump() == document.dump());  // the same bytes
}

TEST_CASE("what is no plan, or not the one that was saved") {
  const json document = document_of(Story(kQuickStart));
  const std::string text = document.dump();
  CHECK(why_not(text.substr(0, text.size() / 2)) == "the plan file is not whole: it is no valid JSON");
  CHECK(why_not("") == "the plan file is not whole: it is no valid JSON");
  CHECK(why_not("[1, 2]") == "the plan file is not whole: it is no valid JSON");
  CHECK(why_not("{}") == "this JSON is no plan of stemma: it has no format_version");
  CHECK(why_not("{\"format_version\": 1}") == "this JSON is no plan of stemma: it has no format_version");
  json other = document;
  other["format_version"] = "2.0";
  CHECK(why_not(other.dump()) == "the plan has format version 2.0, this stemma reads 1.0; plan again");
  json changed = document;
  changed["steps"][0]["server"] = "replica";
  CHECK(why_not(changed.dump()) ==
        "the plan was changed after it was saved: its plan_id does not fit its content; plan again");
  changed = document;
  changed.erase("plan_id");
  CHECK(why_not(changed.dump()).starts_with("the plan was changed"));
  changed = document;
  changed["plan_id"] = 7;
  CHECK(why_not(changed.dump()).starts_with("the plan was changed"));
}

TEST_CASE("a file of nothing but brackets is no plan") {
  // Printing a value goes down its levels by recursion: this once ended the program by a signal.
  const std::string brackets(300'000, '['), ends(300'000, ']');
  CHECK(why_not(R"({"format_version":"1.0","a":)" + brackets + ends + "}") ==
        "the plan file is not whole: it is no valid JSON");
  CHECK(parse_json("[[[1]]]") == json({{{1}}}));
}

TEST_CASE("bytes of a server that are no UTF-8 are shown as such") {
  CHECK(json_text(json{{"error", "caf\xe9"}}) == "{\"error\":\"caf\xef\xbf\xbd\"}");
  Fields moved_on;
  REQUIRE_NOTHROW(moved_on = moved({{"a", {{"exact", {{"x", json::array({"\xff"})}}}}}},
                                   {{"a", {{"exact", {{"x", json::array({"\xfe"})}}}}}}));
  CHECK(moved_on.size() == 1);

  // What is saved is text: a plan of such a server was once stale as soon as it was saved.
  Story story("p; r < p | stopped");
  story.state("r").identity.hostname = "caf\xe9";
  story.channel("r").heartbeat = std::numeric_limits<double>::infinity();
  const json document = document_of(story);
  const auto saved = load_plan(json_text(document));
  REQUIRE(saved.has_value());
  CHECK(still_as_saved(*saved, document).has_value());
}

TEST_CASE("a saved plan is still what would be done, or says why not") {
  const std::string text = "p; r < p | stopped";
  const json document = document_of(Story(text));
  const auto saved = load_plan(document.dump());
  REQUIRE(saved.has_value());
  CHECK(still_as_saved(*saved, document_of(Story(text))).has_value());

  const auto moved_on = still_as_saved(*saved, document_of(Story("p; r < p")));
  REQUIRE_FALSE(moved_on.has_value());
  CHECK(moved_on.error().trouble == Trouble::stale);
  CHECK(moved_on.error().hint == "r.channel.applier: off → on\n  r.channel.receiver: off → on");

  json other = document;
  other["steps"].erase(1);
  const auto others = still_as_saved(*saved, other);
  REQUIRE_FALSE(others.has_value());
  CHECK(others.error().trouble == Trouble::input);
}

TEST_CASE("a plan that another build has saved runs in this one") {
  const Story story("p; r < p | stopped");
  const auto older = plan_to_json(story.scene(), story.plan(), no_sql, "0.0.9", true);
  REQUIRE(older.has_value());
  const auto saved = load_plan(older->dump());
  REQUIRE(saved.has_value());
  CHECK(still_as_saved(*saved, document_of(story)).has_value());
}

TEST_CASE("a literal secret can't be saved, but shown") {
  Story story(kQuickStart);
  story.topology.replication->password = FromLiteral{Secret(kReplicationSecret)};
  const auto saved = plan_to_json(story.scene(), story.plan(), no_sql, "0.1.0", true);
  REQUIRE_FALSE(saved.has_value());
  CHECK(saved.error().trouble == Trouble::input);
  CHECK(saved.error().message.find(kReplicationSecret) == std::string::npos);
  const json shown = document_of(story, false);
  CHECK_FALSE(shown.contains("desired"));
  CHECK(shown.dump().find(kReplicationSecret) == std::string::npos);
  CHECK(why_not(shown.dump()) ==
        "the plan holds no topology to apply; save it with `stemma plan FILE -o PLAN`");
}

TEST_CASE("no secret and no hash is in a plan's document") {
  const Story story("primary; replica < primary | password=old");
  const std::string text = document_of(story).dump();
  CHECK(text.find(kReplicationSecret) == std::string::npos);
  CHECK(text.find(story.fleet.find({"replica"})->replication_account->hash) == std::string::npos);
}

TEST_CASE("the ground: what may only grow") {
  const std::string before = "p; r < p | stopped";
  CHECK(changes(before, before) == Fields{});
  CHECK(changes(before,
                "p | at=mysql-bin.000003:4 binlog-gtid=0-1-11; r < p | stopped executed=mysql-bin.000003:4 "
                "read=mysql-bin.000003:4 slave-pos=0-1-11,1-1-1") == Fields{});
  CHECK(changes(before,
                "p | at=mysql-bin.000002:999; r < p | stopped read=mysql-bin.000002:1000 "
                "executed=mysql-bin.000002:1000") ==
        Fields{"p.coordinates: mysql-bin.000002:1000 → mysql-bin.000002:999"});
  CHECK(changes(before, "p | binlog-gtid=0-1-9; r < p | stopped") ==
        Fields{"p.gtid_binlog_pos: 0-1-10 → 0-1-9"});
  CHECK(changes(before, "p; r < p | stopped lag=99") == Fields{});
}

TEST_CASE("the ground: what must be the same") {
  const std::string before = "p; r < p | stopped";
  CHECK(changes(before, "p | fenced; r < p | stopped") == Fields{"p.read_only: false → true"});
  CHECK(changes(before, "p; r < p") == Fields{"r.channel.applier: off → on", "r.channel.receiver: off → on"});
  CHECK(changes(before, "p; r < p | stopped user=x") == Fields{"r.channel.user: repl → x"});
  CHECK(changes(before, "p; r < p | stopped no-account") ==
        Fields{"r.account.exists: yes → no", "r.account.granted: yes → no",
               "r.account.granted_nothing_more: yes → no", "r.account.password: yes → no",
               "r.account.plugin: mysql_native_password → gone"});
  CHECK(changes(before, "p | id=9; r < p | stopped from-id=1") == Fields{"p.server_id: 1 → 9"});
  CHECK(changes(before, "p; r < p | silent") != Fields{});
  CHECK(changes("p; r < p | connecting", "p; r < p") == Fields{});  // Connecting and Yes are both on
  CHECK(changes("p; r < p | no-channel", "p; r < p") != Fields{});
  CHECK(changes("p; r < p", "p; r < p | channel=x") != Fields{});
}

TEST_CASE("the ground: data and coordinates where a step stands on them") {
  CHECK(changes("p | fresh; r < p | fresh", "p | fresh data=shop; r < p | fresh") ==
        Fields{"p.schemas: (empty) → shop"});
  CHECK(changes("p | data=a; r < p | stopped data=a", "p | data=a,b; r < p | stopped data=a") == Fields{});
  const std::string word = "p | data=shop; r < p provision=assume-identical | fresh data=shop";
  CHECK(changes(word, word) == Fields{});
  CHECK(
      changes(word,
              "p | data=shop at=mysql-bin.000002:1001; r < p provision=assume-identical | fresh data=shop") ==
      Fields{"p.coordinates: mysql-bin.000002:1000 → mysql-bin.000002:1001"});
}
