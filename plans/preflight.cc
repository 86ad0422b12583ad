#include "plans/preflight.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "plans/attach.h"
#include "plans/channel_options.h"
#include "plans/judge_parts.h"
#include "plans/preflight_account.h"
#include "plans/preflight_gtid.h"

namespace stemma {
namespace {

Finding with_hint(Finding found, std::string hint, Place place) {
  found.hint = std::move(hint);
  found.place = place;
  return found;
}

std::string option_file(const std::string& lines) {
  return fmt::format("put this into the server's option file and restart it: [mysqld] {}", lines);
}

// The identities of the servers looked at so far; each pair of twins is told once, at the later one.
struct Seen {
  std::map<std::uint32_t, const Server*> ids;
  std::map<std::string, const Server*> uuids;
};

void check_identity(const Scene& scene, const Server& server, const ServerState& state, Seen& seen,
                    std::vector<Finding>& findings) {
  const std::uint32_t id = state.identity.server_id;
  const auto place = place_of(scene.desired, server, "server_id");
  if (server.server_id && *server.server_id != id)
    findings.push_back(with_hint(
        finding("server.id-differs", server.name, "server_id", std::to_string(*server.server_id),
                std::to_string(id), fmt::format("server_id is {}, declared is {}", id, *server.server_id)),
        option_file(fmt::format("server_id = {}", *server.server_id)), place));
  const auto [holder, first] = seen.ids.emplace(id, &server);
  if (!first)
    findings.push_back(
        with_hint(finding("server.id-duplicate", server.name, "server_id", "distinct", std::to_string(id),
                          fmt::format("has the same server_id as {}: {}", holder->second->name.text, id)),
                  option_file(fmt::format("server_id = {}", server.server_id && *server.server_id != id
                                                                ? std::to_string(*server.server_id)
                                                                : "a number of its own")),
                  place));
  if (state.identity.uuid.empty()) return;
  const auto [twin, alone] = seen.uuids.emplace(state.identity.uuid, &server);
  if (!alone)
    findings.push_back(with_hint(
        finding("server.uuid-duplicate", server.name, "server_uuid", "distinct", state.identity.uuid,
                fmt::format("has the same server_uuid as {}", twin->second->name.text)),
        "remove auto.cnf from its data directory and restart it", server.place));
}

void check_binlog(const Scene& scene, const Server& server, const ServerState& state,
                  std::vector<Finding>& findings) {
  if (scene.desired.replicas_of(server.name).empty()) return;
  if (!state.log_bin)
    findings.push_back(with_hint(finding("server.binlog-off", server.name, "log_bin", "ON", "OFF",
                                         "has replicas in the file but no binlog"),
                                 option_file("log_bin = mysql-bin"), server.place));
  else if (!server.is_root() && !state.log_updates)
    findings.push_back(
        with_hint(finding("server.log-updates-off", server.name, "log_slave_updates", "ON", "OFF",
                          "stands in the middle of a chain but does not log what it replicates, so its "
                          "replicas would get nothing"),
                  option_file("log_slave_updates = ON"), server.place));
}

void check_channels(const Server& server, const ServerState& state, std::vector<Finding>& findings) {
  for (const Channel& channel : state.channels) {
    const std::string from = fmt::format("{}:{}", channel.host, channel.port);
    if (server.is_root())
      findings.push_back(with_hint(finding("source.has-channel", server.name, "channel", "none", from,
                                           fmt::format("is declared as a root but replicates from {}", from)),
                                   fmt::format("give it a `source` in the file; or, if it is to be the root, "
                                               "stop the writes at {} and run {} on it",
                                               from, forget_channel(state, channel.name)),
                                   server.place));
    else if (server.channel(channel.name) == nullptr)
      findings.push_back(with_hint(
          finding("channel.unmanaged", server.name, "channel " + channel.name, "not in the file", from,
                  fmt::format("has a channel '{}' from {} that the file doesn't know; it is left alone",
                              channel.name, from)),
          fmt::format("declare it as [server.{}.channel.NAME]; or, to drop it, run {} on it",
                      server.name.text, forget_channel(state, channel.name)),
          server.place));
  }
}

// The ids of all servers of the file; nullopt when a silent one's id is not known.
std::optional<std::set<std::uint32_t>> known_ids(const Scene& scene) {
  std::set<std::uint32_t> known;
  for (const Server& other : scene.desired.servers) {
    if (other.server_id) known.insert(*other.server_id);
    if (const ServerState* seen = scene.observed.find(other.name))
      known.insert(seen->identity.server_id);
    else if (!other.server_id)
      return std::nullopt;
  }
  return known;
}

void check_attached(const Server& server, const ServerState& state,
                    const std::optional<std::set<std::uint32_t>>& known, std::vector<Finding>& findings) {
  if (!known) return;  // a silent server of unknown id may be one of those that hang here
  for (const std::uint32_t id : state.attached_ids)
    if (!known->contains(id))
      findings.push_back(with_hint(
          finding("source.unmanaged-replica", server.name, "replicas", "in the file", std::to_string(id),
                  fmt::format("a replica with server_id {} hangs on it that the file doesn't know", id)),
          "declare it in the file, or stop its replication", server.place));
}

void check_version(const Scene& scene, const DeclaredLink& link, const ServerState& state,
                   std::vector<Finding>& findings) {
  const Server& server = link.replica;
  const ServerState* source = scene.observed.find(link.source());
  if (source == nullptr) return;
  if (state.flavor != source->flavor) {
    Finding found = finding(
        "server.version-order", server.name, "flavor", std::string(to_text(source->flavor)),
        std::string(to_text(state.flavor)),
        fmt::format("is {} and can't follow {}, which is {}: neither understands all that the other writes",
                    to_text(state.flavor), link.source().text, to_text(source->flavor)));
    found.weight = Weight::error;
    found.hint = "replicate within one of the two; to move data between them, dump and load them";
    found.place = place_of(scene.desired, link, "source");
    findings.push_back(std::move(found));
    return;
  }
  if (std::pair{state.version.major, state.version.minor} <
      std::pair{source->version.major, source->version.minor})
    findings.push_back(finding(
        "server.version-order", server.name, "version", "at least its source's", to_text(state.version),
        fmt::format("runs {} under a source with {}; a newer source may send what it can't apply",
                    to_text(state.version), to_text(source->version))));
}

// MariaDB's receiver would connect in plain text, and its status say that TLS is on.
void check_tls_offer(const Scene& scene, const DeclaredLink& link, std::vector<Finding>& findings) {
  const ServerState* source = scene.observed.find(link.source());
  const auto& declared = link.channel.options.tls;
  if (source == nullptr || source->offers_tls || !declared || *declared < TlsMode::required) return;
  findings.push_back(of_channel(
      with_hint(
          finding("channel.tls-off", link.replica.name, "channel.tls", "on", "not offered",
                  fmt::format("the channel is to be encrypted, and {} offers no TLS", link.source().text)),
          fmt::format("give {} a certificate (ssl_cert and ssl_key in its option file), or declare tls = "
                      "\"preferred\"",
                      link.source().text),
          place_of(scene.desired, link, "tls")),
      link.name()));
}

// MySQL 5.6 takes filters from its option file only.
void check_filters(const Scene& scene, const DeclaredLink& link, const ServerState& state,
                   std::vector<Finding>& findings) {
  const Server& server = link.replica;
  const ChannelOptions& declared = link.channel.options;
  if (state.flavor != Flavor::mysql || state.version >= Version{5, 7, 3}) return;
  const Channel* channel = state.channel(link.channel.name);
  const Channel none;
  const Channel& has = channel == nullptr ? none : *channel;
  struct Filter {
    const char* name;
    const std::optional<std::vector<std::string>>& wanted;
    const std::string& has;
  };
  for (const Filter& filter :
       {Filter{"do_db", declared.do_db, has.do_db}, Filter{"ignore_db", declared.ignore_db, has.ignore_db},
        Filter{"do_table", declared.do_table, has.do_table},
        Filter{"ignore_table", declared.ignore_table, has.ignore_table}}) {
    if (!filter.wanted) continue;
    const std::string wanted = fmt::format("{}", fmt::join(*filter.wanted, ","));
    if (channel != nullptr && same_value(wanted, filter.has)) continue;
    std::vector<std::string> lines;
    for (const std::string& one : *filter.wanted)
      lines.push_back(fmt::format("replicate_{} = {}", filter.name, one));
    findings.push_back(with_hint(finding("channel.option-differs", server.name,
                                         fmt::format("channel.{}", filter.name), wanted, filter.has,
                                         fmt::format("the channel's {} can't be set while MySQL {} runs",
                                                     filter.name, to_text(state.version))),
                                 option_file(fmt::format("{}", fmt::join(lines, ", "))),
                                 place_of(scene.desired, link, filter.name)));
  }
}

// What the channel brings of a schema's name, as far as filters of whole schemas say.
bool lets_through(const ChannelOptions& options, const std::string& schema) {
  const auto has = [&](const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), schema) != names.end();
  };
  return (!options.do_db || has(*options.do_db)) && !(options.ignore_db && has(*options.ignore_db));
}

