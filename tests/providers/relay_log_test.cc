// A relay log that its server can't open: what is sent, and what is said.
#include "providers/mysql/relay_log.h"

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
  made.kind = StepKind::start_replica;
  made.server = {"replica"};
  made.ensures = {ChannelOn{Link{{"replica"}, name}}};
  return made;
}

}  // namespace

TEST_CASE("a MariaDB channel by GTID begins a new relay log, and is told again that it goes by GTID") {
  const auto old = server_with(channel(ChannelGtid::slave_pos), Flavor::mariadb, {10, 5, 29});
  CHECK(discard_relay_log(start(), old) ==
        Lines{"RESET SLAVE", "CHANGE MASTER TO MASTER_USE_GTID = slave_pos"});
  const auto named = server_with(channel(ChannelGtid::current_pos, "east"), Flavor::mariadb, {11, 8, 2});
  CHECK(discard_relay_log(start("east"), named) ==
        Lines{"RESET SLAVE 'east'", "CHANGE MASTER 'east' TO MASTER_USE_GTID = current_pos"});
}

TEST_CASE("where something could be lost, a person is told what to do") {
  const auto position = server_with(channel(ChannelGtid::no), Flavor::mariadb, {10, 11, 6});
  CHECK(discard_relay_log(start(), position).empty());
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
  CHECK(discard_relay_log(start(), automatic).empty());
  CHECK(relay_log_hint(start(), automatic)
            .find("run RESET REPLICA FOR CHANNEL '' on replica as an administrator, then") !=
        std::string::npos);
  auto lost = channel(ChannelGtid::no);
  lost.executed = {};
  CHECK(relay_log_hint(start(), server_with(lost, Flavor::mariadb, {10, 11, 6}))
            .ends_with("provision replica anew from a backup"));
}
