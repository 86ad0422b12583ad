// Facts: their sentences, and the judgements that drift does not show.
#include "plans/fact.h"

#include "plans/password_hash.h"
#include "plans/plan.h"
#include "plans/preflight.h"
#include "plans/privileges.h"
#include "plans/questions.h"
#include "tests/catch.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;

namespace {

const ServerName primary{"primary"}, replica{"replica"};

// The verdict on a primary and its replica, with these words of the replica.
std::string verdict(const Fact& fact, const Story& story) {
  switch (judge(fact, story.scene()).verdict) {
    case Verdict::holds: return "holds";
    case Verdict::missing: return "missing";
    case Verdict::unknown: break;
  }
  return "unknown";
}
std::string verdict(const Fact& fact, const std::string& words = "") {
  return verdict(fact, Story("primary; replica < primary | " + words));
}

}  // namespace

TEST_CASE("every fact is a sentence about its server") {
  const std::vector<std::pair<Fact, std::string>> sentences = {
      {AccountIs{primary, AccountAspect::exists}, "primary has the replication account"},
      {AccountIs{primary, AccountAspect::secret},
       "the replication account on primary has the declared plugin and password"},
      {AccountIs{primary, AccountAspect::granted}, "the replication account on primary may replicate"},
      {AccountIs{primary, AccountAspect::nothing_more},
       "the replication account on primary may do nothing more"},
      {ReadOnly{primary, true}, "primary is read-only"},
      {ReadOnly{primary, false}, "primary is writable"},
      {VariableIs{primary, "sync_binlog"}, "sync_binlog on primary is as declared"},
      {CoordinatesNoted{primary, std::nullopt},
       "the binlog coordinates of primary are noted, and nothing was written before them"},
      {CoordinatesNoted{primary, at("b.000001:4")}, "primary still stands at b.000001:4"},
      {PositionAdopted{replica}, "the GTID position of replica is where its data stand"},
      {ReceiverOff{replica}, "replica receives nothing"},
      {Drained{replica, 2}, "replica has applied what it has received again"},
      {ChannelOff{replica}, "replica is not replicating"},
      {Follows{replica, primary, true}, "replica follows primary by GTID, with the declared options"},
      {Follows{replica, primary, false},
       "replica follows primary by file and position, with the declared options"},
      {ChannelOn{replica, 2}, "both threads of replica are on again"},
      {Flowing{replica, primary}, "data flow from primary to replica"},
      {CaughtUp{replica, primary}, "replica has executed what primary had"},
  };
  for (const auto& [fact, sentence] : sentences) {
    CHECK(describe(fact) == sentence);
    CHECK(sentence.find(subject(fact).text) != std::string::npos);
  }
}

TEST_CASE("nobody can tell of a silent server") {
  CHECK(verdict(ReadOnly{replica, true}, "silent") == "unknown");
  CHECK(verdict(ReadOnly{ServerName{"nobody"}, true}) == "unknown");
}

TEST_CASE("threads, off and on") {
  CHECK(verdict(ReceiverOff{replica}) == "missing");
  CHECK(verdict(ReceiverOff{replica}, "connecting") == "missing");
  CHECK(verdict(ReceiverOff{replica}, "receiver-off") == "holds");
  CHECK(verdict(ReceiverOff{replica}, "no-channel") == "holds");
  CHECK(verdict(ChannelOff{replica}, "receiver-off") == "missing");
  CHECK(verdict(ChannelOff{replica}, "stopped") == "holds");
  CHECK(verdict(ChannelOn{replica}) == "holds");
  CHECK(verdict(ChannelOn{replica}, "connecting") == "holds");
  CHECK(verdict(ChannelOn{replica}, "applier-off") == "missing");
  CHECK(verdict(ChannelOn{replica}, "no-channel") == "missing");
}

TEST_CASE("drained: applied up to what was received") {
  CHECK(verdict(Drained{replica}) == "holds");
  CHECK(verdict(Drained{replica}, "executed=mysql-bin.000002:999") == "missing");
  CHECK(verdict(Drained{replica}, "executed=mysql-bin.000001:9999") == "missing");
  CHECK(verdict(Drained{replica}, "lost-place") == "holds");
}

