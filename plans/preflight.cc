#include "plans/preflight.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "plans/judge_parts.h"

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
  else if (server.source && !state.log_updates)
    findings.push_back(
        with_hint(finding("server.log-updates-off", server.name, "log_slave_updates", "ON", "OFF",
                          "stands in the middle of a chain but does not log what it replicates, so its "
                          "replicas would get nothing"),
                  option_file("log_slave_updates = ON"), server.place));
}

void check_channels(const Server& server, const ServerState& state, std::vector<Finding>& findings) {
  for (const Channel& channel : state.channels) {
    const std::string from = fmt::format("{}:{}", channel.host, channel.port);
    if (!server.source)
      findings.push_back(with_hint(
          finding("source.has-channel", server.name, "channel", "none", from,
                  fmt::format("is declared as a root but replicates from {}", from)),
          fmt::format(
              "give it a `source` in the file; or, if it is to be the root, stop its writes' source and run "
              "STOP SLAVE{0}; RESET SLAVE{0} ALL on it",
              channel.name.empty() ? "" : fmt::format(" '{}'", channel.name)),
          server.place));
    else if (!channel.name.empty())
      findings.push_back(
          finding("channel.unmanaged", server.name, "channel " + channel.name, "not in the file", from,
                  fmt::format("has a channel '{}' from {} that the file doesn't know; it is left alone",
                              channel.name, from)));
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
      findings.push_back(
          finding("source.unmanaged-replica", server.name, "replicas", "in the file", std::to_string(id),
                  fmt::format("a replica with server_id {} hangs on it that the file doesn't know", id)));
}

void check_version(const Scene& scene, const Server& server, const ServerState& state,
                   std::vector<Finding>& findings) {
  const ServerState* source = server.source ? scene.observed.find(*server.source) : nullptr;
  if (source == nullptr) return;
  if (std::pair{state.version.major, state.version.minor} <
      std::pair{source->version.major, source->version.minor})
    findings.push_back(finding(
        "server.version-order", server.name, "version", "at least its source's", to_text(state.version),
        fmt::format("runs {} under a source with {}; a newer source may send what it can't apply",
                    to_text(state.version), to_text(source->version))));
}

// Whether what the server of that id writes reaches `server` by replication: it is its source, or above it.
bool is_upstream(const Scene& scene, const Server& server, std::uint32_t id) {
  for (const Server* at = &server; at->source;) {
    at = scene.desired.find(*at->source);
    const ServerState* state = scene.observed.find(at->name);
    if (state != nullptr && state->identity.server_id == id) return true;
  }
  return false;
}

}  // namespace

std::optional<Finding> errant_transactions(const Scene& scene, const Server& replica) {
  if (!replica.source) return std::nullopt;
  const ServerState* state = scene.observed.find(replica.name);
  const ServerState* source = scene.observed.find(*replica.source);
  if (state == nullptr || source == nullptr || source->gtid_state.empty()) return std::nullopt;
  std::vector<std::string> errant;
  for (const auto& [key, sequence] : state->gtid_state.entries()) {
    const Gtid gtid{key.first, key.second, sequence};
    // What a server above wrote can only have come from there; the source was perhaps read a moment earlier.
    if (source->gtid_state.contains(gtid) || is_upstream(scene, replica, gtid.server)) continue;
    // A replica's own transactions from before it was attached (accounts made at its set-up) are older than
    // anything it replicated. Only what is newer than all that its source has is surely errant.
    if (gtid.sequence > source->gtid_state.highest(gtid.domain)) errant.push_back(to_text(gtid));
  }
  if (errant.empty()) return std::nullopt;
  Finding found = finding(
      "replica.errant-transactions", replica.name, "gtid_binlog_state",
      fmt::format("within {}", to_text(source->gtid_state)), to_text(state->gtid_state),
      fmt::format("has transactions that {} lacks: {}", replica.source->text, fmt::join(errant, ", ")));
  found.hint = fmt::format(
      "look at them with `mariadb-binlog` on {0}; then either repeat them on {1} by hand and provision {0} "
      "anew, or "
      "provision {0} anew to drop them",
      replica.name.text, replica.source->text);
  found.place = replica.place;
  return found;
}

