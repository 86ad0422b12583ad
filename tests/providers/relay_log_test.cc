// A relay log that its server can't open: what is sent, and what is said.
#include "providers/mysql/relay_log.h"

#include "plans/topology_file.h"
#include "tests/catch.h"

using namespace stemma;
using namespace stemma::mysql;

namespace {

using Lines = std::vector<std::string>;

ServerState server_with(Channel channel, Flavor flavor, Version version) {
  ServerState state;
  state.flavor = flavor;
  state.version = version;
  state.channels.push_back(std::move(channel));
  return state;
}

Channel channel(ChannelGtid gtid, const std::string& name = "") {
  Channel made;
  made.name = name;
  made.gtid = gtid;
  made.executed = {"mysql-bin.000007", 4711};
  return made;
}

Step start(const std::string& name = "") {
  Step made;
  made.id = "replica.start-replica";
  made.kind = StepKind::start_replica;
  made.server = {"replica"};
  made.ensures = {ChannelOn{Link{{"replica"}, name}}};
  return made;
}

Lines anew(const Step& step, const ServerState& state, const std::string& keys = "source = \"primary\"") {
  auto read = read_topology(
      "[replication]\nuser = \"repl\"\npassword = { env = \"REPL\" }\n[server.primary]\naddress = "
      "\"10.0.0.1\"\n"
      "[server.replica]\naddress = \"10.0.0.2\"\n" +
          keys,
      "tree.toml");
  REQUIRE(read.has_value());
  Secrets secrets;
  secrets.replication = Secret("secret");
  const Outputs outputs;
  return start_with_new_relay_log(step, {read->topology, secrets, state, false, outputs});
}

}  // namespace

// RESET SLAVE forgets the delay, the heartbeat, the verification and, before 10.10, the GTIDs.
TEST_CASE("a MariaDB channel by GTID begins a new relay log, and is told everything again before it starts") {
  Channel delayed = channel(ChannelGtid::slave_pos);
  delayed.delay = 3600;
  delayed.heartbeat = 7.5;
  delayed.tls = delayed.verify = true;
  delayed.ca = "/ca.pem";
  const Lines sent = anew(start(), server_with(delayed, Flavor::mariadb, {10, 5, 29}));
  REQUIRE(sent.size() == 3);
  CHECK(sent[0] == "RESET SLAVE");
  CHECK(sent[1] ==
        "CHANGE MASTER TO MASTER_HOST = '10.0.0.1', MASTER_PORT = 3306, MASTER_USER = 'repl', "
        "MASTER_PASSWORD = "
        "'secret', MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 60, MASTER_HEARTBEAT_PERIOD = 7.500, "
        "MASTER_DELAY = 3600, MASTER_SSL = 1, MASTER_SSL_VERIFY_SERVER_CERT = 1, MASTER_SSL_CA = '/ca.pem'");
  CHECK(sent[2] == "START SLAVE");
  const Lines named =
      anew(start("east"), server_with(channel(ChannelGtid::slave_pos, "east"), Flavor::mariadb, {11, 8, 2}),
           "channel.east.source = \"primary\"");
  REQUIRE(named.size() == 3);
  CHECK(named[0] == "RESET SLAVE 'east'");
  CHECK(named[1].starts_with("CHANGE MASTER 'east' TO "));
  Step configure = start();
  configure.kind = StepKind::configure_source;  // its 1201 may be another's: filters of domains
  CHECK(anew(configure, server_with(delayed, Flavor::mariadb, {10, 5, 29})).empty());
}

TEST_CASE("where something could be lost, a person is told what to do") {
  const auto position = server_with(channel(ChannelGtid::no), Flavor::mariadb, {10, 11, 6});
  CHECK(anew(start(), position).empty());
  CHECK(relay_log_hint(start(), position)
            .ends_with("run on replica: RESET SLAVE; CHANGE MASTER TO MASTER_LOG_FILE = 'mysql-bin.000007', "
                       "MASTER_LOG_POS = 4711; then "
                       "apply again"));
  const auto modern = server_with(channel(ChannelGtid::no), Flavor::mysql, {8, 4, 0});
  CHECK(
      relay_log_hint(start(), modern)
          .ends_with(
              "run on replica: RESET REPLICA FOR CHANNEL ''; CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE = "
              "'mysql-bin.000007', SOURCE_LOG_POS = 4711 FOR CHANNEL ''; then apply again"));
  const auto automatic = server_with(channel(ChannelGtid::auto_position), Flavor::mysql, {8, 4, 0});
  CHECK(anew(start(), automatic).empty());
  CHECK(relay_log_hint(start(), automatic)
            .find("run RESET REPLICA FOR CHANNEL '' on replica as an administrator, then") !=
        std::string::npos);
  auto lost = channel(ChannelGtid::no);
  lost.executed = {};
  CHECK(relay_log_hint(start(), server_with(lost, Flavor::mariadb, {10, 11, 6}))
            .ends_with("provision replica anew from a backup"));
}
