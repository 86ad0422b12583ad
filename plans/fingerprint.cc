#include "plans/fingerprint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "plans/attach.h"
#include "plans/json_text.h"

namespace stemma {
namespace {

using nlohmann::json;

std::string verdict_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::holds: return "yes";
    case Verdict::missing: return "no";
    case Verdict::unknown: break;
  }
  return "unknown";
}

std::string prefix_of(const Channel& channel) {
  return channel.name.empty() ? "channel." : fmt::format("channel {}.", channel.name);
}

json exact_fields(const Scene& scene, const Server& server, const ServerState& state, bool with_data,
                  bool with_coordinates) {
  json exact = {
      {"server_id", state.identity.server_id},
      {"server_uuid", state.identity.uuid},
      {"hostname", state.identity.hostname},
      {"port", state.identity.port},
      {"datadir", state.identity.datadir},
      {"version", to_text(state.version)},
      {"log_bin", state.log_bin},
      {"read_only", state.read_only},
  };
  if (state.super_read_only) exact["super_read_only"] = *state.super_read_only;
  if (state.mysql_gtids) exact["gtid_mode"] = state.mysql_gtids->mode;
  if (state.gtid_domain != 0) exact["gtid_domain_id"] = state.gtid_domain;
  for (const auto& [name, variable] : state.variables) exact["variables." + name] = variable.value;
  for (const Channel& channel : state.channels) {
    const std::string prefix = prefix_of(channel);
    exact[prefix + "source"] = fmt::format("{}:{}", channel.host, channel.port);
    exact[prefix + "user"] = channel.user;
    exact[prefix + "gtid"] = channel.gtid != ChannelGtid::no;
    exact[prefix + "connect_retry"] = channel.connect_retry;
    if (channel.retry_count) exact[prefix + "retry_count"] = *channel.retry_count;
    if (state.flavor == Flavor::mysql) {
      exact[prefix + "public_key"] = channel.public_key;
      exact[prefix + "fetches_public_key"] = channel.fetches_public_key;
      exact[prefix + "compression"] = channel.compression;
      exact[prefix + "bind"] = channel.bind;
    }
    exact[prefix + "heartbeat"] = channel.heartbeat;
    exact[prefix + "delay"] = channel.delay;
    exact[prefix + "tls"] = channel.tls;
    exact[prefix + "tls_verify"] = channel.verify;
    exact[prefix + "ca"] = channel.ca;
    exact[prefix + "cert"] = channel.cert;
    exact[prefix + "key"] = channel.key;
    exact[prefix + "do_db"] = channel.do_db;
    exact[prefix + "ignore_db"] = channel.ignore_db;
    exact[prefix + "do_table"] = channel.do_table;
    exact[prefix + "ignore_table"] = channel.ignore_table;
    exact[prefix + "do_domain_ids"] = channel.do_domain_ids;
    exact[prefix + "ignore_domain_ids"] = channel.ignore_domain_ids;
    // Connecting and Yes are both "on".
    exact[prefix + "receiver"] = channel.receiver == ReceiverState::off ? "off" : "on";
    exact[prefix + "applier"] = channel.applier ? "on" : "off";
  }
  if (scene.desired.replication) {
    const auto says = [&](AccountAspect aspect) {
      return verdict_text(judge(AccountIs{server.name, aspect}, scene).verdict);
    };
    exact["account.exists"] = says(AccountAspect::exists);
    exact["account.password"] = says(AccountAspect::secret);
    exact["account.granted"] = says(AccountAspect::granted);
    exact["account.granted_nothing_more"] = says(AccountAspect::nothing_more);
    if (state.replication_account) exact["account.plugin"] = state.replication_account->plugin;
  }
  if (with_data) exact["schemas"] = fmt::format("{}", fmt::join(data_of(state, scene.desired), ","));
  if (with_coordinates) exact["coordinates"] = to_text(state.coordinates);
  return exact;
}

