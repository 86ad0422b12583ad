// Drift: which codes, with which weight and values, for which story.
#include "plans/diff.h"

#include "plans/judge_parts.h"
#include "plans/preflight.h"
#include "plans/preflight_account.h"
#include "tests/catch.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;

namespace {

std::string drift(const Story& story) { return told(diff(story.scene())); }
std::string drift(const std::string& text, const std::string& more = "") { return drift(Story(text, more)); }

}  // namespace

TEST_CASE("servers as declared") { CHECK(drift("primary; replica < primary; other").empty()); }

TEST_CASE("servers that give no answer") {
  CHECK(drift("primary | silent; replica < primary") ==
        "error primary server.unreachable server: answers, but silent\n");
  CHECK(drift("primary; replica < primary | login-refused") ==
        "error replica server.login-refused server: answers, but silent\n");
  const auto findings = diff(Story("primary | silent").scene());
  CHECK(findings[0].message == "connection refused");
  CHECK(findings[0].hint == "start it");
}

TEST_CASE("identities") {
  CHECK(drift("a id=5 | id=7") == "error a server.id-differs server_id: 5, but 7\n");
  CHECK(drift("a; b | id=1; c") == "error b server.id-duplicate server_id: distinct, but 1\n");
  CHECK(drift("a | uuid=x; b | uuid=x; c") == "error b server.uuid-duplicate server_uuid: distinct, but x\n");
  CHECK(diff(Story("a; b id=5 | id=1").scene())[0].hint ==
        "put this into the server's option file and restart it: [mysqld] server_id = 5");
}

TEST_CASE("what a source must be") {
  CHECK(drift("a | no-binlog; b < a | lost-place") == "error a server.binlog-off log_bin: ON, but OFF\n");
  CHECK(drift("a | no-binlog").empty());  // nobody hangs on it
  CHECK(drift("a; b < a | no-log-updates; c < b") ==
        "error b server.log-updates-off log_slave_updates: ON, but OFF\n");
  CHECK(drift("a; b < a | no-log-updates").empty());
  CHECK(drift("a | no-log-updates; b < a").empty());  // a root has nothing to log but its own
  CHECK(drift("a | fenced; b < a") == "error a source.read-only read_only: OFF, but ON\n");
  CHECK(drift("a | follows=old") == "error a source.has-channel channel: none, but old:3306\n");
  CHECK(drift("a; b < a | version=10.6.18") ==
        "warning b server.version-order version: at least its source's, but 10.6.18\n");
  CHECK(drift("a; b < a | version=10.11.2").empty());  // a patch less is no danger
  CHECK(drift("a | galera") == "error a server.managed-elsewhere managed: by this file, but elsewhere\n");
}

TEST_CASE("replicas that the file does not know") {
  CHECK(drift("a | attached=2 attached=9; b < a") ==
        "warning a source.unmanaged-replica replicas: in the file, but 9\n");
  CHECK(drift("a | attached=9; b < a | silent").find("unmanaged") == std::string::npos);  // it may be b
  CHECK(drift("a | attached=9; b < a id=2 | silent").find("source.unmanaged-replica") != std::string::npos);
}

TEST_CASE("what a replica follows") {
  CHECK(drift("a; b < a | no-channel") == "error b replica.not-configured channel: follows a, but none\n");
  CHECK(drift("a; old; b < a | follows=old") ==
        "error b replica.wrong-source source: a (a:3306), but old:3306\n");
  // Connected, and to the right server: its name for the host is only an option.
  CHECK(drift("a; b < a | named=10.0.0.1") ==
        "error b channel.option-differs channel.host: a, but 10.0.0.1\n");
  // Not connected: only the host can tell.
  CHECK(drift("a; b < a | named=10.0.0.1 stopped").starts_with("error b replica.wrong-source"));
  CHECK(drift("a; b < a | channel=x") ==
        "warning b channel.unmanaged channel other: not in the file, but x:0\n");
}

TEST_CASE("threads") {
  CHECK(drift("a; b < a | receiver-off") ==
        "error b replica.receiver-stopped channel.receiver: on, but off\n");
  CHECK(drift("a; b < a | applier-off") == "error b replica.applier-stopped channel.applier: on, but off\n");
  CHECK(drift("a; b < a | receiver-error=1236") ==
        "error b replica.receiver-error channel.receiver: on, but error\n");
  CHECK(drift("a; b < a | connecting") ==
        "error b replica.receiver-error channel.receiver: on, but connecting\n");
  CHECK(drift("a; b < a | applier-error=1062") ==
        "error b replica.applier-error channel.applier: on, but error\n");
  CHECK(drift("a; b < a | stopped") ==
        "error b replica.receiver-stopped channel.receiver: on, but off\n"
        "error b replica.applier-stopped channel.applier: on, but off\n");
  CHECK(diff(Story("a; b < a | applier-error=1062").scene())[0].message ==
        "the applier stopped with 1062: error 1062");
}