TEST_CASE("drained: half a transaction stays, but an applier that has not begun is awaited") {
  Story story("primary; replica < primary | receiver-off executed=mysql-bin.000002:999");
  CHECK(verdict(Drained{replica}, story) == "missing");
  story.channel("replica").applier_doing = "Slave has read all relay log; waiting for more updates";
  CHECK(verdict(Drained{replica}, story) == "holds");
  story.channel("replica").executed = {};
  CHECK(verdict(Drained{replica}, story) == "missing");
}

TEST_CASE("flowing: the receiver has what the source had when START returned") {
  Story story("primary; replica < primary");
  const Flowing flowing{replica, primary};
  CHECK(verdict(flowing, story) == "holds");
  story.outputs.after_start[replica] = Moment{at("mysql-bin.000002:1001"), {}};
  CHECK(verdict(flowing, story) == "missing");
  story.channel("replica").read = at("mysql-bin.000002:1001");
  CHECK(verdict(flowing, story) == "holds");
  story.channel("replica").receiver_doing = "Checking master version";
  CHECK(verdict(flowing, story) == "missing");
  CHECK(verdict(flowing, "no-channel") == "missing");
  CHECK(verdict(flowing, "stopped") == "missing");
}

TEST_CASE("flowing: an applier that had failed has got over it") {
  Story story("primary; replica < primary | executed=mysql-bin.000002:500");
  const Flowing flowing{replica, primary};
  FailedApplier& failed = story.outputs.failed[replica];
  failed.channel = story.channel("replica");
  failed.channel.applier = false;
  failed.channel.applier_errno = 1062;
  failed.channel.applier_error = "Duplicate entry '1'";
  failed.executed = gtid("0-1-7");

  SECTION("by coordinates") {
    const Judgement stands = judge(flowing, story.scene());
    CHECK(stands.verdict == Verdict::missing);
    REQUIRE(stands.findings.size() == 1);
    CHECK(stands.findings[0].message ==
          "the applier, started again, has executed nothing since it failed with 1062: Duplicate entry '1'");
    story.channel("replica").executed = at("mysql-bin.000002:600");
    CHECK(verdict(flowing, story) == "holds");
  }
  SECTION("nothing is left to execute") {
    story.channel("replica").executed = failed.channel.executed = story.channel("replica").read;
    CHECK(verdict(flowing, story) == "holds");
  }
  SECTION("it follows another source now") {
    failed.channel.port = 1;
    CHECK(verdict(flowing, story) == "holds");
  }
  SECTION("MariaDB's coordinates say nothing by GTID") {
    story.channel("replica").gtid = failed.channel.gtid = ChannelGtid::slave_pos;
    failed.executed = story.state("replica").executed();
    story.channel("replica").executed = at("mysql-bin.000002:600");
    CHECK(verdict(flowing, story) == "missing");
    failed.executed = gtid("0-1-7");
    CHECK(verdict(flowing, story) == "holds");
  }
}

TEST_CASE("flowing: MySQL's workers name the transaction that failed") {
  const std::string uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
  const auto set = [&](const char* numbers) { return *GtidSet::parse(uuid + ":" + numbers); };
  ServerState state;
  state.flavor = Flavor::mysql;
  state.mysql_gtids.emplace().mode = "ON";
  Channel now;
  now.read = at("binlog.000002:900");
  now.executed = at("binlog.000002:500");
  FailedApplier failed{now, {}};
  failed.channel.applier_error =
      "Coordinator stopped because there were error(s) in the worker(s). The most recent failure being: "
      "Worker 1 "
      "failed executing transaction '" +
      uuid + ":7' at source log binlog.000002, end_log_pos 700. See error log";
  now.retrieved = set("5-9");
  now.executed = at("binlog.000002:600");
  state.mysql_gtids->executed = set("1-6:8");  // another worker has gone on
  CHECK_FALSE(is_past(failed, now, state));
  state.mysql_gtids->executed = set("1-8");
  CHECK(is_past(failed, now, state));
  failed.channel.applier_error =
      "Worker 1 failed executing transaction 'ANONYMOUS' at source log binlog.000002, end_log_pos 700";
  CHECK(is_past(failed, now, state));  // its coordinates have moved
  now.executed = failed.channel.executed;
  CHECK_FALSE(is_past(failed, now, state));
  state.mysql_gtids->executed = set("1-9");
  CHECK(is_past(failed, now, state));  // all that was received
}

