#include "plans/preflight_gtid.h"

#include <fmt/format.h>

#include <set>

#include "plans/judge_parts.h"
#include "plans/preflight.h"

namespace stemma {
namespace {

// Whether what the server of that id writes reaches `server` by replication: it is its source, or above it.
bool is_upstream(const Scene& scene, const Server& server, std::uint32_t id) {
  for (const Server* at = &server; at->source;) {
    at = scene.desired.find(*at->source);
    const ServerState* state = scene.observed.find(at->name);
    if (state != nullptr && state->identity.server_id == id) return true;
  }
  return false;
}

// The server ids whose transactions reach a server by replication: its source's and those above.
std::set<std::uint32_t> upstream_ids(const Scene& scene, const Server& server) {
  std::set<std::uint32_t> ids;
  for (const Server* at = &server; at->source;) {
    at = scene.desired.find(*at->source);
    if (const ServerState* state = scene.observed.find(at->name)) ids.insert(state->identity.server_id);
  }
  return ids;
}

// gtid_mode where the file, or the other end of the channel, wants another.
void check_gtid_mode(const Scene& scene, const Server& server, const ServerState& state,
                     std::vector<Finding>& findings) {
  if (!state.mysql_gtids) return;
  const ServerState* source = server.source ? scene.observed.find(*server.source) : nullptr;
  const bool in_tree = server.source || !scene.desired.replicas_of(server.name).empty();
  const std::string& mode = state.mysql_gtids->mode;
  const std::string other = source != nullptr && source->mysql_gtids ? source->mysql_gtids->mode : mode;
  std::string message;
  if (scene.desired.coordinates == CoordinatesMode::gtid && in_tree && mode != "ON")
    message = fmt::format("gtid_mode is {}, and the file wants GTIDs", mode);
  else if ((mode == "ON" && other == "OFF") || (mode == "OFF" && other == "ON"))
    message = fmt::format("gtid_mode is {} but {} on {}: no receiver can start between the two", mode, other,
                          server.source->text);
  if (message.empty()) return;
  Finding found = finding("gtid.mode-differs", server.name, "gtid_mode", mode == "ON" ? other : "ON", mode,
                          std::move(message));
  found.hint = state.version < Version{5, 7, 6}
                   ? "put this into the option file of every server of the tree and restart it: [mysqld] "
                     "gtid_mode = ON, "
                     "enforce_gtid_consistency = ON, log_bin, log_slave_updates = ON"
                   : "on every server of the tree, each step on all before the next: SET GLOBAL "
                     "enforce_gtid_consistency = "
                     "WARN, and watch the error log; = ON; SET GLOBAL gtid_mode = OFF_PERMISSIVE; = "
                     "ON_PERMISSIVE; when "
                     "Ongoing_anonymous_transaction_count is 0 and the replicas have caught up, = ON; then "
                     "keep both values "
                     "with SET PERSIST or in the option file";
  found.place = place_of(scene.desired, server, "coordinates");
  findings.push_back(std::move(found));
}

std::optional<Finding> errant_by_set(const Scene& scene, const Server& replica, const ServerState& state,
                                     const ServerState& source) {
  const std::string errant = relation_of(scene, replica).errant;
  if (errant.empty()) return std::nullopt;
  Finding found = finding("replica.errant-transactions", replica.name, "gtid_executed",
                          fmt::format("within {}", to_text(source.mysql_gtids->executed)),
                          to_text(state.mysql_gtids->executed),
                          fmt::format("has transactions that {} lacks: {}", replica.source->text, errant));
  found.hint = fmt::format(
      "look at them with `mysqlbinlog --include-gtids` on {0}; where they are harmless, commit empty "
      "transactions "
      "with the same GTIDs on {1}; else repeat them on {1} by hand, or provision {0} anew to drop them",
      replica.name.text, replica.source->text);
  found.place = replica.place;
  return found;
}

}  // namespace

std::optional<Finding> errant_transactions(const Scene& scene, const Server& replica) {
  if (!replica.source) return std::nullopt;
  const ServerState* state = scene.observed.find(replica.name);
  const ServerState* source = scene.observed.find(*replica.source);
  if (state == nullptr || source == nullptr) return std::nullopt;
  if (state->mysql_gtids && source->mysql_gtids) return errant_by_set(scene, replica, *state, *source);
  if (source->gtid_state.empty()) return std::nullopt;
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

Related relation_of(const Scene& scene, const Server& replica) {
  const ServerState* state = scene.observed.find(replica.name);
  const ServerState* source = replica.source ? scene.observed.find(*replica.source) : nullptr;
  if (state == nullptr || source == nullptr || state->flavor != source->flavor) return {};
  if (!state->mysql_gtids)
    return relate(LoggedStates{.replica_id = state->identity.server_id,
                               .replicated = state->gtid_replicated,
                               .replica = state->gtid_state,
                               .source = source->gtid_state,
                               .horizon = source->gtid_horizon,
                               .trusted = upstream_ids(scene, replica)});
  if (!state->has_gtids() || !source->has_gtids()) return {};
  ExecutedSets sets{
      state->mysql_gtids->executed, source->mysql_gtids->executed, source->mysql_gtids->purged, {}};
  // What a server above wrote can only have come from there; it was perhaps read a moment earlier. A replica that does
  // not receive can't have got it since.
  const Channel* channel = state->channel();
  if (channel != nullptr && channel->receiver != ReceiverState::off)
    for (const Server* at = &replica; at->source;) {
      at = scene.desired.find(*at->source);
      if (const ServerState* upstream = scene.observed.find(at->name))
        sets.trusted.insert(upstream->identity.uuid);
    }
  return relate(sets);
}

void check_gtids(const Scene& scene, const Server& server, const ServerState& state,
                 std::vector<Finding>& into) {
  check_gtid_mode(scene, server, state, into);
  if (state.channel() == nullptr) return;
  if (auto errant = errant_transactions(scene, server))
    into.push_back(std::move(*errant));
  else if (auto perhaps = perhaps_errant(scene, server, state))
    into.push_back(std::move(*perhaps));
}

}  // namespace stemma