TEST_CASE("options of a channel") {
  CHECK(drift("a; b < a connect_retry=10s").ends_with("channel.connect_retry: 10s, but 60s\n"));
  CHECK(drift("a; b < a heartbeat=2500ms").ends_with("channel.heartbeat: 2.500s, but 30.000s\n"));
  CHECK(drift("a; b < a delay=60s | delay=0") ==
        "error b replica.delay-differs channel.delay: 60s, but 0s\n");
  CHECK(drift("a; b < a | delay=60").empty());  // not declared: what the channel has is kept
  CHECK(drift("a; b < a | user=someone") ==
        "error b channel.option-differs channel.user: repl, but someone\n");
  CHECK(drift("a; b < a ca=/ca.pem").ends_with("channel.ca: /ca.pem, but \n"));
  CHECK(drift("a; b < a do_domain_ids=[1,2]").ends_with("channel.do_domain_ids: 1,2, but \n"));
  Story spaced("a; b < a ignore_domain_ids=[1,2]");
  spaced.channel("b").ignore_domain_ids = "1, 2";
  CHECK(drift(spaced).empty());
}

TEST_CASE("TLS of a channel") {
  CHECK(drift("a | offers-tls; b < a") == "warning b channel.tls-off channel.tls: not declared, but off\n");
  CHECK(drift("a | offers-tls; b < a | tls").empty());
  CHECK(drift("a; b < a").empty());
  CHECK(drift("a | offers-tls; b < a tls=required") == "error b channel.tls-off channel.tls: on, but off\n");
  // MariaDB's receiver would connect in plain text and call it TLS.
  CHECK(drift("a; b < a tls=required | tls") == "error b channel.tls-off channel.tls: on, but not offered\n");
  CHECK(refusals(Story("a; b < a tls=required | no-channel").plan()) == "b channel.tls-off\n");
  CHECK(drift("a | silent; b < a tls=required | tls").find("tls") == std::string::npos);
  CHECK(drift("a; b < a tls=preferred").empty());
  CHECK(drift("a | offers-tls; b < a tls=preferred").starts_with("error b channel.tls-off"));
  CHECK(drift("a | silent; b < a tls=preferred").find("tls") == std::string::npos);
  CHECK(drift("a; b < a tls=disabled | tls") == "error b channel.option-differs channel.tls: off, but on\n");
  CHECK(drift("a | offers-tls; b < a tls=verify-identity | tls") ==
        "error b channel.option-differs channel.verify: on, but off\n");
  // A CA is what makes a channel verify; MariaDB must be told to, besides, or it would take plain text as well.
  Story by_authority("a | offers-tls; b < a tls=verify-ca ca=/ca.pem | tls");
  by_authority.channel("b").ca = "/ca.pem";
  CHECK(drift(by_authority) == "error b channel.option-differs channel.verify: on, but off\n");
  CHECK(channel_tls(by_authority.server("b").channels.front().options, nullptr, Flavor::mysql, true).verify ==
        false);
  CHECK(
      channel_tls(by_authority.server("b").channels.front().options, nullptr, Flavor::mysql, false).verify ==
      true);
}

TEST_CASE("coordinates") {
  CHECK(drift("by gtid; a; b < a | using=no") ==
        "error b channel.auto-position-off channel.gtid: slave_pos, but no\n");
  CHECK(drift("by gtid; a; b < a | using=current_pos") ==
        "error b channel.auto-position-off channel.gtid: slave_pos, but current_pos\n");
  CHECK(drift("by position; a; b < a | using=slave_pos") ==
        "error b channel.option-differs channel.gtid: no, but slave_pos\n");
  CHECK(drift("by auto; a; b < a | using=slave_pos; c < a | using=no").empty());  // each keeps what it has
}