TEST_CASE("caught up: executed what its source had when the apply began") {
  Story story("primary; replica < primary");
  const CaughtUp caught_up{replica, primary};
  CHECK(verdict(caught_up, story) == "holds");
  story.outputs.sources[primary] = Moment{at("mysql-bin.000003:4"), {}};
  CHECK(verdict(caught_up, story) == "missing");
  story.outputs.sources[primary] = Moment{};
  CHECK(verdict(caught_up, story) == "unknown");  // its source has no binlog to compare with
  CHECK(verdict(caught_up, "no-channel") == "missing");
  CHECK(verdict(caught_up, Story("primary | silent; replica < primary")) == "unknown");
  CHECK(verdict(caught_up, Story("primary; old; replica < primary | follows=old")) == "missing");
}

TEST_CASE("coordinates noted, positions adopted") {
  Story story("primary; replica < primary");
  CHECK(verdict(CoordinatesNoted{primary, std::nullopt}, story) == "missing");
  CHECK(verdict(PositionAdopted{replica}, story) == "missing");
  story.outputs.noted[primary] = Moment{at("mysql-bin.000002:1000"), gtid("0-1-10")};
  CHECK(verdict(CoordinatesNoted{primary, std::nullopt}, story) == "holds");
  CHECK(verdict(CoordinatesNoted{primary, at("mysql-bin.000002:1000")}, story) == "holds");
  CHECK(verdict(CoordinatesNoted{primary, at("mysql-bin.000002:999")}, story) == "missing");
  CHECK(verdict(PositionAdopted{replica}, story) == "holds");
  CHECK(verdict(PositionAdopted{primary}, story) == "unknown");
  const std::string word = "primary; replica < primary provision=assume-identical at=0-1-7 | slave-pos=";
  CHECK(verdict(PositionAdopted{replica}, Story(word + "0-1-7")) == "holds");
  CHECK(verdict(PositionAdopted{replica}, Story(word + "0-1-8")) == "missing");
}

TEST_CASE("an account that is missing is one finding, not four") {
  const Story story("primary; replica < primary | no-account");
  CHECK(judge(AccountIs{replica, AccountAspect::exists}, story.scene()).findings.size() == 1);
  for (const auto aspect : {AccountAspect::secret, AccountAspect::granted, AccountAspect::nothing_more}) {
    const Judgement judgement = judge(AccountIs{replica, aspect}, story.scene());
    CHECK(judgement.verdict == Verdict::missing);
    CHECK(judgement.findings.empty());
  }
}

TEST_CASE("super_read_only counts where it is declared and known") {
  Story story("primary; replica < primary super_read_only=true");
  CHECK(verdict(ReadOnly{replica, true}, story) == "holds");  // no such variable there
  story.state("replica").super_read_only = false;
  CHECK(verdict(ReadOnly{replica, true}, story) == "missing");
  story.state("replica").super_read_only = true;
  CHECK(verdict(ReadOnly{replica, true}, story) == "holds");
}

TEST_CASE("password hashes as servers store them") {
  CHECK(native_password_hash(Secret("password")) == "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19");
  CHECK(native_password_hash(Secret("")) == "");
  CHECK(short_digest("") == "e3b0c44298fc1c14");
}

TEST_CASE("hazards and kinds have names") {
  for (const auto name : hazard_names()) {
    const auto hazard = hazard_named(name);
    REQUIRE(hazard.has_value());
    CHECK(to_text(*hazard) == name);
    CHECK_FALSE(meaning(*hazard).empty());
    const bool own_flag = name == "reset-binlog" || name == "reset-channel" || name == "discard-relay-log" ||
                          name == "kill-sessions" || name == "overwrite-data";
    CHECK(covered_by_yes(*hazard) == !own_flag);
  }
  CHECK(hazard_names().size() == 10);
  CHECK_FALSE(hazard_named("nonesuch").has_value());
}