json growing_fields(const ServerState& state) {
  json grows = json::object();
  if (state.coordinates.known()) grows["coordinates"] = to_text(state.coordinates);
  if (state.mysql_gtids) {
    grows["gtid_executed"] = to_text(state.mysql_gtids->executed);
    grows["gtid_purged"] = to_text(state.mysql_gtids->purged);
  } else {
    grows["gtid_binlog_pos"] = to_text(state.gtid_binlog);
    grows["gtid_slave_pos"] = to_text(state.gtid_replicated);
  }
  for (const Channel& channel : state.channels) {
    if (channel.read.known()) grows[prefix_of(channel) + "read"] = to_text(channel.read);
    if (channel.executed.known()) grows[prefix_of(channel) + "executed"] = to_text(channel.executed);
  }
  return grows;
}

bool has_grown(const std::string& was, const std::string& is) {
  const auto from = parse_coordinates(was), to = parse_coordinates(is);
  if (from && to) return reached(*to, *from);
  const auto before = GtidPoint::parse(was), after = GtidPoint::parse(is);
  return before && after && after->reached(*before);
}

std::string plain(const json& value) {
  if (!value.is_string()) return json_text(value);
  const auto text = value.get<std::string>();
  return text.empty() ? "(empty)" : text;
}

}  // namespace

json fingerprint(const Scene& scene, const Plan& plan) {
  // Where the file's word is taken, the source's very coordinates decide.
  std::set<ServerName> noted_at;
  for (const Step& step : plan.steps) {
    if (step.kind != StepKind::capture_coordinates) continue;
    if (std::get<CoordinatesNoted>(step.ensures.front()).at) noted_at.insert(step.server);
  }
  // What servers hold decides where a replica is to be attached, even if the plan refuses it.
  std::set<ServerName> attaching;
  for (const Server& server : scene.desired.servers) {
    const ServerState* state = scene.observed.find(server.name);
    if (state == nullptr) continue;
    const bool fresh = is_fresh(*state);
    for (const DeclaredChannel& channel : server.channels)
      if (fresh || (server.channels.size() > 1 && state->channel(channel.name) == nullptr))
        attaching.insert({server.name, channel.source});
  }
  json result = json::object();
  for (const Server& server : scene.desired.servers) {
    const ServerState* state = scene.observed.find(server.name);
    if (state == nullptr) {
      result[server.name.text] = {{"exact", {{"reachable", false}}}, {"grows", json::object()}};
      continue;
    }
    result[server.name.text] = {
        {"exact", exact_fields(scene, server, *state, attaching.contains(server.name) && state->schemas,
                               noted_at.contains(server.name))},
        {"grows", growing_fields(*state)}};
  }
  return result;
}

std::vector<std::string> moved(const json& was, const json& is) {
  std::vector<std::string> changes;
  const json nothing = json::object();
  for (const auto& [server, before] : was.items()) {
    const json& after = is.contains(server) ? is[server] : nothing;
    for (const char* kind : {"exact", "grows"}) {
      const json& old_fields = before.contains(kind) ? before[kind] : nothing;
      const json& new_fields = after.contains(kind) ? after[kind] : nothing;
      const bool grows = std::string_view(kind) == "grows";
      for (const auto& [field, value] : old_fields.items()) {
        // Asked only while something hangs on it; that this is over shows in other fields.
        if (field == "schemas" && !new_fields.contains(field)) continue;
        const json now = new_fields.contains(field) ? new_fields[field] : json("gone");
        const bool fine = now == value || (grows && value.is_string() && now.is_string() &&
                                           has_grown(value.get<std::string>(), now.get<std::string>()));
        if (!fine) changes.push_back(fmt::format("{}.{}: {} → {}", server, field, plain(value), plain(now)));
      }
      // A field that was not there before: a new channel, an account made meanwhile.
      if (!grows)
        for (const auto& [field, value] : new_fields.items())
          if (!old_fields.contains(field))
            changes.push_back(fmt::format("{}.{}: none → {}", server, field, plain(value)));
    }
  }
  return changes;
}

}  // namespace stemma
