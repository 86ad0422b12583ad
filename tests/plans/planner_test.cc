// Plans: which steps, in which order, for which story.
#include "plans/planner.h"

#include <algorithm>

#include "tests/catch.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;

namespace {

const Step& step(const Plan& plan, std::string_view id) {
  const auto found =
      std::find_if(plan.steps.begin(), plan.steps.end(), [&](const Step& s) { return s.id == id; });
  if (found == plan.steps.end()) FAIL("no step " << id << " in\n" << steps(plan));
  return *found;
}

}  // namespace

TEST_CASE("a fleet that is as declared has no plan") {
  const std::string mode = GENERATE("by position", "by gtid", "by auto");
  const Plan plan = Story(mode + "; primary; middle < primary; leaf < middle delay=60s; other").plan();
  CHECK(steps(plan).empty());
  CHECK(told(plan.differences).empty());
  CHECK(refusals(plan).empty());
  CHECK(notes(plan).empty());
}

TEST_CASE("quick start: a root and its replica, both just installed") {
  const Plan plan = Story("primary | fresh; replica < primary | fresh").plan();
  CHECK(steps(plan) == lines(R"(
    primary.create-user
    replica.create-user
    replica.fence after replica.create-user
    primary.capture-coordinates
    replica.configure-source after replica.fence, primary.capture-coordinates
    replica.start-replica after primary.create-user, replica.fence, replica.configure-source
    replica.await-running after replica.start-replica)"));
}

TEST_CASE("quick start by GTID: gtid_slave_pos is told first") {
  const Plan plan = Story("by auto; primary | fresh; replica < primary | fresh").plan();
  CHECK(plan.coordinates == CoordinatesMode::gtid);
  CHECK(steps(plan) == lines(R"(
    primary.create-user
    replica.create-user
    replica.fence after replica.create-user
    primary.capture-coordinates
    replica.adopt-position after replica.fence, primary.capture-coordinates
    replica.configure-source after replica.fence, primary.capture-coordinates, replica.adopt-position
    replica.start-replica after primary.create-user, replica.fence, replica.configure-source
    replica.await-running after replica.start-replica)"));
}

TEST_CASE("a chain of three: the leaf knows where to start before the middle begins to write") {
  const Plan plan = Story("primary | fresh; middle < primary | fresh; leaf < middle | fresh").plan();
  CHECK(steps(plan) == lines(R"(
    primary.create-user
    middle.create-user
    middle.fence after middle.create-user
    primary.capture-coordinates
    middle.configure-source after middle.fence, primary.capture-coordinates
    leaf.create-user
    leaf.fence after leaf.create-user
    middle.capture-coordinates
    leaf.configure-source after leaf.fence, middle.capture-coordinates
    middle.start-replica after primary.create-user, middle.fence, middle.configure-source, leaf.configure-source
    middle.await-running after middle.start-replica
    leaf.start-replica after middle.create-user, leaf.fence, leaf.configure-source
    leaf.await-running after leaf.start-replica)"));
}

TEST_CASE("a stopped replica is started, and nothing else") {
  const Plan plan = Story("primary; replica < primary | stopped").plan();
  CHECK(steps(plan) == lines(R"(
    replica.start-replica
    replica.await-running after replica.start-replica)"));
  CHECK(step(plan, "replica.start-replica").hazards.empty());
}

TEST_CASE("a writable replica is fenced, without a stop") {
  CHECK(steps(Story("primary; replica < primary | writable").plan()) == "replica.fence\n");
}

TEST_CASE("a receiver that waits for its next attempt is stopped, so that it tries at once") {
  CHECK(steps(Story("primary; replica < primary | connecting").plan()) == lines(R"(
    replica.stop-replica
    replica.start-replica after replica.stop-replica
    replica.await-running after replica.start-replica)"));
}

TEST_CASE("a damaged relay log is fetched anew by GTID: the receiver is stopped, too") {
  Story story("by gtid; primary; replica < primary");
  Channel& channel = story.channel("replica");
  channel.gtid = ChannelGtid::slave_pos;
  channel.applier = false;
  channel.applier_errno = 1594;
  CHECK(steps(story.plan()) == lines(R"(
    replica.stop-replica
    replica.start-replica after replica.stop-replica
    replica.await-running after replica.start-replica)"));
  channel.applier_errno = 1062;
  CHECK(steps(story.plan()) == lines(R"(
    replica.start-replica
    replica.await-running after replica.start-replica)"));

  // What the source has purged is nowhere but there.
  Story purged("by gtid; primary | horizon=0-1-11; replica < primary");
  purged.channel("replica") = channel;
  CHECK(steps(purged.plan()) == lines(R"(
    replica.start-replica
    replica.await-running after replica.start-replica)"));
  purged.channel("replica").applier_errno = 1594;
  CHECK(refusals(purged.plan()) == "replica replica.binlog-gone\n");
  purged.channel("replica").applier_errno = 1062;
  purged.channel("replica").receiver = ReceiverState::connecting;
  CHECK(refusals(purged.plan()) == "replica replica.binlog-gone\n");
  CHECK(purged.plan().refusals.front().hint.starts_with(
      "if its relay log holds the rest, START SLAVE SQL_THREAD"));
  purged.channel("replica").applier = true;
  CHECK(refusals(purged.plan()).empty());
}

TEST_CASE("a wrong source, by position: by GTID first, then back") {
  const Plan plan = Story("primary; old < primary; replica < primary | follows=old").plan();
  CHECK(steps(plan) == lines(R"(
    replica.stop-replica
    replica.await-caught-up after replica.stop-replica
    replica.stop-replica-2 after replica.await-caught-up
    replica.configure-source after replica.stop-replica-2
    replica.start-replica after replica.configure-source
    replica.await-running after replica.start-replica
    replica.stop-replica-3 after replica.await-running
    replica.await-caught-up-2 after replica.stop-replica-3
    replica.stop-replica-4 after replica.await-caught-up-2
    replica.configure-source-2 after replica.stop-replica-4
    replica.start-replica-2 after replica.configure-source-2
    replica.await-running-2 after replica.start-replica-2)"));
  CHECK(step(plan, "replica.configure-source").hazards == std::vector{Hazard::repoint});
}

TEST_CASE("a wrong source, by GTID: once") {
  const Plan plan = Story("by gtid; primary; old < primary; replica < primary | follows=old").plan();
  CHECK(steps(plan) == lines(R"(
    replica.stop-replica
    replica.await-caught-up after replica.stop-replica
    replica.stop-replica-2 after replica.await-caught-up
    replica.configure-source after replica.stop-replica-2
    replica.start-replica after replica.configure-source
    replica.await-running after replica.start-replica)"));
}

TEST_CASE("a changed option is mended from what the replica has executed") {
  const Plan plan = Story("primary; replica < primary connect_retry=10s | retry=60").plan();
  CHECK(steps(plan) == lines(R"(
    replica.stop-replica
    replica.await-caught-up after replica.stop-replica
    replica.stop-replica-2 after replica.await-caught-up
    replica.configure-source after replica.stop-replica-2
    replica.start-replica after replica.configure-source
    replica.await-running after replica.start-replica)"));
  CHECK(step(plan, "replica.configure-source").origin == Origin{FromExecuted{}});
}

TEST_CASE(
    "a changed password: channels learn it, and a replica's turn comes when it has executed its source's own "
    "change") {
  const Plan plan =
      Story("primary | password=old; replica < primary | password=old lag=3 executed=mysql-bin.000002:500")
          .plan();
  CHECK(steps(plan) == lines(R"(
    primary.alter-user
    replica.stop-replica after primary.alter-user
    replica.await-caught-up after replica.stop-replica
    replica.stop-replica-2 after replica.await-caught-up
    replica.configure-source after replica.stop-replica-2
    replica.start-replica after primary.alter-user, replica.configure-source
    replica.await-running after replica.start-replica
    replica.await-caught-up-2 after replica.await-running
    replica.alter-user after replica.await-caught-up-2)"));
}

TEST_CASE("a missing account, on a replica that has caught up, waits for nothing") {
  CHECK(steps(Story("primary; replica < primary | no-account").plan()) == "replica.create-user\n");
}

TEST_CASE("an applier that stands at an account it lacks: the account comes first") {
  const Plan plan =
      Story("primary; replica < primary | no-account applier-error=1133 executed=mysql-bin.000002:500")
          .plan();
  CHECK(steps(plan) == lines(R"(
    replica.create-user
    replica.start-replica after replica.create-user
    replica.await-running after replica.start-replica
    replica.await-caught-up after replica.await-running
    replica.alter-user after replica.create-user, replica.await-caught-up)"));
}

TEST_CASE("a change of the account that a replica has still to apply may undo it") {
  const std::string behind = "; replica < primary | executed=mysql-bin.000002:500";
  CHECK(steps(Story("primary" + behind).plan()).empty());
  CHECK(steps(Story("primary | no-account" + behind).plan()) == lines(R"(
    primary.create-user
    replica.await-caught-up
    replica.create-user after replica.await-caught-up)"));
}

TEST_CASE("variables that are set only while no channel runs") {
  const std::string four = " variables.slave_parallel_threads=4 ";
  const Plan running = Story("primary; replica < primary" + four + "| var=slave_parallel_threads:0").plan();
  CHECK(steps(running).empty());
  CHECK(notes(running) ==
        "slave_parallel_threads of replica is left alone: it is set only while no channel runs. On replica: "
        "STOP "
        "SLAVE; SET GLOBAL slave_parallel_threads = 4; START SLAVE");
  CHECK(steps(Story("primary; replica < primary" + four + "| stopped var=slave_parallel_threads:0").plan()) ==
        lines(R"(
    replica.set-variable.slave_parallel_threads
    replica.start-replica after replica.set-variable.slave_parallel_threads
    replica.await-running after replica.start-replica)"));
}

TEST_CASE("in a chain, what the middle has still to apply is awaited at the leaf, too") {
  // The leaf has all that the middle has, and what the middle still lacks may take its account away.
  CHECK(steps(Story("primary | no-account; middle < primary | executed=mysql-bin.000002:500; leaf < middle")
                  .plan()) == lines(R"(
    primary.create-user
    middle.await-caught-up
    middle.create-user after middle.await-caught-up
    leaf.await-caught-up after middle.await-caught-up
    leaf.create-user after leaf.await-caught-up)"));
}

TEST_CASE("a delayed replica's account is left alone, and the plan says so") {
  const Plan plan =
      Story("primary; replica < primary delay=3600s | no-account executed=mysql-bin.000002:500").plan();
  CHECK(steps(plan).empty());
  CHECK(notes(plan) ==
        "the replication account on replica is left alone: it is delayed, and its source's own changes "
        "of the account must come first; with delay = \"0s\" in the file they do");
}

TEST_CASE("the way on from a delayed replica's account") {
  const Plan plan = Story(R"(
    primary
    replica < primary delay=0s | delay=3600 no-account executed=mysql-bin.000002:500)")
                        .plan();
  CHECK(notes(plan).empty());
  CHECK(steps(plan) == lines(R"(
    replica.stop-replica
    replica.configure-source after replica.stop-replica
    replica.start-replica after replica.configure-source
    replica.await-running after replica.start-replica
    replica.await-caught-up after replica.await-running
    replica.create-user after replica.await-caught-up)"));
}

TEST_CASE("a channel that can't be started is left alone, with all that hangs on it, and the plan says so") {
  // The middle waits for its source's own account, so nobody can log in at it.
  const Plan plan = Story(R"(
    primary
    middle < primary delay=60s | no-account executed=mysql-bin.000002:500
    below  < middle            | fresh
    leaf   < below             | fresh)")
                        .plan();
  CHECK(steps(plan) == "below.fence\nleaf.fence\n");
  CHECK(notes(plan) + "\n" == lines(R"(
    the channel of below is left alone until this is so: middle has the replication account
    the channel of leaf is left alone until this is so: below has the replication account
    the replication account on middle is left alone: it is delayed, and its source's own changes of the account must come first; with delay = "0s" in the file they do
    the replication account on below is left alone: it can't catch up with its source now; apply again when it can
    the replication account on leaf is left alone: it can't catch up with its source now; apply again when it can)"));
}

TEST_CASE("what is left alone does not depend on the order of the file") {
  Story story(
      "p; m < p delay=60s | no-account executed=mysql-bin.000002:500; b < m | fresh; leaf < b | fresh");
  const std::string before = notes(story.plan());
  CHECK(before.find("the channel of leaf") != std::string::npos);
  std::reverse(story.topology.servers.begin(), story.topology.servers.end());
  story.topology.build_index();
  const Plan plan = story.plan();
  CHECK(plan.notes.size() == 5);
  CHECK(notes(plan).find("the channel of leaf") != std::string::npos);
}

TEST_CASE("a stopped channel goes on with the old password of its source, which is left alone") {
  const std::string middle = "p; m < p delay=60s | password=old executed=mysql-bin.000002:500; ";
  CHECK(steps(Story(middle + "leaf < m | stopped").plan()) == lines(R"(
    leaf.start-replica
    leaf.await-running after leaf.start-replica)"));
  // Where it is refused, or must be configured, it would be told the new one.
  for (const char* state : {"stopped receiver-error=1045", "fresh"}) {
    const Plan plan = Story(middle + "leaf < m | " + state).plan();
    CHECK(steps(plan).find("start-replica") == std::string::npos);
    CHECK(notes(plan).find("the channel of leaf is left alone until this is so: the replication account on m "
                           "has the declared plugin and password") != std::string::npos);
  }
}

TEST_CASE("a delayed replica whose account keeps the old password is not configured again and again") {
  const Plan plan = Story("p; m < p delay=60s | password=old executed=mysql-bin.000002:500").plan();
  CHECK(steps(plan).empty());
  CHECK(notes(plan).find("the replication account on m is left alone") != std::string::npos);
}

TEST_CASE("a delayed source that has caught up gets its account, and its replica the new password") {
  const Plan plan = Story("p; m < p delay=60s | password=old; leaf < m").plan();
  CHECK(steps(plan).find("m.alter-user") != std::string::npos);
  CHECK(steps(plan).find("leaf.configure-source") != std::string::npos);
}

TEST_CASE("an account with too much and too little") {
  const Plan plan = Story("primary | no-grant may-also=SUPER plugin=ed25519", "").plan();
  CHECK(steps(plan).empty());  // nobody hangs on it
  const Plan two = Story("primary | no-grant may-also=SUPER; replica < primary").plan();
  CHECK(steps(two) == "primary.grant\nprimary.revoke\n");
  CHECK(step(two, "primary.revoke").hazards == std::vector{Hazard::revoke});
}

TEST_CASE("a root is opened for writes when all others of its tree are fenced") {
  const Plan plan = Story(R"(
    primary            | fenced
    r1      < primary  | writable
    r2      < r1
    other              | writable
    s1      < other    | writable)")
                        .plan();
  CHECK(steps(plan) == lines(R"(
    r1.fence
    s1.fence
    primary.unfence after r1.fence)"));
  CHECK(step(plan, "primary.unfence").hazards == std::vector{Hazard::unfence});
}

TEST_CASE("a root stays closed while a server of its tree is silent") {
  const Plan plan = Story("primary | fenced; r1 < primary; r2 < r1 | silent").plan();
  CHECK(steps(plan).empty());
  CHECK(notes(plan) ==
        "r2 could not be looked at: its steps, and those that need it, are left out\n"
        "primary stays read-only: r2 could not be looked at, so nobody knows whether it is fenced");
}

TEST_CASE("a silent replica costs only its own steps") {
  const Plan plan = Story("primary; r1 < primary | silent; r2 < primary | stopped").plan();
  CHECK(steps(plan) == lines(R"(
    r2.start-replica
    r2.await-running after r2.start-replica)"));
  CHECK(refusals(plan).empty());
}

TEST_CASE("a silent source: its replicas are fenced, and nothing is built on it") {
  const Plan plan =
      Story("primary | silent; r1 < primary | stopped writable; r2 < primary | no-account").plan();
  CHECK(steps(plan) == "r1.fence\n");
  CHECK(refusals(plan).empty());
}

TEST_CASE("the file's word that data are identical: every step waits for the check") {
  const Plan plan = Story(R"(
    primary                                          | data=shop may-also=SUPER
    replica < primary provision=assume-identical     | fresh data=shop
    other   < primary                                | writable)")
                        .plan();
  CHECK(steps(plan) == lines(R"(
    primary.capture-coordinates
    primary.revoke after primary.capture-coordinates
    replica.create-user after primary.capture-coordinates
    replica.fence after primary.capture-coordinates, replica.create-user
    replica.configure-source after primary.capture-coordinates, replica.fence
    replica.start-replica after primary.capture-coordinates, replica.fence, replica.configure-source
    replica.await-running after primary.capture-coordinates, replica.start-replica
    other.fence after primary.capture-coordinates)"));
  const Step& check = step(plan, "primary.capture-coordinates");
  CHECK(check.summary == "check that primary still stands at mysql-bin.000002:1000");
  CHECK(step(plan, "replica.configure-source").hazards == std::vector{Hazard::assume_identical});
}

TEST_CASE("two fresh replicas of one source share its coordinates") {
  const Plan plan = Story("primary | fresh; r1 < primary | fresh; r2 < primary | fresh").plan();
  CHECK(std::count_if(plan.steps.begin(), plan.steps.end(),
                      [](const Step& s) { return s.kind == StepKind::capture_coordinates; }) == 1);
}

TEST_CASE("a declared variable is set") {
  const Plan plan = Story("primary variables.sync_binlog=1 | var=sync_binlog:0").plan();
  CHECK(steps(plan) == "primary.set-variable.sync_binlog\n");
  const Plan unknown = Story("primary variables.sync_binlog=1 | no-var=sync_binlog").plan();
  CHECK(steps(unknown).empty());
  CHECK(refusals(unknown) == "primary variable.differs\n");
}

TEST_CASE("stemma's own account may too little for the steps that there are") {
  const Plan idle = Story("primary | poor; replica < primary").plan();
  CHECK(refusals(idle).empty());
  const Plan plan = Story("primary; replica < primary | poor writable").plan();
  CHECK(refusals(plan) == "replica server.privilege-missing\n");
  CHECK(plan.refusals[0].hint ==
        "as an administrator of that server: SET SESSION sql_log_bin = 0; GRANT REPLICATION SLAVE ADMIN, "
        "READ_ONLY ADMIN, BINLOG ADMIN, "
        "CREATE USER "
        "ON *.* TO 'root'@'…'; GRANT REPLICATION SLAVE ON *.* TO 'root'@'…' WITH GRANT OPTION;");
}

TEST_CASE("two refusals at once are both said") {
  const Plan plan = Story("primary | data=shop; r1 < primary | fresh; r2 < primary | fresh data=own").plan();
  CHECK(refusals(plan) == "r1 replica.data-missing\nr2 replica.diverged\n");
}

TEST_CASE("a server whose data its source lacks is refused, whatever its GTIDs say") {
  const std::string own = "; replica < primary | fresh data=mine ";
  for (const std::string source : {"primary | fresh", "primary"}) {
    CHECK(refusals(Story(source + own).plan()) == "replica replica.errant-transactions\n");
    CHECK(refusals(Story(source + own + "state=0-2-99").plan()) == "replica replica.errant-transactions\n");
  }
}

TEST_CASE("a receiver whose source can't send is not just started again") {
  for (const char* number : {"1236", "13114"})  // the second from MySQL 8.0 on
    CHECK(
        refusals(Story(fmt::format("by gtid; primary | horizon=0-1-11; replica < primary | receiver-error={}",
                                   number))
                     .plan()) == "replica replica.binlog-gone\n");
}

TEST_CASE("a declared root that replicates is refused, and never opened") {
  const Plan plan = Story("primary | fenced follows=old; old < primary").plan();
  CHECK(refusals(plan) == "primary source.has-channel\n");
  CHECK(steps(plan).empty());
}

TEST_CASE("accounts that write through the fence are named") {
  const Plan plan =
      Story("primary; replica < primary | writable bypass=mariadb.sys@localhost bypass=root@localhost")
          .plan();
  CHECK(
      notes(plan) ==
      "read_only on replica does not stop 'root'@'localhost' (READ_ONLY ADMIN), nor events that they define");
}

TEST_CASE("assume-identical that has done its work is worth a word") {
  const Plan plan = Story("primary; replica < primary provision=assume-identical").plan();
  CHECK(steps(plan).empty());
  CHECK(notes(plan) ==
        "provision = \"assume-identical\" of replica is no longer used: it has replicated already. Take it "
        "out of the "
        "file");
}

TEST_CASE("a replica that executed nothing, below one that gets another password") {
  // Its channel changes before the middle starts; the middle's account changes after it has started; and the channel
  // is stopped only when that account is ready: "the steps wait for each other in a cycle".
  const Story story("p; m < p | password=old; x < m | slave-pos= follows=elsewhere");
  const auto plan = make_plan(story.scene());
  INFO((plan ? "" : plan.error().message));
  CHECK(plan.has_value());
}

TEST_CASE("a channel is not told a password that its source does not take") {
  // The middle's account is left alone (the plan says so), so its replica must go on with the old password: stopped
  // and told the new one, a replica that runs would be refused with 1045.
  const char* const middle = GENERATE("p | silent; m < p | password=old",
                                      "p; m < p delay=60s | password=old executed=mysql-bin.000002:500");
  const Plan plan = Story(std::string(middle) + "; leaf < m").plan();
  CHECK(notes(plan).find("the replication account on m is left alone") != std::string::npos);
  CHECK(steps(plan).find("leaf.") == std::string::npos);
}

TEST_CASE("filters by domain do not go with positions") {
  const auto refused = [](const std::string& declared) {
    Story story("by position; p; r < p " + declared);
    story.channel("r").gtid = ChannelGtid::slave_pos;
    story.channel("r").do_domain_ids = "0,1";
    const Plan plan = story.plan();
    return plan.refusals.empty() ? "" : plan.refusals[0].message + "; " + plan.refusals[0].hint;
  };
  CHECK(refused("do_domain_ids=[2]") ==
        "do_domain_ids filters only where channels use GTIDs; set coordinates = \"gtid\", or take it out");
  CHECK(refused("") ==
        "do_domain_ids filters only where channels use GTIDs, and it is set: 0,1; set coordinates = "
        "\"gtid\"; or declare do_domain_ids = [] to drop it");
  CHECK(refused("do_domain_ids=[]").empty());
}

TEST_CASE("the same input gives the same plan, however the observations came in") {
  const std::string text = R"(
    primary          | fenced password=old
    r1 < primary     | fresh
    r2 < primary     | writable stopped
    r3 < r2          | connecting no-account)";
  const Story story(text);
  Story shuffled(text);
  shuffled.fleet.servers.clear();
  for (const char* name : {"r3", "primary", "r2", "r1"})
    shuffled.fleet.servers.emplace(ServerName{name}, story.fleet.servers.at({name}));
  CHECK(story.plan() == shuffled.plan());
  CHECK(story.plan() == Story(text).plan());
}