TEST_CASE("servers in order are asked nothing more") {
  const auto asked = [](const std::string& text) {
    std::string all;
    for (const auto& [server, what] : questions_for(Story(text).scene()))
      all += fmt::format("{}:{}{}{} ", server.text, what.schemas ? " schemas" : "",
                         what.binlogs ? " binlogs" : "", what.coordinates ? " coordinates" : "");
    return all;
  };
  CHECK(asked("p | unasked; r < p | unasked").empty());
  CHECK(asked("p | fresh unasked; r < p | fresh unasked") == "p: schemas r: schemas ");
  CHECK(asked("p | unasked; r < p provision=replay | fresh unasked") == "p: schemas binlogs r: schemas ");
  CHECK(asked("p | unasked; r < p | unasked no-channel slave-pos=") == "p: binlogs ");
  CHECK(asked("p | unasked; r < p | unasked stopped") == "p: binlogs ");
  CHECK(asked("p | unasked; r < p | unasked stopped slave-pos=") == "p: schemas binlogs r: schemas ");
  CHECK(asked("p; r < p | stopped slave-pos=") == "p: ");  // but for the place at which it stands
  CHECK(asked("p | silent; r < p | unasked stopped").empty());
  // A replica that was read a moment later than its source, or whose source has lost its binlogs.
  CHECK(asked("p | at=mysql-bin.000001:400; r < p | unasked read=mysql-bin.000001:500") == "p: coordinates ");
  CHECK(asked("p | at=mysql-bin.000001:400 later-at=mysql-bin.000001:500; r < p | unasked "
              "read=mysql-bin.000001:500")
            .empty());
  CHECK(asked("p | unasked no-binlog unasked; r < p | unasked stopped lost-place").empty());
}

TEST_CASE("half a transaction in the relay log of a MySQL server") {
  Story story("by position; p; r < p");
  const auto drained = [&](Version version) {
    ServerState& state = story.fleet.servers.at({"r"});
    state.flavor = Flavor::mysql;
    state.version = version;
    state.mysql_gtids.emplace().mode = "ON";
    state.mysql_gtids->executed = *GtidSet::parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5");
    Channel& channel = state.channels.front();
    channel.retrieved = *GtidSet::parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-6");
    channel.receiver = ReceiverState::off;
    channel.read = {channel.executed.file, channel.executed.position + 100};
    channel.applier_doing = "Slave has read all relay log; waiting for the slave I/O thread to update it";
    return judge(Drained{ServerName{"r"}}, story.scene()).verdict == Verdict::holds;
  };
  CHECK(drained({5, 6, 24}));  // which counts a GTID as received when its transaction begins
  CHECK_FALSE(drained({5, 7, 44}));
}

TEST_CASE("privileges that stemma itself needs") {
  const auto missing = [](Flavor flavor, const std::set<std::string>& held, bool grant_option,
                          Version version, bool to_apply) {
    ServerState state;
    state.flavor = flavor;
    state.version = version;
    state.own_grants = {{held, "*.*", grant_option}, {{"SELECT"}, "`app`.*", false}};
    std::string names;
    for (const PrivilegeNeed& need : missing_privileges(state, to_apply))
      names += fmt::format("{}{}{}", names.empty() ? "" : ", ", need.name, need.grantable ? "+" : "");
    return names;
  };
  const auto mariadb = Flavor::mariadb, mysql = Flavor::mysql;
  CHECK(missing(mariadb, {"ALL PRIVILEGES"}, true, {10, 11, 6}, true).empty());
  CHECK(missing(mariadb, {"ALL PRIVILEGES"}, false, {10, 11, 6}, true) == "REPLICATION SLAVE+");
  CHECK(missing(mariadb, {"ALL PRIVILEGES"}, false, {10, 11, 6}, false).empty());
  CHECK(missing(mariadb, {"USAGE"}, false, {10, 11, 6}, false) ==
        "BINLOG MONITOR, SLAVE MONITOR, REPLICATION MASTER ADMIN, SHOW DATABASES");
  CHECK(missing(mariadb, {"SUPER", "REPLICATION SLAVE"}, true, {10, 6, 0}, true) ==
        "SHOW DATABASES, CREATE USER");
  CHECK(missing(mariadb, {"SUPER", "REPLICATION SLAVE", "EVENT"}, true, {10, 11, 0}, true) ==
        "READ_ONLY ADMIN, CREATE USER");
  CHECK(missing(mariadb, {"SUPER"}, false, {11, 4, 0}, false) ==
        "BINLOG MONITOR, SLAVE MONITOR, REPLICATION MASTER ADMIN, SHOW DATABASES");

  CHECK(missing(mysql, {"ALL PRIVILEGES"}, true, {5, 6, 24}, true).empty());
  CHECK(missing(mysql, {"USAGE"}, false, {9, 7, 4}, false) ==
        "REPLICATION CLIENT, REPLICATION SLAVE, SHOW DATABASES");
  CHECK(missing(mysql, {"REPLICATION CLIENT", "REPLICATION SLAVE", "SELECT"}, false, {5, 6, 24}, true) ==
        "SUPER, CREATE USER, UPDATE, REPLICATION SLAVE+");
  CHECK(missing(mysql, {"REPLICATION CLIENT", "REPLICATION SLAVE", "SELECT"}, false, {8, 0, 36}, true) ==
        "REPLICATION_SLAVE_ADMIN, SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, CREATE USER, REPLICATION SLAVE+");
  CHECK(missing(mysql, {"SUPER", "REPLICATION SLAVE", "SHOW DATABASES"}, true, {8, 0, 36}, true) ==
        "CREATE USER");
}