TEST_CASE("the replication account") {
  CHECK(drift("a | no-account; b < a") == "error a user.missing user: 'repl'@'%', but none\n");
  CHECK(drift("a; b < a | password=old") ==
        "error b user.password user.password: as declared, but another\n");
  CHECK(drift("a | no-grant; b < a") ==
        "error a user.grants-missing user.grants: REPLICATION SLAVE on *.*, but not granted\n");
  CHECK(drift("a | may-also=SUPER; b < a") ==
        "error a user.grants-excess user.grants: REPLICATION SLAVE on *.*, but SUPER on *.*\n");
  CHECK(drift("a | plugin=ed25519; b < a") ==
        "info a user.password user.password: as declared, but unknown\n");
  CHECK(drift("a | no-account").empty());  // neither replicates nor is replicated
  Story declared("a | plugin=ed25519; b < a");
  declared.topology.replication->plugin = "mysql_native_password";
  CHECK(drift(declared) == "error a user.plugin user.plugin: mysql_native_password, but ed25519\n");
  Story no_secret("a | password=old; b < a");
  no_secret.secrets.replication.reset();
  CHECK(drift(no_secret) ==
        "info a user.password user.password: as declared, but unknown\n"
        "info b user.password user.password: as declared, but unknown\n");
}

TEST_CASE("names and passwords that do not fit") {
  const auto told_of = [](const std::string& user, const std::string& host, const std::string& password,
                          Flavor flavor, Version version) {
    Story story("a; b < a");
    story.topology.replication->user = user;
    story.topology.replication->host = host;
    story.secrets.replication = Secret(password);
    std::vector<Finding> findings;
    ServerState& state = story.state("b");
    state.flavor = flavor;
    state.version = version;
    check_account_limits(story.scene(), story.server("b"), state, findings);
    return told(findings);
  };
  const auto text = [](int length) { return std::string(static_cast<std::size_t>(length), 'x'); };
  CHECK(told_of(text(16), text(60), text(32), Flavor::mysql, {5, 6, 24}).empty());
  CHECK(told_of(text(17), text(61), text(33), Flavor::mysql, {5, 6, 24}) ==
        "error b user.missing user.user: 16 characters at most, but longer\n"
        "error b user.missing user.host: 60 characters at most, but longer\n"
        "error b user.password user.password: 32 bytes at most, but longer\n");
  CHECK(told_of(text(32), text(255), text(32), Flavor::mysql, {9, 7, 4}).empty());
  CHECK(told_of(text(33), "%", "x", Flavor::mysql, {9, 7, 4}) ==
        "error b user.missing user.user: 32 characters at most, but longer\n");
  CHECK(told_of(text(80), text(60), text(96), Flavor::mariadb, {10, 5, 29}).empty());
  CHECK(told_of(text(81), text(60), text(96), Flavor::mariadb, {10, 5, 29}) ==
        "error b user.missing user.user: 80 characters at most, but longer\n");
  CHECK(told_of(text(128), text(255), text(96), Flavor::mariadb, {10, 11, 0}).empty());
  CHECK(told_of("репликарепликарепликарепликаре", "%", "x", Flavor::mysql, {9, 7, 4})
            .empty());  // 30 of 2 bytes
}

TEST_CASE("grants in many forms") {
  Story story("a; b < a");
  auto& grants = story.state("a").replication_account->grants;
  grants = {{{"USAGE"}, "*.*", false}, {{"REPLICATION SLAVE"}, "*.*", false}};
  CHECK(drift(story).empty());
  grants = {{{"ALL PRIVILEGES"}, "*.*", true}};
  CHECK(drift(story).ends_with("but ALL PRIVILEGES, GRANT OPTION on *.*\n"));
  grants = {{{"REPLICATION SLAVE"}, "*.*", true}};
  CHECK(drift(story).ends_with("but GRANT OPTION on *.*\n"));
  grants = {{{"REPLICATION SLAVE"}, "*.*", false}, {{"`admins`"}, "", false}, {{"SELECT"}, "`app`.*", false}};
  CHECK(drift(story).ends_with("but role `admins`; SELECT on `app`.*\n"));
  grants = {};
  CHECK(drift(story).ends_with("but not granted\n"));
}