// Each finding is about a pair of channels.
template <class Do>
void each_pair(const Server& server, Do action) {
  const auto links = links_of(server);
  for (std::size_t b = 1; b < links.size(); ++b)
    for (std::size_t a = 0; a < b; ++a) action(links[a], links[b]);
}

// Rows of one table from two servers: their keys may meet.
void check_shared_schemas(const Scene& scene, const Server& server, std::vector<Finding>& findings) {
  each_pair(server, [&](const DeclaredLink& a, const DeclaredLink& b) {
    const ServerState* one = scene.observed.find(a.source());
    const ServerState* other = scene.observed.find(b.source());
    if (one == nullptr || other == nullptr) return;
    const auto theirs = data_of(*other, scene.desired);
    std::vector<std::string> shared;
    for (const std::string& schema : data_of(*one, scene.desired))
      if (std::find(theirs.begin(), theirs.end(), schema) != theirs.end() &&
          lets_through(a.channel.options, schema) && lets_through(b.channel.options, schema))
        shared.push_back(schema);
    if (shared.empty()) return;
    findings.push_back(of_channel(
        with_hint(finding("source.schema-shared", server.name, "schemas", "distinct",
                          fmt::format("{}", fmt::join(shared, ", ")),
                          fmt::format("gets schemas of the same name from {} and from {}: {}",
                                      a.source().text, b.source().text, fmt::join(shared, ", "))),
                  "where both write the same keys, the applier stops or rows are lost; keep them apart, or "
                  "filter one of them with ignore_db",
                  b.channel.place),
        b.name()));
  });
}