TEST_CASE("privileges that a declared variable takes") {
  const auto privilege = [](Flavor flavor, std::string_view variable) {
    const auto need = privilege_to_set(flavor, variable);
    return need ? std::string(need->name) : "";
  };
  CHECK(privilege(Flavor::mysql, "max_connections").empty());
  CHECK(privilege(Flavor::mariadb, "sync_binlog").empty());
  CHECK(privilege(Flavor::mariadb, "slave_net_timeout").empty());
  CHECK(privilege(Flavor::mariadb, "max_connections") == "CONNECTION ADMIN");
  CHECK(privilege(Flavor::mariadb, "thread_pool_size") == "CONNECTION ADMIN");
  CHECK(privilege(Flavor::mariadb, "innodb_buffer_pool_size") == "SUPER");

  ServerState state;
  state.flavor = Flavor::mariadb;
  state.own_grants = {{{"CONNECTION ADMIN"}, "*.*", false}};
  const auto missing = [&](Version version) {
    state.version = version;
    std::string names;
    for (const PrivilegeNeed& need :
         missing_to_set(state, {"max_connections", "innodb_io_capacity", "long_query_time", "sync_binlog"}))
      names += std::string(need.name) + ",";
    return names;
  };
  CHECK(missing({10, 11, 6}) == "SUPER,");
  state.own_grants = {{{"SUPER"}, "*.*", false}};
  CHECK(missing({10, 11, 6}).empty());
  state.own_grants.clear();
  CHECK(missing({11, 8, 0}) == "SUPER,CONNECTION ADMIN,");
}

TEST_CASE("the grants that mend it") {
  const auto grants = [](Flavor flavor, Version version) {
    std::string text;
    for (const std::string& line : grant_statements(privileges_for(flavor, version), "'stemma'@'%'"))
      text += line + "\n";
    return text;
  };
  CHECK(grants(Flavor::mysql, {5, 6, 24}) == lines(R"(
    GRANT REPLICATION CLIENT, SHOW DATABASES, SUPER, CREATE USER ON *.* TO 'stemma'@'%';
    GRANT SELECT, UPDATE ON mysql.* TO 'stemma'@'%';
    GRANT REPLICATION SLAVE ON *.* TO 'stemma'@'%' WITH GRANT OPTION;
  )"));
  CHECK(grants(Flavor::mysql, {9, 7, 4}) == lines(R"(
    GRANT REPLICATION CLIENT, SHOW DATABASES, REPLICATION_SLAVE_ADMIN, SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, CREATE USER ON *.* TO 'stemma'@'%';
    GRANT SELECT ON mysql.* TO 'stemma'@'%';
    GRANT SELECT ON performance_schema.* TO 'stemma'@'%';
    GRANT REPLICATION SLAVE ON *.* TO 'stemma'@'%' WITH GRANT OPTION;
  )"));
  CHECK(grants(Flavor::mariadb, {10, 11, 6}) == lines(R"(
    GRANT BINLOG MONITOR, SLAVE MONITOR, REPLICATION MASTER ADMIN, SHOW DATABASES, REPLICATION SLAVE ADMIN, READ_ONLY ADMIN, BINLOG ADMIN, CREATE USER ON *.* TO 'stemma'@'%';
    GRANT SELECT ON mysql.* TO 'stemma'@'%';
    GRANT REPLICATION SLAVE ON *.* TO 'stemma'@'%' WITH GRANT OPTION;
  )"));
}
