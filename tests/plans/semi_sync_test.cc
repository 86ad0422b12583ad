// Semi-synchronous replication, declared by the variables of both ends: who is told first, and when a receiver has to
// connect anew.
#include "plans/semi_sync.h"

#include "plans/diff.h"
#include "tests/catch.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;

namespace {

constexpr const char* kBothOn = "p variables.rpl_semi_sync_master_enabled=ON ";
constexpr const char* kReplicaOn = "r < p variables.rpl_semi_sync_slave_enabled=ON ";
constexpr const char* kBothOff = "p variables.rpl_semi_sync_master_enabled=OFF ";
constexpr const char* kReplicaOff = "r < p variables.rpl_semi_sync_slave_enabled=OFF ";

Story story(const std::string& source, const std::string& source_is, const std::string& replica,
            const std::string& replica_is) {
  return Story(source + "| " + source_is + "\n" + replica + "| " + replica_is);
}

}  // namespace

TEST_CASE("semi-sync: the replica takes it up before its source waits for it") {
  const Story before = story(kBothOn, "var=rpl_semi_sync_master_enabled:OFF", kReplicaOn,
                             "var=rpl_semi_sync_slave_enabled:OFF semi-sync=off");
  CHECK(steps(before.plan()) == lines(R"(
      r.stop-replica
      r.set-variable.rpl_semi_sync_slave_enabled after r.stop-replica
      r.start-replica after r.stop-replica, r.set-variable.rpl_semi_sync_slave_enabled
      r.await-running after r.start-replica
      p.set-variable.rpl_semi_sync_master_enabled after r.await-running
  )"));
}

TEST_CASE("semi-sync: the source gives it up before its replica") {
  const Story before = story(kBothOff, "var=rpl_semi_sync_master_enabled:ON", kReplicaOff,
                             "var=rpl_semi_sync_slave_enabled:ON semi-sync=on");
  CHECK(steps(before.plan()) == lines(R"(
      p.set-variable.rpl_semi_sync_master_enabled
      r.stop-replica after p.set-variable.rpl_semi_sync_master_enabled
      r.set-variable.rpl_semi_sync_slave_enabled after p.set-variable.rpl_semi_sync_master_enabled, r.stop-replica
      r.start-replica after r.stop-replica, r.set-variable.rpl_semi_sync_slave_enabled
      r.await-running after r.start-replica
  )"));
}

// An apply that was cut after the variable was set, or a SET by hand.
TEST_CASE("semi-sync: a receiver that connected before the variable was set connects again") {
  const Story set = story(kBothOn, "", kReplicaOn, "semi-sync=off");
  CHECK(told(diff(set.scene())) == "error r replica.semi-sync-differs semi_sync: on, but off\n");
  CHECK(steps(set.plan()) == lines(R"(
      r.stop-replica
      r.start-replica after r.stop-replica
      r.await-running after r.start-replica
  )"));
  CHECK(steps(story(kBothOff, "", kReplicaOff, "semi-sync=on").plan()) == steps(set.plan()));
  CHECK(steps(story(kBothOn, "", kReplicaOn, "semi-sync=on").plan()).empty());
}

TEST_CASE("semi-sync: a new replica has it before it connects") {
  const Story before = story(kBothOn, "fresh var=rpl_semi_sync_master_enabled:OFF", kReplicaOn,
                             "fresh var=rpl_semi_sync_slave_enabled:OFF semi-sync=off");
  const Plan plan = before.plan();
  const std::string order = steps(plan);
  INFO(order);
  CHECK(order.find("r.set-variable") < order.find("r.start-replica"));
  CHECK(order.find("r.await-running") < order.find("p.set-variable"));
  CHECK(order.find("r.stop-replica") == std::string::npos);
}

TEST_CASE("semi-sync: nothing is asked where the file leaves one end open") {
  CHECK(told(diff(Story(std::string("p\n") + kReplicaOn + "| semi-sync=off").scene())).empty());
  CHECK(told(diff(Story(std::string(kBothOn) + "\nr < p | semi-sync=off").scene())).empty());
  // One that is not to acknowledge needs no word of its source.
  CHECK(told(diff(Story(std::string("p\n") + kReplicaOff + "| semi-sync=on").scene())) ==
        "error r replica.semi-sync-differs semi_sync: off, but on\n");
}

TEST_CASE("semi-sync: each channel of a replica says it for itself") {
  const std::string sources =
      "a variables.rpl_semi_sync_master_enabled=ON\n"
      "b variables.rpl_semi_sync_master_enabled=ON | domain=2\n";
  const Story two(sources + "r < a b<b variables.rpl_semi_sync_slave_enabled=ON | semi-sync=off");
  CHECK(told(diff(two.scene())) ==
        "error r replica.semi-sync-differs semi_sync: on, but off\n"
        "error r replica.semi-sync-differs channel b.semi_sync: on, but off\n");
  CHECK(steps(two.plan()) == lines(R"(
      r.stop-replica
      r.start-replica after r.stop-replica
      r.await-running after r.start-replica
      r.stop-replica.b
      r.start-replica.b after r.stop-replica.b
      r.await-running.b after r.start-replica.b
  )"));
}

TEST_CASE("semi-sync: a stopped receiver is a finding of its own, and only that") {
  CHECK(told(diff(story(kBothOn, "", kReplicaOn, "stopped semi-sync=off").scene())).find("semi-sync") ==
        std::string::npos);
}

TEST_CASE("semi-sync: both names of each end are known, and which to use where") {
  CHECK(semi_sync_end("rpl_semi_sync_source_enabled") == SemiSyncEnd::source);
  CHECK(semi_sync_end("RPL_SEMI_SYNC_MASTER_ENABLED") == SemiSyncEnd::source);
  CHECK(semi_sync_end("rpl_semi_sync_replica_enabled") == SemiSyncEnd::replica);
  CHECK(semi_sync_end("rpl_semi_sync_slave_enabled") == SemiSyncEnd::replica);
  CHECK_FALSE(semi_sync_end("rpl_semi_sync_source_timeout"));
  ServerState state;
  state.flavor = Flavor::mysql;
  state.version = {9, 7, 0};
  CHECK(semi_sync_hint("rpl_semi_sync_master_enabled", state) ==
        "its plugin brings it: INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'; it is called "
        "rpl_semi_sync_source_enabled then");
  state.super_read_only = true;
  CHECK(semi_sync_hint("rpl_semi_sync_master_enabled", state).find("super_read_only off") !=
        std::string::npos);
  state.version = {5, 7, 40};
  CHECK(semi_sync_hint("rpl_semi_sync_slave_enabled", state).find("'semisync_slave.so'") !=
        std::string::npos);
  state.flavor = Flavor::mariadb;
  CHECK(semi_sync_hint("rpl_semi_sync_replica_enabled", state) ==
        "MariaDB calls it rpl_semi_sync_slave_enabled");
  CHECK(semi_sync_hint("sync_binlog", state).empty());
}