// MySQL before 5.7.6 has one channel.
void check_named_channels(const DeclaredLink& link, const ServerState& state,
                          std::vector<Finding>& findings) {
  if (link.channel.name.empty() || state.flavor != Flavor::mysql || state.version >= Version{5, 7, 6}) return;
  findings.push_back(of_channel(
      with_hint(finding("channel.unsupported", link.replica.name, "channel", "follows " + link.source().text,
                        "no named channels",
                        fmt::format("MySQL {} knows no named channels", to_text(state.version))),
                "upgrade it to MySQL 5.7 or later; with one source only, write `source` into its [server.X]",
                link.channel.place),
      link.name()));
}

void check_options(const Scene& scene, const DeclaredLink& link, const ServerState& state,
                   std::vector<Finding>& findings) {
  ChannelOptions declared = link.channel.options;
  for (const UnknownOption& unknown : take_unknown(declared, state.flavor, state.version)) {
    const std::string key(unknown.key);
    findings.push_back(of_channel(
        with_hint(
            finding("channel.option-unsupported", link.replica.name, "channel." + key, "declared", "unknown",
                    fmt::format("{} {} has no option {} for its channels", to_text(state.flavor),
                                to_text(state.version), key)),
            fmt::format("declare it only for servers that know it ({})", unknown.known_by),
            place_of(scene.desired, link, key)),
        link.name()));
  }
}

}  // namespace

std::vector<Finding> preflight(const Scene& scene) {
  std::vector<Finding> findings;
  Seen seen;
  const auto known = known_ids(scene);
  for (const Server& server : scene.desired.servers) {
    if (const auto silent = scene.observed.silent.find(server.name); silent != scene.observed.silent.end()) {
      Finding found = finding(silent->second.code, server.name, "server", "answers", "silent",
                              silent->second.error.message);
      found.hint = silent->second.error.hint;
      found.place = server.place;
      findings.push_back(std::move(found));
      continue;
    }
    const ServerState* state = scene.observed.find(server.name);
    if (state == nullptr) continue;
    if (state->managed_elsewhere)
      findings.push_back(
          with_hint(finding("server.managed-elsewhere", server.name, "managed", "by this file", "elsewhere",
                            "is a node of a Galera or Group Replication cluster, or fails over by itself, "
                            "and so decides itself whom it follows"),
                    "take it out of the file", server.place));
    check_identity(scene, server, *state, seen, findings);
    check_binlog(scene, server, *state, findings);
    check_channels(server, *state, findings);
    check_attached(server, *state, known, findings);
    check_gtids(scene, server, *state, findings);
    check_shared_schemas(scene, server, findings);
    check_account_plugin(scene, server, *state, findings);
    check_account_limits(scene, server, *state, findings);
    for (const DeclaredLink& link : links_of(server)) {
      check_named_channels(link, *state, findings);
      check_version(scene, link, *state, findings);
      check_filters(scene, link, *state, findings);
      check_options(scene, link, *state, findings);
      check_tls_offer(scene, link, findings);
    }
  }
  return findings;
}

}  // namespace stemma
