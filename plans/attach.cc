// Where a replica that has replicated before goes on: from what it has itself executed, and from nothing else.
#include "plans/attach.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "plans/attach_parts.h"
#include "plans/other_sources.h"

namespace stemma {

std::string provision_anew(const DeclaredLink& link) {
  return fmt::format("provision {} anew from a backup of {}", link.replica.name.text, link.source().text);
}

bool came_from(const Channel& channel, const ServerState& source) {
  if (!channel.source_uuid.empty()) return channel.source_uuid == source.identity.uuid;
  return channel.source_server_id == 0 || channel.source_server_id == source.identity.server_id;
}

namespace {

// Every domain that the source knows must be one whose place in history the replica knows: a missing one
// would be read from its very beginning.
std::optional<std::string> unknown_domains(const ServerState& source, const ServerState& replica) {
  if (source.mysql_gtids) return std::nullopt;
  std::vector<std::uint32_t> domains;
  for (const auto& [domain, gtid] : source.gtid_binlog.domains())
    if (!replica.gtid_replicated.domains().contains(domain)) domains.push_back(domain);
  if (domains.empty()) return std::nullopt;
  return fmt::format("{}", fmt::join(domains, ", "));
}

// What the replica has executed and its declared source has not.
struct Ahead {
  std::vector<std::string> errant;  // nobody above the replica has it
  bool lag = false;                 // the source only has to catch up with its own source
};

// MySQL's sets hold all that was ever executed, so every foreign transaction shows.
Ahead ahead_by_set(const Scene& scene, const DeclaredLink& link, const ServerState& source,
                   const ServerState& state) {
  Ahead ahead;
  if (!source.mysql_gtids) return ahead;
  const Channel* channel = state.channel(link.channel.name);
  const bool receives = channel != nullptr && channel->receiver == ReceiverState::on;
  GtidSet more = state.mysql_gtids->executed.subtract(source.mysql_gtids->executed);
  for (const Server* at : scene.desired.upstream(link.source())) {
    const ServerState* upstream = scene.observed.find(at->name);
    if (upstream == nullptr || !upstream->mysql_gtids) continue;
    // What a server above has written itself can only have come from there, be it a moment after it was read.
    GtidSet rest = more.subtract(upstream->mysql_gtids->executed);
    if (receives) rest = rest.without(upstream->identity.uuid);
    const bool is_source = upstream == &source;
    ahead.lag = ahead.lag || (!is_source && rest != more);
    more = std::move(rest);
  }
  more = other_sources(scene, link).without_theirs(more);
  if (!more.empty()) ahead.errant.push_back(to_text(more));
  return ahead;
}

Ahead ahead_of(const Scene& scene, const DeclaredLink& link, const ServerState& source,
               const ServerState& state) {
  if (state.mysql_gtids) return ahead_by_set(scene, link, source, state);
  Ahead ahead;
  const Channel* channel = state.channel(link.channel.name);
  const bool receives = channel != nullptr && channel->receiver == ReceiverState::on;
  // A replica that is connected to that very source may have been read a moment later than it: then its newest
  // transactions prove nothing.
  if (receives && channel->source_server_id == source.identity.server_id) return ahead;
  const OtherSources others = other_sources(scene, link);
  for (const auto& [domain, gtid] : state.gtid_replicated.domains()) {
    if (source.gtid_state.contains(gtid) || others.explains(gtid)) continue;
    bool above = false;
    for (const Server* at : scene.desired.upstream(link.source())) {
      const ServerState* upstream = scene.observed.find(at->name);
      // What a server above has written itself can only have come from there, be it a moment after it was read.
      above = above || (upstream != nullptr && (upstream->gtid_state.contains(gtid) ||
                                                (receives && upstream->identity.server_id == gtid.server)));
    }
    if (above)
      ahead.lag = true;
    else
      ahead.errant.push_back(to_text(gtid));
  }
  return ahead;
}

AttachDecision refuse_errant(const DeclaredLink& link, const Ahead& ahead) {
  return refused(
      "replica.errant-transactions", link,
      fmt::format("has executed transactions that {} lacks: {}", link.source().text, listed(ahead.errant)),
      provision_anew(link));
}

// What its own binlog shows that it has executed beyond its gtid_slave_pos: somebody has set that back, or loaded other
// data. Only while no applier runs: the two are not read at the same instant.
std::optional<Gtid> logged_beyond_position(const ServerState& state, const ServerState& source) {
  if (state.mysql_gtids || std::any_of(state.channels.begin(), state.channels.end(),
                                       [](const Channel& channel) { return channel.applier; }))
    return std::nullopt;
  for (const auto& [key, sequence] : state.gtid_state.entries()) {
    // What the source does not have it can't send twice: a set-up under another server_id, a domain of former days.
    const bool can_come = source.gtid_state.contains({key.first, key.second, sequence});
    if (key.second == state.identity.server_id || !can_come) continue;
    const auto at = state.gtid_replicated.domains().find(key.first);
    if (at == state.gtid_replicated.domains().end() || at->second.sequence < sequence)
      return Gtid{key.first, key.second, sequence};
  }
  return std::nullopt;
}

// Whether going on from its own GTIDs would apply again what its data hold already.
std::optional<AttachDecision> refuse_older_position(const Scene& scene, const DeclaredLink& link,
                                                    const ServerState& source, const ServerState& state) {
  const std::string name = link.replica.name.text;
  const bool source_has_any =
      source.mysql_gtids ? !source.mysql_gtids->executed.empty() : !source.gtid_state.empty();
  if (state.executed().empty() && source_has_any && state.schemas)
    if (const auto data = data_of(state, scene.desired); !data.empty())
      return refused(
          "replica.position-unknown", link,
          fmt::format("has data ({}) and no GTID position, so that it would apply all of {} once more",
                      listed(data), link.source().text),
          state.mysql_gtids
              ? provision_anew(link)
              : fmt::format(
                    "if you know where its data stand, SET GLOBAL gtid_slave_pos on {} to it; else {}", name,
                    provision_anew(link)));
  if (const auto beyond = logged_beyond_position(state, source))
    return refused(
        "replica.position-unknown", link,
        fmt::format("its gtid_slave_pos {} is older than what its own binlog shows that it has executed: {}",
                    state.gtid_replicated.empty() ? "(empty)" : to_text(state.gtid_replicated),
                    to_text(*beyond)),
        fmt::format(
            "SET GLOBAL gtid_slave_pos on {0} to where its data stand; if those were loaded anew and the "
            "position is right, RESET MASTER on {0}",
            name));
  return std::nullopt;
}

// Its own binlog has all that its gtid_slave_pos says, but for what other channels brought.
bool has_logged_position(const ServerState& state, const OtherSources& others) {
  const auto& replicated = state.gtid_replicated.domains();
  return std::all_of(replicated.begin(), replicated.end(), [&](const auto& entry) {
    return others.explains(entry.second) || state.gtid_state.contains(entry.second);
  });
}

AttachDecision attach_by_own_gtid(const Scene& scene, const DeclaredLink& link, const ServerState& source,
                                  const ServerState& state, std::vector<Hazard> hazards, std::string reason) {
  const std::string& from = link.source().text;
  if (!state.has_gtids() || !source.has_gtids())
    return refused(
        "replica.position-unknown", link,
        fmt::format("its file and position are not of {}, and gtid_mode is not ON on both, so nothing "
                    "tells where its data stand",
                    from),
        fmt::format("{}; or let it catch up with the source it has, stop both replicas at the same "
                    "point, and re-point it by hand",
                    provision_anew(link)));
  const auto unknown = unknown_domains(source, state);
  const bool nothing = state.executed().empty();
  if (nothing && state.mysql_gtids)
    return refused("replica.position-unknown", link,
                   fmt::format("its file and position are not of {}, and its gtid_executed is empty", from),
                   provision_anew(link));
  if (nothing || unknown)
    return refused(
        "replica.position-unknown", link,
        nothing ? fmt::format(
                      "its file and position are not of {}, and it has no gtid_slave_pos to go on from", from)
                : fmt::format("its gtid_slave_pos {} says nothing of domain {} of {}",
                              to_text(state.gtid_replicated), *unknown, from),
        fmt::format("if you know where its data stand, SET GLOBAL gtid_slave_pos on {} to it; else {}",
                    link.replica.name.text, provision_anew(link)));
  const Ahead ahead = ahead_of(scene, link, source, state);
  if (!ahead.errant.empty()) return refuse_errant(link, ahead);
  if (auto older = refuse_older_position(scene, link, source, state)) return *older;
  // What was received from another server and not applied yet would be thrown away, and nothing tells whether
  // the new source has it.
  const Channel* channel = state.channel(link.channel.name);
  const bool unapplied =
      channel != nullptr && !channel->applier && channel->read.known() && !channel->has_applied_all();
  // By file and position gtid_slave_pos may count as executed what was only received.
  const bool counted = unapplied && state.flavor == Flavor::mariadb && channel->gtid == ChannelGtid::no &&
                       !has_logged_position(state, other_sources(scene, link));
  if (unapplied && (counted || !hazards.empty()))
    return refused(channel->applier_errno != 0 ? "replica.applier-error" : "replica.applier-stopped", link,
                   channel->applier_errno != 0
                       ? fmt::format("has received transactions that it can't apply, error {}: {}",
                                     channel->applier_errno, channel->applier_error)
                       : "has received transactions that it has not applied, and its applier is stopped",
                   fmt::format("let it apply them before {}: {}START {} SQL_THREAD on {}",
                               hazards.empty() ? "it goes on by GTID" : fmt::format("it follows {}", from),
                               channel->applier_errno != 0 ? "mend its data, then " : "", replica_word(state),
                               link.replica.name.text));
  Attach attach;
  attach.origin = FromOwnGtid{};
  attach.by_gtid_first = !wants_gtid(scene.desired, scene.observed, link);
  attach.hazards = std::move(hazards);
  attach.reason = std::move(reason);
  attach.source_lags = ahead.lag;
  if (!source_can_send(source, state, attach.origin, link.channel.name))
    return refused("replica.binlog-gone", link,
                   fmt::format("{} has purged what {} needs after {}", from, link.replica.name.text,
                               to_text(state.executed())),
                   provision_anew(link));
  return {attach, std::nullopt};
}

// Which of the two tells what a MariaDB replica by file and position has executed, where they differ.
enum class Trusted { both, position, gtids, neither };

// Its executed position, as the source translates it, against its gtid_slave_pos. Either may be wrong: the position is written
// to disk less often, so that after a crash it may be an older one, and going on from it would apply transactions
// twice; and a receiver that connects by file and position sets gtid_slave_pos to where *it* stands, whatever of it is
// applied (slave.cc asks BINLOG_GTID_POS; seen on 10.5, 10.11 and 11.8), and going on from that would skip what was received
// and not applied. Its own binlog tells, if it logs what it replicates. Only a stopped applier stands still enough to compare.
Trusted trusted(const Channel& channel, const ServerState& source, const ServerState& state,
                const OtherSources& others) {
  if (channel.applier || state.gtid_replicated.empty()) return Trusted::both;
  const auto asked = source.gtid_at.find(to_text(channel.executed));
  if (asked == source.gtid_at.end()) return Trusted::both;
  // A purged binlog tells nothing, and is refused for itself.
  if (!asked->second && !source_can_send(source, state, FromExecuted{}, channel.name)) return Trusted::both;
  const auto& replicated = state.gtid_replicated.domains();
  // None: no boundary between two transactions of that source.
  const bool same =
      asked->second && std::all_of(replicated.begin(), replicated.end(), [&](const auto& entry) {
        if (others.explains(entry.second)) return true;
        const auto at = asked->second->domains().find(entry.first);
        return at != asked->second->domains().end() && at->second == entry.second;
      });
  if (same) return Trusted::both;
  if (has_logged_position(state, others)) return Trusted::gtids;
  return asked->second && state.log_bin && state.log_updates ? Trusted::position : Trusted::neither;
}

AttachDecision refuse_untrusted(const DeclaredLink& link, const ServerState& state, const Channel& channel) {
  return refused(
      "replica.position-unknown", link,
      fmt::format("its applier stands at {}, its gtid_slave_pos {} elsewhere, and nothing in its own "
                  "binlog tells which of them its data are at",
                  to_text(channel.executed), to_text(state.gtid_replicated)),
      fmt::format(
          "if its receiver has connected while the applier was stopped or behind, the position is right: "
          "START {} on {}; after a crash of {} it is gtid_slave_pos: CHANGE MASTER TO MASTER_USE_GTID = "
          "slave_pos",
          replica_word(state), link.replica.name.text, link.replica.name.text));
}

AttachDecision refuse_ahead(const DeclaredLink& link, const ServerState& state, const Channel& channel) {
  return refused(
      "replica.applier-stopped", link,
      fmt::format("its gtid_slave_pos {} counts as executed what was only received: its applier stands at {}",
                  to_text(state.gtid_replicated), to_text(channel.executed)),
      fmt::format("let it apply what it has received before it goes on by GTID: START {} on {}",
                  replica_word(state), link.replica.name.text));
}

// Its file and position are those of the declared source only while nothing speaks against it: the channel names that
// source, was not connected to another id (`its_source`), and keeps the position exactly. In GTID mode the server does that
// only while the applier runs.
bool position_is_its_own(const Channel& channel, bool its_source, const ServerState& source) {
  const bool kept = channel.gtid == ChannelGtid::no || (channel.applier && channel.streaming());
  return its_source && kept && channel.executed.known() && source.coordinates.known();
}

// Two channels from one server bring everything twice.
const Channel* other_channel_from(const ServerState& state, const DeclaredLink& link,
                                  const Server& source_server, const ServerState& source) {
  for (const Channel& channel : state.channels)
    if (channel.name != link.channel.name && (follows_server(channel, source_server, &source) ||
                                              (channel.source_server_id != 0 && came_from(channel, source))))
      return &channel;
  return nullptr;
}

// A further source for a server that replicates already: it has no such channel, and nothing of that source ever came.
bool is_new_source(const Scene& scene, const DeclaredLink& link, const ServerState& source,
                   const ServerState& state) {
  if (link.replica.channels.size() < 2 || state.channel(link.channel.name) != nullptr) return false;
  for (const Server* above : scene.desired.upstream(link.source())) {
    const ServerState* upstream = scene.observed.find(above->name);
    if (upstream == nullptr) return false;
    if (state.mysql_gtids &&
        state.mysql_gtids->executed.without(upstream->identity.uuid) != state.mysql_gtids->executed)
      return false;
    const auto& logged = state.gtid_state.entries();
    if (std::any_of(logged.begin(), logged.end(),
                    [&](const auto& entry) { return entry.first.second == upstream->identity.server_id; }))
      return false;
  }
  if (state.mysql_gtids && source.mysql_gtids)
    return state.mysql_gtids->executed.intersect(source.mysql_gtids->executed).empty();
  const auto& replicated = state.gtid_replicated.domains();
  return std::none_of(replicated.begin(), replicated.end(),
                      [&](const auto& entry) { return source.gtid_state.contains(entry.second); });
}

// True also where nobody has asked for the list of its binlogs.
bool has_binlog(const ServerState& source, const Coordinates& at) {
  return !source.binlogs ||
         std::find(source.binlogs->begin(), source.binlogs->end(), at.file) != source.binlogs->end();
}

bool all_declared(const Server& replica, const ServerState& state) {
  return std::all_of(state.channels.begin(), state.channels.end(),
                     [&](const Channel& channel) { return replica.channel(channel.name) != nullptr; });
}

// Whether the source has purged what would come next. With its relay log kept (`keeps`) a channel goes on from where its
// receiver stopped; but MariaDB, where both threads are off and GTIDs are used, begins a new one.
bool next_is_purged(const ServerState& source, const ServerState& state, const Channel& channel,
                    const Origin& origin, bool keeps) {
  if (source.flavor != state.flavor) return false;  // refused for that
  if (!keeps) return !source_can_send(source, state, origin, channel.name);
  if (channel.receiver != ReceiverState::off) return false;
  if (channel.gtid == ChannelGtid::no) return channel.read.known() && !has_binlog(source, channel.read);
  if (source.mysql_gtids)
    return !state.mysql_gtids->executed.unite(channel.retrieved).contains(source.mysql_gtids->purged);
  return !channel.applier && !source_can_send(source, state, origin, channel.name);
}

AttachDecision refuse_purged(const DeclaredLink& link, const ServerState& state, const Channel& channel,
                             bool keeps) {
  const std::string &source = link.source().text, &replica = link.replica.name.text;
  const std::string anew = provision_anew(link);
  const std::string apply_first =
      fmt::format("if its relay log holds the rest, START {} SQL_THREAD on {} first; else {}",
                  replica_word(state), replica, anew);
  if (channel.gtid != ChannelGtid::no) {
    // While its receiver is not off, the relay log is still there.
    const bool has_log = channel.fetches_anew() && channel.receiver != ReceiverState::off &&
                         !channel.applier && !channel.relay_log_unreadable();
    return refused("replica.binlog-gone", link,
                   fmt::format("{} has purged what {} needs after {}", source, replica,
                               state.executed().empty() ? "the beginning" : to_text(state.executed())),
                   has_log ? apply_first : anew);
  }
  return refused("replica.binlog-gone", link,
                 fmt::format("{} has purged {}, from which {} would have to go on", source,
                             (keeps ? channel.read : channel.executed).file, replica),
                 apply_first);
}

}  // namespace

bool source_can_send(const ServerState& source, const ServerState& replica, const Origin& origin,
                     std::string_view channel_name) {
  const auto sends_after = [&](const GtidPoint& point) {
    if (source.mysql_gtids) return point.set.contains(source.mysql_gtids->purged);
    return !source.gtid_horizon || point.position.reached(*source.gtid_horizon);
  };
  if (const auto* at = std::get_if<FromCoordinates>(&origin)) return has_binlog(source, at->at);
  if (const auto* at = std::get_if<FromGtid>(&origin)) return sends_after(at->at);
  if (std::holds_alternative<FromExecuted>(origin)) {
    const Channel* channel = replica.channel(channel_name);
    return channel != nullptr && has_binlog(source, channel->executed);
  }
  if (std::holds_alternative<FromOwnGtid>(origin)) return sends_after(replica.executed());
  return true;
}

AttachDecision decide_attach(const Scene& scene, const DeclaredLink& link, bool keeps_relay_log) {
  const ServerState& state = *scene.observed.find(link.replica.name);
  const ServerState& source = *scene.observed.find(link.source());
  const Server& source_server = *scene.desired.find(link.source());
  const Channel* channel = state.channel(link.channel.name);
  if (const Channel* other = other_channel_from(state, link, source_server, source))
    return refused(
        "channel.unmanaged", link,
        fmt::format("its channel '{}' already follows {}; a second one would apply everything twice",
                    other->name, link.source().text),
        fmt::format("{} on {}, if nothing depends on that channel", forget_channel(state, other->name),
                    link.replica.name.text));
  // MySQL's sets say of a server that was never a replica, too, that all it has executed came to its source: a former
  // root that is to follow its successor.
  const bool shares_history = state.mysql_gtids && source.mysql_gtids && state.has_gtids() &&
                              source.has_gtids() && !state.mysql_gtids->executed.empty() &&
                              source.mysql_gtids->executed.contains(state.mysql_gtids->executed);
  const bool fresh = is_fresh(state);
  if ((fresh || is_new_source(scene, link, source, state)) && !shares_history) {
    AttachDecision decision = attach_fresh(scene, link, source, state);
    // Transactions of its own set-up would be errant for ever.
    if (fresh && decision.attach && state.mysql_gtids && state.has_gtids() &&
        !state.mysql_gtids->executed.empty()) {
      decision.attach->resets_binlog = true;
      decision.attach->hazards.push_back(Hazard::reset_binlog);
    }
    if (!fresh && decision.attach && state.mysql_gtids && state.version < Version{8, 0, 0} &&
        wants_gtid(scene.desired, scene.observed, link))
      return refused("replica.position-unknown", link,
                     fmt::format("MySQL {} has GTIDs already and can't be told those of {} beside them",
                                 to_text(state.version), link.source().text),
                     "upgrade it to MySQL 8; or declare coordinates = \"position\"");
    return decision;
  }
  if (channel == nullptr)
    return attach_by_own_gtid(scene, link, source, state, {Hazard::repoint},
                              "it has replicated before and has no channel now");

  const bool right_server = follows_server(*channel, source_server, &source);
  const bool its_source = right_server && came_from(*channel, source);
  if (its_source && channel->gtid == ChannelGtid::no && channel->receiver != ReceiverState::on &&
      channel->executed.known() && source.coordinates.known() &&
      !reached(source.coordinates, channel->executed))
    return refused(
        "replica.diverged", link,
        fmt::format("has executed up to {} of {}, which stands at {} only: the source's binlogs are "
                    "not those it came from",
                    to_text(channel->executed), link.source().text, to_text(source.coordinates)),
        provision_anew(link));
  const bool wants_gtids = wants_gtid(scene.desired, scene.observed, link);
  const Trusted place =
      its_source ? trusted(*channel, source, state, other_sources(scene, link)) : Trusted::both;
  if (channel->gtid == ChannelGtid::no && place == Trusted::neither)
    return refuse_untrusted(link, state, *channel);
  if (channel->gtid == ChannelGtid::no && place == Trusted::position && wants_gtids)
    return refuse_ahead(link, state, *channel);
  const bool same_mode = wants_gtids == (channel->gtid != ChannelGtid::no);
  const bool by_gtid = wants_gtids && channel->gtid != ChannelGtid::no;
  if ((by_gtid && right_server) ||
      (!wants_gtids && place != Trusted::gtids && position_is_its_own(*channel, its_source, source))) {
    if (const Ahead ahead = ahead_of(scene, link, source, state); !ahead.errant.empty())
      return refuse_errant(link, ahead);
    if (wants_gtids)
      if (auto older = refuse_older_position(scene, link, source, state)) return *older;
    Attach attach;
    attach.origin = wants_gtids ? Origin{FromOwnGtid{}} : Origin{FromExecuted{}};
    attach.reason = "it goes on from what it has executed";
    attach.in_place = same_mode;
    if (!next_is_purged(source, state, *channel, attach.origin, keeps_relay_log))
      return {attach, std::nullopt};
    if (!wants_gtids && state.flavor == Flavor::mariadb)
      if (auto instead = attach_by_own_gtid(scene, link, source, state, {},
                                            "the binlog that it would go on from is purged; it goes on from "
                                            "the GTIDs that it has executed");
          instead.attach)
        return instead;
    return refuse_purged(link, state, *channel, keeps_relay_log && channel->gtid == ChannelGtid::no);
  }
  // A channel whose place was lost before anything came through it, on servers that are both still empty, is as
  // good as none.
  if (state.executed().empty() && all_declared(link.replica, state) && state.schemas && source.schemas &&
      data_of(state, scene.desired).empty() && data_of(source, scene.desired).empty() &&
      accounts_beyond(source, state, scene.desired, source_server).empty()) {
    Attach attach;
    attach.fresh = true;
    attach.origin = FromNoted{};
    attach.reason = "it has executed nothing, and both are empty";
    return {attach, std::nullopt};
  }
  const bool stale = right_server && channel->executed.known();
  return attach_by_own_gtid(
      scene, link, source, state, right_server ? std::vector<Hazard>{} : std::vector<Hazard>{Hazard::repoint},
      !right_server ? "it follows another server; it goes on from the GTIDs that it has executed"
      : stale
          ? "its file and position are not where its data stand; it goes on from the GTIDs it has executed"
          : "it goes on from the GTIDs that it has executed");
}

}  // namespace stemma
