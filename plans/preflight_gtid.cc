#include "plans/preflight_gtid.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "plans/attach_parts.h"
#include "plans/judge_parts.h"
#include "plans/other_sources.h"
#include "plans/preflight.h"
#include "plans/preflight_domains.h"
#include "plans/source_reset.h"

namespace stemma {
namespace {

// The server ids whose transactions reach a replica through that channel: its source's and those above.
std::set<std::uint32_t> upstream_ids(const Scene& scene, const DeclaredLink& link) {
  std::set<std::uint32_t> ids;
  for (const Server* above : scene.desired.upstream(link.source()))
    if (const ServerState* state = scene.observed.find(above->name)) ids.insert(state->identity.server_id);
  return ids;
}

// gtid_mode where the file, or the other end of the channel, wants another.
void check_gtid_mode(const Scene& scene, const Server& server, const ServerState& state,
                     std::vector<Finding>& findings) {
  if (!state.mysql_gtids) return;
  const std::string& mode = state.mysql_gtids->mode;
  // The first source from which no receiver can start.
  std::string other = mode, other_name;
  for (const DeclaredChannel& channel : server.channels) {
    const ServerState* source = scene.observed.find(channel.source);
    if (source == nullptr || !source->mysql_gtids || !other_name.empty()) continue;
    const std::string& its = source->mysql_gtids->mode;
    if ((mode == "ON" && its == "OFF") || (mode == "OFF" && its == "ON")) {
      other = its;
      other_name = channel.source.text;
    }
  }
  std::string message;
  if (scene.desired.coordinates == CoordinatesMode::gtid && scene.desired.replicates(server) && mode != "ON")
    message = fmt::format("gtid_mode is {}, and the file wants GTIDs", mode);
  else if (!other_name.empty())
    message = fmt::format("gtid_mode is {} but {} on {}: no receiver can start between the two", mode, other,
                          other_name);
  if (message.empty()) return;
  Finding found = finding("gtid.mode-differs", server.name, "gtid_mode", mode == "ON" ? other : "ON", mode,
                          std::move(message));
  found.hint =
      state.version < Version{5, 7, 6}
          ? "put this into the option file of every server of the tree and restart it: [mysqld] gtid_mode = "
            "ON, enforce_gtid_consistency = ON, log_bin, log_slave_updates = ON"
          : "on every server of the tree, each step on all before the next: SET GLOBAL "
            "enforce_gtid_consistency = WARN, and watch the error log; = ON; SET GLOBAL gtid_mode = "
            "OFF_PERMISSIVE; = ON_PERMISSIVE; when Ongoing_anonymous_transaction_count is 0 and the replicas "
            "have caught up, = ON; then keep both values with SET PERSIST or in the option file";
  found.place = place_of(scene.desired, server, "coordinates");
  findings.push_back(std::move(found));
}

std::optional<Finding> errant_by_set(const Scene& scene, const DeclaredLink& link, const ServerState& state,
                                     const ServerState& source) {
  const Server& replica = link.replica;
  const std::string errant = relation_of(scene, link).errant;
  if (errant.empty()) return std::nullopt;
  Finding found = finding("replica.errant-transactions", replica.name, "gtid_executed",
                          fmt::format("within {}", to_text(source.mysql_gtids->executed)),
                          to_text(state.mysql_gtids->executed),
                          fmt::format("has transactions that {} lacks: {}", link.source().text, errant));
  found.hint = fmt::format(
      "look at them with `mysqlbinlog --include-gtids` on {0}; where they are harmless, commit empty "
      "transactions with the same GTIDs on {1}; else repeat them on {1} by hand, or provision {0} anew to "
      "drop them",
      replica.name.text, link.source().text);
  found.place = replica.place;
  return found;
}

// By file and position MySQL's GTIDs decide nothing, but they tell: a replica that has read all that its source had, and
// still lacks transactions from before its last ones, was pointed beyond them. (Those that wait in the relay log, or
// that another worker is at, have been retrieved.) By auto-position the source would send them.
std::optional<Finding> skipped_transactions(const Scene& scene, const DeclaredLink& link,
                                            const ServerState& state) {
  const ServerState* source = scene.observed.find(link.source());
  const Channel* channel = state.channel(link.channel.name);
  if (source == nullptr || channel == nullptr || !state.mysql_gtids || !source->mysql_gtids ||
      !state.has_gtids() || channel->gtid != ChannelGtid::no ||
      wants_gtid(scene.desired, scene.observed, link))
    return std::nullopt;
  if (!channel->read.known() || !source->coordinates.known() ||
      !reached(channel->read, source->coordinates) || !came_from(*channel, *source))
    return std::nullopt;
  const GtidSet& executed = state.mysql_gtids->executed;
  const GtidSet arrived = channel->has_applied_all() ? executed : executed.unite(channel->retrieved);
  const GtidSet skipped = arrived.holes().intersect(source->mysql_gtids->at_coordinates);
  if (skipped.empty()) return std::nullopt;
  Finding found =
      finding("replica.diverged", link.replica.name, "gtid_executed",
              to_text(source->mysql_gtids->at_coordinates), to_text(executed),
              fmt::format("has skipped transactions of {}: {}", link.source().text, to_text(skipped)));
  found.hint = fmt::format("with coordinates = \"gtid\" in the file its source sends them; else {}",
                           provision_anew(link));
  found.place = link.replica.place;
  return found;
}

}  // namespace

std::optional<Finding> errant_transactions(const Scene& scene, const DeclaredLink& link) {
  const Server& replica = link.replica;
  const ServerState* state = scene.observed.find(replica.name);
  const ServerState* source = scene.observed.find(link.source());
  if (state == nullptr || source == nullptr || state->channel(link.channel.name) == nullptr)
    return std::nullopt;
  if (state->mysql_gtids && source->mysql_gtids) return errant_by_set(scene, link, *state, *source);
  if (source->gtid_state.empty()) return std::nullopt;
  const auto above = upstream_ids(scene, link);
  const OtherSources others = other_sources(scene, link);
  std::vector<std::string> errant;
  for (const auto& [key, sequence] : state->gtid_state.entries()) {
    const Gtid gtid{key.first, key.second, sequence};
    // What a server above wrote can only have come from there; the source was perhaps read a moment earlier.
    if (source->gtid_state.contains(gtid) || above.contains(gtid.server) || others.explains(gtid)) continue;
    // A replica's own transactions from before it was attached (accounts made at its set-up) are older than
    // anything it replicated. Only what is newer than all that its source has is surely errant.
    if (gtid.sequence > source->gtid_state.highest(gtid.domain)) errant.push_back(to_text(gtid));
  }
  if (errant.empty()) return std::nullopt;
  Finding found =
      finding("replica.errant-transactions", replica.name, "gtid_binlog_state",
              fmt::format("within {}", to_text(source->gtid_state)), to_text(state->gtid_state),
              fmt::format("has transactions that {} lacks: {}", link.source().text, fmt::join(errant, ", ")));
  found.hint = fmt::format(
      "look at them with `mariadb-binlog` on {0}; then either repeat them on {1} by hand and provision {0} "
      "anew, or provision {0} anew to drop them",
      replica.name.text, link.source().text);
  found.place = replica.place;
  return found;
}

namespace {

// What errant_transactions() can't tell from a replica's own set-up.
std::optional<Finding> perhaps_errant(const Scene& scene, const DeclaredLink& link,
                                      const ServerState& state) {
  const Server& replica = link.replica;
  const ServerState* source = scene.observed.find(link.source());
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

// Without what came by other channels.
GtidPosition own_part(const GtidPosition& position, const ServerState& source, const OtherSources& others) {
  std::vector<std::string> own;
  for (const auto& [domain, gtid] : position.domains())
    if (source.gtid_state.contains(gtid) || !others.explains(gtid)) own.push_back(to_text(gtid));
  return GtidPosition::parse(fmt::format("{}", fmt::join(own, ","))).value_or(GtidPosition{});
}
GtidState own_part(const GtidState& state, const ServerState& source, const OtherSources& others) {
  std::vector<std::string> own;
  for (const auto& [key, sequence] : state.entries())
    if (const Gtid gtid{key.first, key.second, sequence};
        source.gtid_state.contains(gtid) || !others.explains(gtid))
      own.push_back(to_text(gtid));
  return GtidState::parse(fmt::format("{}", fmt::join(own, ","))).value_or(GtidState{});
}

// By what the GTIDs say.
Related by_gtids(const Scene& scene, const DeclaredLink& link, const ServerState& state,
                 const ServerState& source) {
  const OtherSources others = other_sources(scene, link);
  if (!state.mysql_gtids)
    return relate(LoggedStates{.replica_id = state.identity.server_id,
                               .replicated = own_part(state.gtid_replicated, source, others),
                               .replica = own_part(state.gtid_state, source, others),
                               .source = source.gtid_state,
                               .horizon = source.gtid_horizon,
                               .trusted = upstream_ids(scene, link)});
  if (!state.has_gtids() || !source.has_gtids()) return {};
  ExecutedSets sets{
      state.mysql_gtids->executed, source.mysql_gtids->executed, source.mysql_gtids->purged, {}};
  const GtidSet more = sets.replica.subtract(sets.source);
  sets.replica = sets.replica.subtract(more.subtract(others.without_theirs(more)));
  // What a server above wrote can only have come from there; it was perhaps read a moment earlier. A replica that does
  // not receive can't have got it since.
  const Channel* channel = state.channel(link.channel.name);
  if (channel != nullptr && channel->receiver != ReceiverState::off)
    for (const Server* above : scene.desired.upstream(link.source()))
      if (const ServerState* upstream = scene.observed.find(above->name))
        sets.trusted.insert(upstream->identity.uuid);
  return relate(sets);
}

}  // namespace

Related relation_of(const Scene& scene, const DeclaredLink& link) {
  const ServerState* state = scene.observed.find(link.replica.name);
  const ServerState* source = scene.observed.find(link.source());
  if (state == nullptr || source == nullptr || state->flavor != source->flavor) return {};
  Related related = by_gtids(scene, link, *state, *source);
  if (source_reset(scene, link)) related.relation = Relation::diverged;
  return related;
}

void check_gtids(const Scene& scene, const Server& server, const ServerState& state,
                 std::vector<Finding>& into) {
  check_gtid_mode(scene, server, state, into);
  check_domains(scene, server, state, into);
  for (const DeclaredLink& link : links_of(server)) {
    if (auto reset = source_reset(scene, link))
      into.push_back(std::move(*reset));
    else if (auto skipped = skipped_transactions(scene, link, state))
      into.push_back(of_channel(std::move(*skipped), link.name()));
    else if (auto errant = errant_transactions(scene, link))
      into.push_back(of_channel(std::move(*errant), link.name()));
    // (Once: it is about the server.)
    else if (auto perhaps = perhaps_errant(scene, link, state); perhaps &&
                                                                state.channel(link.channel.name) != nullptr &&
                                                                &link.channel == &server.channels.front())
      into.push_back(of_channel(std::move(*perhaps), link.name()));
  }
}

}  // namespace stemma
