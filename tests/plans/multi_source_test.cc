// One replica of several sources: the file, the judgements, and the plans.
#include <chrono>
#include <nlohmann/json.hpp>

#include "plans/attach.h"
#include "plans/diff.h"
#include "plans/preflight.h"
#include "plans/questions.h"
#include "plans/render.h"
#include "tests/catch.h"
#include "tests/expected.h"
#include "tests/plans/support_fleet.h"
#include "tests/plans/support_topology.h"

using namespace stemma;
using namespace std::chrono_literals;

namespace {

// Two sources that write in domains of their own, and a replica of both; `more` is said of the replica.
std::string two(const std::string& replica, const std::string& mode = "by gtid\n",
                const std::string& of_b = "") {
  return mode +
         "a | domain=1 binlog-gtid=1-1-10 state=1-1-10\n"
         "b | domain=2 at=mysql-bin.000007:77 binlog-gtid=2-2-20 state=2-2-20 " +
         of_b + "\nr < a b<b | " + replica;
}
const std::string in_order = "slave-pos=1-1-10,2-2-20 state=1-1-10,2-2-20 binlog-gtid=1-1-10,2-2-20";

std::string messages(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& found : findings)
    if (found.weight != Weight::info) text += found.attribute + ": " + found.message + "\n";
  return text;
}

}  // namespace

TEST_CASE("further channels of a file") {
  const std::string text = account + R"([server.a]
address = "a"
[server.b]
address = "b"
[server.c]
address = "c"
[server.r]
address = "r"
source = "a"
delay = "5s"
[server.r.channel.z]
source = "c"
[server.r.channel.b]
source = "b"
delay = "7s"
do_db = ["app"]
[server.below]
address = "below"
[server.below.channel.only]
source = "r"
)";
  const Topology topology = good(text).topology;
  const Server& r = *topology.find({"r"});
  REQUIRE(r.channels.size() == 3);  // the default one, then by their names
  CHECK(r.channels[0].name.empty());
  CHECK(r.channels[1].name == "b");
  CHECK(r.channels[2].name == "z");
  CHECK(r.channels[0].options.delay == 5s);
  CHECK(r.channels[1].options.delay == 7s);
  CHECK_FALSE(r.channels[2].options.delay.has_value());  // a server's own keys are its default channel's
  CHECK(r.channel("b")->source == ServerName{"b"});
  CHECK(r.channel("b")->options.do_db == std::vector<std::string>{"app"});
  CHECK(r.places.contains("channel.b.delay"));
  CHECK(r.channel("b")->place == r.places.at("channel.b.source"));
  const Server& below = *topology.find({"below"});
  CHECK_FALSE(below.is_root());
  CHECK(below.read_only);
  CHECK(below.channel() == nullptr);
  CHECK(links_of(below).front().name() == Link({"below"}, "only"));

  const auto names = [](const std::vector<const Server*>& servers) {
    std::string list;
    for (const Server* server : servers) list += server->name.text + " ";
    return list;
  };
  CHECK(names(topology.roots_of(below)) == "a b c ");
  CHECK(names(topology.upstream({"r"})) == "r a b c ");
  CHECK(names(topology.below(*topology.find({"c"}))) == "r below ");
  CHECK(names(topology.replicas_of({"b"})) == "r ");
  const auto json = to_json(topology);
  REQUIRE(json.has_value());
  CHECK(topology_from_json(*json) == without_places(topology));
}

TEST_CASE("a channel in [defaults] is every server's but its source's") {
  const Topology topology = good(account + R"([defaults.channel.x]
source = "a"
delay = "3s"
[server.a]
address = "a"
[server.b]
address = "b"
[server.b.channel.x]
source = "a"
delay = "4s"
[server.c]
address = "c"
)")
                                .topology;
  CHECK(topology.find({"a"})->is_root());
  CHECK(topology.find({"b"})->channel("x")->options.delay == 4s);
  CHECK(topology.find({"c"})->channel("x")->options.delay == 3s);
}

TEST_CASE("a replica of two sources in order has nothing to do") {
  for (const char* mode : {"by gtid\n", "by position\n"}) {
    const Story story(two(in_order, mode));
    CHECK(told(diff(story.scene())).empty());
    CHECK(story.plan().steps.empty());
  }
}