TEST_CASE("read_only and variables") {
  CHECK(drift("a; b < a | writable") == "error b replica.writable read_only: ON, but OFF\n");
  CHECK(drift("a; b < a read_only=false | fenced") == "error b variable.differs read_only: OFF, but ON\n");
  CHECK(drift("a read_only=true | writable") == "error a variable.differs read_only: ON, but OFF\n");
  CHECK(drift("a; b < a | unpersisted") ==
        "warning b variable.not-persisted read_only: ON, but running value only\n");
  CHECK(drift("a variables.sync_binlog=1 | var=sync_binlog:0") ==
        "error a variable.differs variables.sync_binlog: 1, but 0\n");
  CHECK(drift("a variables.sync_binlog=1 | runtime-only=sync_binlog") ==
        "warning a variable.not-persisted variables.sync_binlog: 1, but running value only\n");

  Story mysql("a variables.sync_binlog=1 | runtime-only=sync_binlog");
  mysql.state("a").flavor = Flavor::mysql;
  mysql.state("a").version = {8, 4, 0};
  CHECK(diff(mysql.scene()).back().hint ==
        "as an administrator of that server: SET PERSIST sync_binlog = @@GLOBAL.sync_binlog");
  CHECK(drift("a variables.nonesuch=1 | no-var=nonesuch") ==
        "error a variable.differs variables.nonesuch: 1, but no such variable\n");
}

TEST_CASE("one value, many spellings") {
  CHECK(same_value("ON", "1"));
  CHECK(same_value("true", "on"));
  CHECK(same_value("No", "OFF"));
  CHECK(same_value("a, b", "A,B"));
  CHECK_FALSE(same_value("ON", "OFF"));
  CHECK_FALSE(same_value("10", "1"));
  CHECK_FALSE(same_value("", "0"));
}

TEST_CASE("transactions of a replica's own") {
  // What a server above wrote can only have come from there; what is older than all its source has, from its set-up.
  CHECK(drift("a; b < a | state=0-1-12").empty());
  CHECK(drift("a; b < a | state=0-1-10,0-2-4").starts_with("warning b replica.errant-transactions"));
  CHECK(drift("a; b < a | state=0-1-10,0-2-11") ==
        "error b replica.errant-transactions gtid_binlog_state: within 0-1-10, but 0-1-10,0-2-11\n");
  CHECK(drift("a; b < a | state=0-1-10,7-2-1").starts_with("error b replica.errant-transactions"));
  CHECK(drift("a | state=0-1-10,0-2-11; b < a | state=0-1-10,0-2-11").empty());
  CHECK(drift("a; b < a; c < b | state=0-1-12,0-2-12").empty());
}

TEST_CASE("lag is honest") {
  const std::string limit = "[limits]\nlag = \"10s\"";
  CHECK(drift("a; b < a | lag=11", limit) == "error b replica.lag lag: at most 10s, but 11s\n");
  CHECK(drift("a; b < a | lag=10", limit).empty());
  CHECK(drift("a; b < a | lag=1000").empty());  // shown, not judged
  CHECK(drift("a; b < a delay=60s | lag=70", limit).empty());
  CHECK(drift("a; b < a delay=60s | lag=71", limit) == "error b replica.lag lag: at most 10s, but 11s\n");
  Channel channel;
  CHECK_FALSE(honest_lag(channel).has_value());
  channel.receiver = ReceiverState::on;
  channel.applier = true;
  CHECK_FALSE(honest_lag(channel).has_value());
  channel.seconds_behind = 5;
  CHECK(honest_lag(channel) == 5);
  channel.delay = 60;
  CHECK(honest_lag(channel) == 0);
  channel.receiver = ReceiverState::connecting;  // the number lies
  CHECK_FALSE(honest_lag(channel).has_value());
  channel.receiver = ReceiverState::on;
  channel.applier = false;
  CHECK_FALSE(honest_lag(channel).has_value());
}

TEST_CASE("verdicts") {
  const auto verdict = [](const std::string& text) { return verdict_of(diff(Story(text).scene())); };
  CHECK(verdict("a; b < a") == DriftVerdict::in_sync);
  CHECK(verdict("a; b < a | channel=x unpersisted") == DriftVerdict::in_sync);  // warnings only
  CHECK(verdict("a; b < a | writable") == DriftVerdict::drifted);
  CHECK(verdict("a; b < a | silent") == DriftVerdict::unknown);
  CHECK(verdict("a | login-refused") == DriftVerdict::unknown);
  CHECK(verdict("a; b < a | silent; c < a | writable") == DriftVerdict::drifted);
}

TEST_CASE("a finding names the line that asks for it") {
  const auto findings = diff(Story("a; b < a connect_retry=10s").scene());
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].place == Story("a; b < a connect_retry=10s").server("b").places.at("connect_retry"));
  CHECK(findings[0].place.line > 0);
}