namespace {

// What errant_transactions() can't tell from a replica's own set-up.
std::optional<Finding> perhaps_errant(const Scene& scene, const Server& replica, const ServerState& state) {
  const ServerState* source = replica.source ? scene.observed.find(*replica.source) : nullptr;
  if (source == nullptr || source->gtid_state.empty()) return std::nullopt;
  std::vector<std::string> own;
  for (const auto& [key, sequence] : state.gtid_state.entries())
    if (const Gtid gtid{key.first, key.second, sequence};
        gtid.server == state.identity.server_id && !source->gtid_state.contains(gtid))
      own.push_back(to_text(gtid));
  if (own.empty()) return std::nullopt;
  Finding found =
      finding("replica.errant-transactions", replica.name, "gtid_binlog_state", "none of its own",
              fmt::format("{}", fmt::join(own, ", ")),
              fmt::format("has logged transactions of its own, the last is {}; from its set-up, or errant",
                          fmt::join(own, ", ")));
  found.weight = Weight::warning;
  found.hint = fmt::format("`mariadb-binlog` on {} shows them", replica.name.text);
  found.place = replica.place;
  return found;
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
          with_hint(finding("server.managed-elsewhere", server.name, "wsrep_on", "OFF", "ON",
                            "is a node of a Galera cluster, which decides itself whom it follows"),
                    "take it out of the file", server.place));
    check_identity(scene, server, *state, seen, findings);
    check_binlog(scene, server, *state, findings);
    check_channels(server, *state, findings);
    check_attached(server, *state, known, findings);
    check_version(scene, server, *state, findings);
    if (state->channel() != nullptr) {
      if (auto errant = errant_transactions(scene, server))
        findings.push_back(std::move(*errant));
      else if (auto perhaps = perhaps_errant(scene, server, *state))
        findings.push_back(std::move(*perhaps));
    }
  }
  return findings;
}

std::string privilege_hint(const std::string& user, const std::vector<std::string>& missing) {
  std::vector<std::string> plain;
  std::string lines;
  for (const std::string& privilege : missing)
    if (privilege == "SELECT")
      lines += fmt::format("GRANT SELECT ON mysql.* TO '{}'@'…';", user);
    else if (privilege.ends_with("WITH GRANT OPTION"))
      lines += fmt::format("GRANT REPLICATION SLAVE ON *.* TO '{}'@'…' WITH GRANT OPTION;", user);
    else
      plain.push_back(privilege);
  if (!plain.empty())
    lines = fmt::format("GRANT {} ON *.* TO '{}'@'…';{}{}", fmt::join(plain, ", "), user,
                        lines.empty() ? "" : " ", lines);
  return "as an administrator of that server: " + lines;
}

std::vector<std::string> missing_privileges(const ServerState& state, bool to_apply) {
  std::set<std::string> held;
  bool may_grant = false;
  for (const Grant& grant : state.own_grants) {
    if (grant.object != "*.*") continue;
    held.insert(grant.privileges.begin(), grant.privileges.end());
    if (grant.grant_option &&
        (grant.privileges.contains("REPLICATION SLAVE") || grant.privileges.contains("ALL PRIVILEGES")))
      may_grant = true;
  }
  // Who may not see a schema would take a full server for an empty one.
  const bool sees_all_schemas =
      held.contains("SHOW DATABASES") || held.contains("SELECT") || held.contains("EVENT");
  std::vector<std::string> needed = {"BINLOG MONITOR", "SLAVE MONITOR", "REPLICATION MASTER ADMIN"};
  if (to_apply && !sees_all_schemas) needed.emplace_back("SHOW DATABASES");
  if (to_apply)
    for (const char* more : {"REPLICATION SLAVE ADMIN", "READ_ONLY ADMIN", "BINLOG ADMIN", "CREATE USER"})
      needed.emplace_back(more);
  std::vector<std::string> missing;
  // Before MariaDB 11.0 SUPER implies the privileges that were split from it, but READ_ONLY ADMIN on 10.11.
  const bool super = held.contains("SUPER") && state.version < Version{11, 0, 0};
  if (!held.contains("ALL PRIVILEGES"))
    for (const std::string& privilege : needed) {
      const bool by_super = super && privilege != "CREATE USER" &&
                            (privilege != "READ_ONLY ADMIN" || state.version < Version{10, 11, 0});
      if (!held.contains(privilege) && !by_super) missing.push_back(privilege);
    }
  if (to_apply && !may_grant) missing.emplace_back("REPLICATION SLAVE … WITH GRANT OPTION");
  return missing;
}

}  // namespace stemma