TEST_CASE("findings about a channel say which") {
  CHECK(messages(diff(Story(two(in_order + " b:stopped")).scene())) ==
        "channel b.receiver: channel 'b': the receiver is stopped\n"
        "channel b.applier: channel 'b': the applier is stopped\n");
  CHECK(messages(diff(Story(two(in_order + " b:delay=9", "by gtid\n") + "\n").scene())).empty());
  CHECK(messages(diff(
            Story("by gtid\na | domain=1 state=1-1-10\nb | domain=2 state=2-2-20\nr < a b<b b.delay=1s | " +
                  in_order + " b:delay=9")
                .scene())) == "channel b.delay: channel 'b': the channel's delay is 9s, declared is 1s\n");
  CHECK(messages(diff(Story(two(in_order + " b:gone")).scene())) ==
        "channel b: channel 'b': is not there, should follow b\n");
  CHECK(told(diff(Story(two(in_order + " channel=elsewhere")).scene())) ==
        "warning r channel.unmanaged channel other: not in the file, but elsewhere:0\n");
}

TEST_CASE("a fresh replica of two empty sources") {
  const std::string fresh = "by gtid\na | fresh domain=1; b | fresh domain=2; r < a b<b | fresh";
  const Story story(fresh);
  const Plan plan = story.plan();
  CHECK(refusals(plan).empty());
  CHECK(steps(plan) == lines(R"(
    a.create-user
    b.create-user
    r.create-user
    r.fence after r.create-user
    a.capture-coordinates
    b.capture-coordinates
    r.adopt-position after r.fence, a.capture-coordinates, b.capture-coordinates
    r.configure-source after r.fence, a.capture-coordinates, r.adopt-position
    r.configure-source.b after r.fence, b.capture-coordinates, r.adopt-position
    r.start-replica after a.create-user, r.fence, r.adopt-position, r.configure-source, r.configure-source.b
    r.await-running after r.start-replica
    r.start-replica.b after b.create-user, r.fence, r.adopt-position, r.configure-source, r.configure-source.b
    r.await-running.b after r.start-replica.b
  )"));
  const Story by_position("by position\na | fresh domain=1; b | fresh domain=2; r < a b<b | fresh");
  CHECK(steps(by_position.plan()) == lines(R"(
    a.create-user
    b.create-user
    r.create-user
    r.fence after r.create-user
    a.capture-coordinates
    r.configure-source after r.fence, a.capture-coordinates
    b.capture-coordinates
    r.configure-source.b after r.fence, b.capture-coordinates
    r.start-replica after a.create-user, r.fence, r.configure-source, r.configure-source.b
    r.await-running after r.start-replica
    r.start-replica.b after b.create-user, r.fence, r.configure-source, r.configure-source.b
    r.await-running.b after r.start-replica.b
  )"));
}

TEST_CASE("a stopped channel is started, and the other one left alone") {
  CHECK(steps(Story(two(in_order + " b:stopped")).plan()) ==
        "r.start-replica.b\nr.await-running.b after r.start-replica.b\n");
}

TEST_CASE("a source that is new to a replica that replicates") {
  const std::string not_yet = "slave-pos=1-1-10 state=1-1-10 binlog-gtid=1-1-10 b:gone";
  // By GTID the running channel pauses: the server takes a position only while none runs.
  CHECK(steps(Story(two(not_yet)).plan()) == lines(R"(
    r.stop-replica
    b.capture-coordinates
    r.adopt-position after r.stop-replica, b.capture-coordinates
    r.configure-source.b after b.capture-coordinates, r.adopt-position
    r.start-replica after r.stop-replica, r.adopt-position, r.configure-source.b
    r.await-running after r.start-replica
    r.start-replica.b after r.adopt-position, r.configure-source.b
    r.await-running.b after r.start-replica.b
  )"));
  CHECK(steps(Story(two(not_yet, "by position\n")).plan()) == lines(R"(
    b.capture-coordinates
    r.configure-source.b after b.capture-coordinates
    r.start-replica.b after r.configure-source.b
    r.await-running.b after r.start-replica.b
  )"));
  CHECK(refusals(Story(two(not_yet, "by gtid\n", "data=goods")).plan()) == "r replica.data-missing\n");
  // Something of it came before.
  CHECK(refusals(Story(two("slave-pos=1-1-10,2-2-5 state=1-1-10,2-2-5 b:gone")).plan()).empty());
  CHECK(refusals(Story(two("slave-pos=1-1-10 state=1-1-10,2-2-5 b:gone")).plan()) ==
        "r replica.position-unknown\n");
}

TEST_CASE("each channel has its own refusal") {
  const Story story(
      "by position\na | fresh domain=1 data=goods; b | fresh domain=2 data=stock; r < a b<b | fresh");
  CHECK(refusals(story.plan()) == "r replica.data-missing\nr replica.data-missing\n");
}

TEST_CASE("what decides about a new source is asked") {
  const Story story(
      "by gtid\na | domain=1 state=1-1-10 unasked; b | domain=2 state=2-2-20 unasked\n"
      "r < a b<b | slave-pos=1-1-10 state=1-1-10 b:gone unasked");
  const auto questions = questions_for(story.scene());
  for (const char* server : {"a", "b", "r"}) CHECK(questions.at(ServerName{server}).schemas);
}

TEST_CASE("what came from one source is not errant for the other") {
  const Story story(two(in_order));
  for (const DeclaredLink& link : links_of(story.server("r"))) {
    CHECK_FALSE(errant_transactions(story.scene(), link).has_value());
    CHECK(to_text(relation_of(story.scene(), link).relation) == "identical");
  }
  const Story errant(two("slave-pos=1-1-10,2-2-20 state=1-1-10,2-2-20,1-3-11"));
  CHECK(told(preflight(errant.scene())).find("error r replica.errant-transactions") != std::string::npos);
}

TEST_CASE("sources that write in one GTID domain") {
  const auto story = [](const std::string& mode, const std::string& of_b) {
    return Story(mode + "\na | domain=1 binlog-gtid=1-1-10 state=1-1-10; b | " + of_b +
                 "; r < a b<b | slave-pos=1-1-10 state=1-1-10");
  };
  const std::string same = "domain=1 binlog-gtid=1-2-10 state=1-2-10";
  const Story by_gtid = story("by gtid", same);
  const auto findings = preflight(by_gtid.scene());
  REQUIRE(told(findings).find(
              "error r gtid.domain-shared channel b.gtid_domain_id: distinct at its sources, but 1") !=
          std::string::npos);
  for (const Finding& found : findings)
    if (found.code == "gtid.domain-shared") CHECK(found.hint.find("gtid_domain_id = 2") != std::string::npos);
  CHECK(told(preflight(story("by position", same).scene())).find("warning r gtid.domain-shared") !=
        std::string::npos);
  // What was written before counts, too.
  CHECK(told(preflight(story("by gtid", "domain=2 binlog-gtid=1-2-10 state=1-2-10").scene()))
            .find("error r gtid.domain-shared") != std::string::npos);
  CHECK(told(preflight(story("by gtid", "domain=2 binlog-gtid=2-2-10 state=2-2-10").scene()))
            .find("gtid.domain-shared") == std::string::npos);
}

TEST_CASE("schemas of one name at two sources") {
  const Story story(
      "by gtid\na | domain=1 state=1-1-10 data=app,shop; b | domain=2 state=2-2-20 "
      "data=app,stock,stemma_canary_2\n"
      "r < a b<b | " +
      in_order);
  CHECK(told(preflight(story.scene())) ==
        "warning r source.schema-shared channel b.schemas: distinct, but app\n");
  const Story filtered(
      "by gtid\na | domain=1 state=1-1-10 data=app; b | domain=2 state=2-2-20 data=app\n"
      "r < a b<b b.ignore_db=[\"app\"] | " +
      in_order);
  CHECK(told(preflight(filtered.scene())).empty());
}

TEST_CASE("MySQL 5.6 has no named channels") {
  Story story(two(in_order));
  for (const char* name : {"a", "b", "r"}) {
    story.state(name).flavor = Flavor::mysql;
    story.state(name).version = {5, 6, 24};
    story.state(name).mysql_gtids.emplace().mode = "ON";
  }
  CHECK(told(preflight(story.scene()))
            .find("error r channel.unsupported channel b: follows b, but no named channels") !=
        std::string::npos);
}

TEST_CASE("a variable that wants all channels off: MariaDB's STOP SLAVE would mean one of them") {
  const Plan plan = Story(
                        "by gtid\na | domain=1 binlog-gtid=1-1-10 state=1-1-10\n"
                        "b | domain=2 at=mysql-bin.000007:77 binlog-gtid=2-2-20 state=2-2-20\n"
                        "r < a b<b variables.slave_parallel_threads=4 | var=slave_parallel_threads:0 " +
                        in_order)
                        .plan();
  CHECK(steps(plan).empty());
  CHECK(notes(plan) ==
        "slave_parallel_threads of r is left alone: it is set only while no channel runs. On r: STOP ALL "
        "SLAVES; "
        "SET GLOBAL slave_parallel_threads = 4; START ALL SLAVES");
}

TEST_CASE("a tree shows a replica below each of its sources") {
  const Story story(two(in_order + "\nleaf < r | slave-pos=1-1-10,2-2-20"));
  const std::string text = status_as_text(story.scene(), {}, Palette{});
  check_text("plans", "status_multi_source", text);
}
