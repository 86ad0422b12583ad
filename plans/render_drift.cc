// Drift and status: text and JSON.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "plans/diff.h"
#include "plans/preflight.h"
#include "plans/render.h"

namespace stemma {
namespace {

using nlohmann::json;

const char* verdict_text(DriftVerdict verdict) {
  switch (verdict) {
    case DriftVerdict::in_sync: return "in-sync";
    case DriftVerdict::drifted: return "drifted";
    case DriftVerdict::unknown: break;
  }
  return "unknown";
}

std::string thread(ReceiverState state) {
  switch (state) {
    case ReceiverState::on: return "Yes";
    case ReceiverState::connecting: return "Connecting";
    case ReceiverState::off: break;
  }
  return "No";
}

std::string lag_text(const Channel& channel) {
  const auto lag = honest_lag(channel);
  if (!lag) return "unknown";
  return channel.delay > 0 ? fmt::format("{} s (+{} s delay)", *lag, channel.delay)
                           : fmt::format("{} s", *lag);
}

}  // namespace

std::string silence_text(const Fleet& fleet, const ServerName& name) {
  const auto silent = fleet.silent.find(name);
  if (silent == fleet.silent.end() || silent->second.error.trouble == Trouble::unreachable)
    return "no answer";
  return silent->second.code == "server.login-refused" ? "login refused" : "not readable";
}

namespace {

// Findings that say the same of several servers, as one.
struct Group {
  const Finding* first;
  std::vector<std::string> servers;
};

std::vector<Group> grouped(const std::vector<Finding>& findings) {
  std::vector<Group> groups;
  std::map<std::tuple<std::string, std::string, std::string, bool>, std::size_t> known;
  for (const Finding& found : findings) {
    if (found.weight == Weight::info) continue;
    const auto [at, added] =
        known.emplace(std::tuple(found.code, found.message, found.hint, found.ignored), groups.size());
    if (added) groups.push_back({&found, {}});
    groups[at->second].servers.push_back(found.server.text);
  }
  return groups;
}

std::string named(const std::vector<std::string>& servers) {
  constexpr std::size_t shown = 3;
  if (servers.size() <= shown) return fmt::format("{}", fmt::join(servers, ", "));
  return fmt::format("{} and {} more", fmt::join(servers.begin(), servers.begin() + (shown - 1), ", "),
                     servers.size() - (shown - 1));
}

}  // namespace

std::string findings_as_text(const std::vector<Finding>& findings, const Topology& topology,
                             const Palette& palette) {
  const auto groups = grouped(findings);
  std::size_t server_width = 0, code_width = 0;
  for (const Group& group : groups) {
    server_width = std::max(server_width, named(group.servers).size());
    code_width = std::max(code_width, group.first->code.size());
  }
  std::string text;
  for (const Group& group : groups) {
    const Finding& found = *group.first;
    const bool error = found.weight == Weight::error && !found.ignored;
    const std::string place = found.place.line > 0 && !topology.path.empty()
                                  ? fmt::format("  [{}:{}]", topology.path, found.place.line)
                                  : "";
    text += fmt::format("  {} {:<{}}  {:<{}}  {}{}{}\n",
                        palette.paint(error ? palette.bad : palette.warn, error ? "✗" : "!"),
                        named(group.servers), server_width, found.code, code_width, found.message,
                        found.ignored ? " (ignored)" : "", palette.paint(palette.dim, place));
    if (!found.hint.empty() && !found.ignored)
      text += fmt::format("      {}\n", palette.paint(palette.dim, found.hint));
  }
  // What could not be checked is said once for all servers.
  std::vector<std::string> unchecked;
  for (const Finding& found : findings)
    if (found.weight == Weight::info &&
        std::find(unchecked.begin(), unchecked.end(), found.message) == unchecked.end())
      unchecked.push_back(found.message);
  for (const std::string& message : unchecked)
    text += fmt::format("  {} {}\n", palette.paint(palette.dim, "·"), message);
  return text;
}

std::string drift_as_text(const std::vector<Finding>& findings, const Topology& topology,
                          const Palette& palette) {
  std::string text = findings_as_text(findings, topology, palette);
  std::size_t errors = 0, ignored = 0, warnings = 0;
  for (const Finding& found : findings) {
    if (found.ignored)
      ++ignored;
    else if (found.weight == Weight::error)
      ++errors;
    else if (found.weight == Weight::warning)
      ++warnings;
  }
  const DriftVerdict verdict = verdict_of(findings);
  const std::string name = palette.paint(palette.bold, topology.name);
  std::string extra;
  if (warnings > 0) extra += fmt::format(", {} warning{}", warnings, warnings == 1 ? "" : "s");
  if (ignored > 0) extra += fmt::format(", {} ignored", ignored);
  switch (verdict) {
    case DriftVerdict::in_sync:
      return text + fmt::format("{} {}: in sync, {} server{} as declared{}\n",
                                palette.paint(palette.good, "✓"), name, topology.servers.size(),
                                topology.servers.size() == 1 ? "" : "s", extra);
    case DriftVerdict::drifted:
      return text + fmt::format("{} {}: drifted, {} finding{}{}; see `stemma plan{}`\n",
                                palette.paint(palette.bad, "✗"), name, errors, errors == 1 ? "" : "s", extra,
                                topology.path.empty() ? "" : " " + topology.path);
    case DriftVerdict::unknown: break;
  }
  return text + fmt::format("{} {}: unknown, not every server could be looked at{}\n",
                            palette.paint(palette.warn, "?"), name, extra);
}

json drift_to_json(const std::vector<Finding>& findings, const Topology& topology) {
  json list = json::array();
  for (const Finding& found : findings) list.push_back(finding_to_json(found));
  return {{"format_version", kFormatVersion},
          {"topology", topology.name},
          {"verdict", verdict_text(verdict_of(findings))},
          {"findings", list}};
}

std::string status_as_text(const Scene& scene, const std::vector<Finding>& findings, const Palette& palette) {
  const TreeCells cells = [&](const Server& server,
                              const DeclaredChannel* declared) -> std::vector<std::string> {
    const ServerState* state = scene.observed.find(server.name);
    if (state == nullptr) return {silence_text(scene.observed, server.name), "", "", "", "", "", ""};
    const std::string writes = state->super_read_only.value_or(false) ? "super-read-only"
                               : state->read_only                     ? "read-only"
                                                                      : "writable";
    // Also what a declared root follows.
    const Channel* channel = state->channel(declared == nullptr ? "" : declared->name);
    if (channel == nullptr)
      return {writes,
              "",
              "",
              "",
              to_text(state->coordinates),
              state->mysql_gtids ? to_text(state->executed()) : to_text(state->gtid_binlog),
              ""};
    const Relation relation = declared == nullptr
                                  ? Relation::unknown
                                  : relation_of(scene, DeclaredLink{server, *declared}).relation;
    return {writes,
            thread(channel->receiver),
            channel->applier ? "Yes" : "No",
            lag_text(*channel),
            to_text(channel->executed),
            to_text(state->executed()),
            std::string(to_text(relation))};
  };
  std::string text = fmt::format("{}\n\n", palette.paint(palette.bold, scene.desired.name));
  text += tree(scene.desired, {"writes", "receiver", "applier", "lag", "coordinates", "GTID", "history"},
               cells, palette);
  if (!findings.empty()) text += "\n" + findings_as_text(findings, scene.desired, palette);
  return text;
}

json status_to_json(const Scene& scene, const std::vector<Finding>& findings) {
  json servers = json::array();
  for (const Server& server : scene.desired.servers) {
    const ServerState* state = scene.observed.find(server.name);
    json entry = server_to_json(scene, server);
    if (const DeclaredChannel* channel = server.channel()) entry["source"] = channel->source.text;
    if (state != nullptr) {
      entry["server_id"] = state->identity.server_id;
      entry["read_only"] = state->read_only;
      entry["coordinates"] = state->coordinates.known() ? json(to_text(state->coordinates)) : json();
      if (state->mysql_gtids) {
        entry["gtid_mode"] = state->mysql_gtids->mode;
        entry["gtid_executed"] = to_text(state->mysql_gtids->executed);
        entry["gtid_purged"] = to_text(state->mysql_gtids->purged);
      } else {
        entry["gtid_binlog_pos"] = to_text(state->gtid_binlog);
        entry["gtid_slave_pos"] = to_text(state->gtid_replicated);
      }
      for (const DeclaredLink& link : links_of(server)) {
        const Related related = relation_of(scene, link);
        json told = {{"to_source", to_text(related.relation)},
                     {"errant", related.errant},
                     {"missing_transactions", related.missing ? json(*related.missing) : json()}};
        if (link.channel.name.empty()) entry["relation"] = told;
        entry["sources"].push_back(
            {{"channel", link.channel.name}, {"source", link.source().text}, {"relation", std::move(told)}});
      }
      json channels = json::array();
      for (const Channel& channel : state->channels) {
        const auto lag = honest_lag(channel);
        channels.push_back(
            {{"name", channel.name},
             {"source", fmt::format("{}:{}", channel.host, channel.port)},
             {"receiver", thread(channel.receiver)},
             {"applier", channel.applier ? "Yes" : "No"},
             {"read", channel.read.known() ? json(to_text(channel.read)) : json()},
             {"executed", channel.executed.known() ? json(to_text(channel.executed)) : json()},
             {"lag_seconds", lag ? json(*lag) : json()},
             {"delay_seconds", channel.delay},
             {"receiver_error", {{"number", channel.receiver_errno}, {"text", channel.receiver_error}}},
             {"applier_error", {{"number", channel.applier_errno}, {"text", channel.applier_error}}}});
      }
      entry["channels"] = channels;
    }
    servers.push_back(std::move(entry));
  }
  json document = drift_to_json(findings, scene.desired);
  document["servers"] = servers;
  return document;
}

}  // namespace stemma
