#include "plans/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "plans/judge_parts.h"
#include "plans/preflight.h"
#include "plans/semi_sync.h"

namespace stemma {
namespace {

void not_persisted(const Server& server, const ServerState& state, const Topology& topology,
                   std::vector<Finding>& findings) {
  const auto warn = [&](const std::string& variable, const std::string& value, const std::string& key) {
    Finding found =
        finding("variable.not-persisted", server.name, key, value, "running value only",
                fmt::format("{} = {} was set at run time; a restart would undo it", variable, value));
    found.hint = fmt::format("put this into the server's option file: [mysqld] {} = {}", variable, value);
    // stemma itself sets with PERSIST there, so somebody else has set this one.
    if (state.flavor == Flavor::mysql && state.version >= Version{8, 0, 0})
      found.hint =
          fmt::format("as an administrator of that server: SET PERSIST {0} = @@GLOBAL.{0}", variable);
    found.place = place_of(topology, server, key);
    findings.push_back(std::move(found));
  };
  if (state.read_only && server.read_only && !state.read_only_persisted) warn("read_only", "ON", "read_only");
  if (state.super_read_only.value_or(false) && wants_super_read_only(server) &&
      !state.super_read_only_persisted)
    warn("super_read_only", "ON", "read_only");
  for (const auto& [name, declared] : server.variables) {
    const auto seen = state.variables.find(name);
    if (seen != state.variables.end() && !seen->second.persisted && same_value(declared, seen->second.value))
      warn(name, declared, "variables." + name);
  }
}

void lag(const DeclaredLink& link, const Channel& channel, const Topology& topology,
         std::vector<Finding>& findings) {
  const auto behind = honest_lag(channel);
  if (!topology.limits.lag || !behind) return;
  const auto limit = static_cast<std::uint64_t>(topology.limits.lag->count());
  if (*behind <= limit) return;
  Finding found = finding("replica.lag", link.replica.name, "lag", fmt::format("at most {}s", limit),
                          fmt::format("{}s", *behind),
                          fmt::format("is {} s behind its source, the limit is {} s", *behind, limit));
  const auto place = topology.places.find("limits.lag");
  found.place = place == topology.places.end() ? link.replica.place : place->second;
  findings.push_back(of_channel(std::move(found), link.name()));
}

}  // namespace

std::optional<std::uint64_t> honest_lag(const Channel& channel) {
  if (channel.receiver != ReceiverState::on || !channel.applier || !channel.seconds_behind)
    return std::nullopt;
  return *channel.seconds_behind > channel.delay ? *channel.seconds_behind - channel.delay : 0;
}

std::vector<Fact> wanted(const Topology& topology, const Fleet& fleet) {
  std::vector<Fact> facts;
  for (const Server& server : topology.servers) {
    if (topology.replication && topology.replicates(server))
      for (const auto aspect : {AccountAspect::exists, AccountAspect::secret, AccountAspect::granted,
                                AccountAspect::nothing_more})
        facts.emplace_back(AccountIs{server.name, aspect});
    for (const auto& [name, value] : server.variables) facts.emplace_back(VariableIs{server.name, name});
    facts.emplace_back(ReadOnly{server.name, server.read_only});
    for (const DeclaredLink& link : links_of(server)) {
      facts.emplace_back(Follows{link.name(), link.source(), wants_gtid(topology, fleet, link)});
      facts.emplace_back(Flowing{link.name(), link.source()});
      if (const auto semi_sync = wants_semi_sync(topology, link))
        facts.emplace_back(SemiSync{link.name(), *semi_sync});
    }
  }
  return facts;
}

std::vector<Finding> diff(const Scene& scene) { return diff(scene, preflight(scene)); }

std::vector<Finding> diff(const Scene& scene, const std::vector<Finding>& preflight) {
  // Reads best server by server; within a server the order is that of cause and effect.
  std::map<ServerName, std::vector<Finding>> by_server;
  for (const Finding& found : preflight) by_server[found.server].push_back(found);
  for (const Fact& fact : wanted(scene.desired, scene.observed)) {
    Judgement judgement = judge(fact, scene);
    for (Finding& found : judgement.findings) by_server[found.server].push_back(std::move(found));
  }
  std::vector<Finding> findings;
  for (const Server& server : scene.desired.servers) {
    std::vector<Finding>& own = by_server[server.name];
    if (const ServerState* state = scene.observed.find(server.name)) {
      for (const DeclaredLink& link : links_of(server))
        if (const Channel* channel = state->channel(link.channel.name))
          lag(link, *channel, scene.desired, own);
      not_persisted(server, *state, scene.desired, own);
    }
    std::move(own.begin(), own.end(), std::back_inserter(findings));
  }
  return findings;
}

bool leaves_verdict_open(const Finding& found) {
  return found.code == "server.unreachable" || found.code == "server.login-refused";
}

DriftVerdict verdict_of(const std::vector<Finding>& findings) {
  bool open = false;
  for (const Finding& found : findings) {
    if (found.ignored || found.weight != Weight::error) continue;
    if (!leaves_verdict_open(found)) return DriftVerdict::drifted;
    open = true;
  }
  return open ? DriftVerdict::unknown : DriftVerdict::in_sync;
}

}  // namespace stemma
