#include "plans/preflight_gtid.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <set>

#include "plans/judge_parts.h"
#include "plans/other_sources.h"
#include "plans/preflight.h"

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
  const bool in_tree = !server.is_root() || !scene.desired.replicas_of(server.name).empty();
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
  if (scene.desired.coordinates == CoordinatesMode::gtid && in_tree && mode != "ON")
    message = fmt::format("gtid_mode is {}, and the file wants GTIDs", mode);
  else if (!other_name.empty())
    message = fmt::format("gtid_mode is {} but {} on {}: no receiver can start between the two", mode, other,
                          other_name);
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
      "transactions "
      "with the same GTIDs on {1}; else repeat them on {1} by hand, or provision {0} anew to drop them",
      replica.name.text, link.source().text);
  found.place = replica.place;
  return found;
}

}  // namespace

std::optional<Finding> errant_transactions(const Scene& scene, const DeclaredLink& link) {
  const Server& replica = link.replica;
  const ServerState* state = scene.observed.find(replica.name);
  const ServerState* source = scene.observed.find(link.source());
  if (state == nullptr || source == nullptr) return std::nullopt;
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
      "anew, or "
      "provision {0} anew to drop them",
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

}  // namespace

namespace {

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

}  // namespace

Related relation_of(const Scene& scene, const DeclaredLink& link) {
  const ServerState* state = scene.observed.find(link.replica.name);
  const ServerState* source = scene.observed.find(link.source());
  if (state == nullptr || source == nullptr || state->flavor != source->flavor) return {};
  const OtherSources others = other_sources(scene, link);
  if (!state->mysql_gtids)
    return relate(LoggedStates{.replica_id = state->identity.server_id,
                               .replicated = own_part(state->gtid_replicated, *source, others),
                               .replica = own_part(state->gtid_state, *source, others),
                               .source = source->gtid_state,
                               .horizon = source->gtid_horizon,
                               .trusted = upstream_ids(scene, link)});
  if (!state->has_gtids() || !source->has_gtids()) return {};
  ExecutedSets sets{
      state->mysql_gtids->executed, source->mysql_gtids->executed, source->mysql_gtids->purged, {}};
  const GtidSet more = sets.replica.subtract(sets.source);
  sets.replica = sets.replica.subtract(more.subtract(others.without_theirs(more)));
  // What a server above wrote can only have come from there; it was perhaps read a moment earlier. A replica that does
  // not receive can't have got it since.
  const Channel* channel = state->channel(link.channel.name);
  if (channel != nullptr && channel->receiver != ReceiverState::off)
    for (const Server* above : scene.desired.upstream(link.source()))
      if (const ServerState* upstream = scene.observed.find(above->name))
        sets.trusted.insert(upstream->identity.uuid);
  return relate(sets);
}

namespace {

// The domain in which a server will write: the declared one is set before anything of it is replicated.
std::uint32_t domain_of(const Server& server, const ServerState& state) {
  const auto declared = server.variables.find("gtid_domain_id");
  if (declared == server.variables.end()) return state.gtid_domain;
  std::uint32_t domain = state.gtid_domain;
  std::from_chars(declared->second.data(), declared->second.data() + declared->second.size(), domain);
  return domain;
}

// The domains in which what comes from a source is written now, each with its root.
std::map<std::uint32_t, const Server*> written_domains(const Scene& scene, const ServerName& source) {
  std::map<std::uint32_t, const Server*> domains;
  for (const Server* above : scene.desired.upstream(source))
    if (const ServerState* state = scene.observed.find(above->name); state != nullptr && above->is_root())
      domains.emplace(domain_of(*above, *state), above);
  return domains;
}

// A number that no server of the fleet writes under.
std::uint32_t free_domain(const Scene& scene) {
  std::set<std::uint32_t> taken;
  for (const auto& [name, state] : scene.observed.servers) {
    taken.insert(state.gtid_domain);
    for (const auto& [key, sequence] : state.gtid_state.entries()) taken.insert(key.first);
  }
  for (const Server& server : scene.desired.servers)
    if (const ServerState* state = scene.observed.find(server.name)) taken.insert(domain_of(server, *state));
  std::uint32_t domain = 1;
  while (taken.contains(domain)) ++domain;
  return domain;
}

// MariaDB has one position for each domain: of two sources in one domain a replica knows the place of the last only.
void check_domains(const Scene& scene, const Server& server, const ServerState& state,
                   std::vector<Finding>& findings) {
  if (state.mysql_gtids) return;
  const auto links = links_of(server);
  for (std::size_t b = 1; b < links.size(); ++b)
    for (std::size_t a = 0; a < b; ++a) {
      const ServerState* one = scene.observed.find(links[a].source());
      const ServerState* other = scene.observed.find(links[b].source());
      if (one == nullptr || other == nullptr) continue;
      const std::string from = fmt::format("{} and {}", links[a].source().text, links[b].source().text);
      std::string message, hint;
      std::uint32_t domain = 0;
      const auto now = written_domains(scene, links[a].source());
      for (const auto& [shared, root] : written_domains(scene, links[b].source())) {
        if (!now.contains(shared)) continue;
        domain = shared;
        message = fmt::format("{} write GTIDs of one domain, {}", from, domain);
        hint = fmt::format(
            "put this into the option file of {0} and restart it: [mysqld] gtid_domain_id = {1}; "
            "or declare it: [server.{0}.variables] gtid_domain_id = {1}",
            root->name.text, free_domain(scene));
        break;
      }
      if (message.empty())
        for (const auto& [shared, gtid] : one->gtid_binlog.domains()) {
          const auto& theirs = other->gtid_binlog.domains();
          const auto there = theirs.find(shared);
          if (there == theirs.end() || there->second == gtid) continue;
          domain = shared;
          message = fmt::format("{} have both written GTIDs of domain {} before: {} and {}", from, domain,
                                to_text(gtid), to_text(there->second));
          hint = "RESET MASTER on a server without replicas forgets them";
          break;
        }
      if (message.empty()) continue;
      const bool by_gtid = wants_gtid(scene.desired, scene.observed, links[a]) ||
                           wants_gtid(scene.desired, scene.observed, links[b]);
      Finding found = finding("gtid.domain-shared", server.name, "gtid_domain_id", "distinct at its sources",
                              std::to_string(domain), std::move(message));
      found.weight = by_gtid || state.gtid_strict ? Weight::error : Weight::warning;
      found.hint = std::move(hint);
      if (by_gtid) found.hint += "; or declare coordinates = \"position\"";
      found.place = links[b].channel.place;
      findings.push_back(of_channel(std::move(found), links[b].name()));
    }
}

}  // namespace

void check_gtids(const Scene& scene, const Server& server, const ServerState& state,
                 std::vector<Finding>& into) {
  check_gtid_mode(scene, server, state, into);
  check_domains(scene, server, state, into);
  for (const DeclaredLink& link : links_of(server)) {
    if (state.channel(link.channel.name) == nullptr) continue;
    if (auto errant = errant_transactions(scene, link))
      into.push_back(of_channel(std::move(*errant), link.name()));
    // (Once: it is about the server.)
    else if (auto perhaps = perhaps_errant(scene, link, state);
             perhaps && &link.channel == &server.channels.front())
      into.push_back(of_channel(std::move(*perhaps), link.name()));
  }
}

}  // namespace stemma
