#include "plans/attach.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace stemma {
namespace {

Finding refuse(std::string_view code, const Server& replica, std::string message, std::string hint) {
  Finding found = finding(code, replica.name, "data", "its source's", "", std::move(message));
  found.weight = Weight::error;
  found.hint = std::move(hint);
  found.place = replica.place;
  return found;
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 8;
  const auto shown = std::vector<std::string>(
      names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kShown)));
  return names.size() > kShown ? fmt::format("{} and {} more", fmt::join(shown, ", "), names.size() - kShown)
                               : fmt::format("{}", fmt::join(shown, ", "));
}

// What `a` has and `b` lacks: whole schemas, or single tables of a schema that both have.
std::vector<std::string> names_beyond(const ServerState& a, const ServerState& b, const Topology& topology) {
  std::vector<std::string> beyond;
  for (const auto& schema : data_of(a, topology)) {
    const auto& other = *b.schemas;
    const auto there = other.find(schema);
    if (there == other.end()) {
      beyond.push_back(schema);
      continue;
    }
    for (const std::string& table : a.schemas->at(schema))
      if (!there->second.contains(table)) beyond.push_back(schema + "." + table);
  }
  return beyond;
}

// Everything the two servers' names can tell, for a replica of which nothing else is known.
struct Data {
  std::vector<std::string> of_source, of_replica;      // schemas
  std::vector<std::string> source_only, replica_only;  // schemas, tables
  std::vector<std::string> accounts_only_at_source;
};

Data compare_data(const ServerState& source, const ServerState& replica, const Topology& topology,
                  const Server& source_server) {
  return {data_of(source, topology), data_of(replica, topology), names_beyond(source, replica, topology),
          names_beyond(replica, source, topology), accounts_beyond(source, replica, topology, source_server)};
}

AttachDecision refused(Finding found) { return {std::nullopt, std::move(found)}; }

AttachDecision attach_by_word(const Scene& scene, const Server& replica, const ServerState& source,
                              const Data& data) {
  const std::string& name = replica.name.text;
  const std::string& from = replica.source->text;
  if (!data.source_only.empty() || !data.replica_only.empty())
    return refused(refuse(
        !data.source_only.empty() && !data.replica_only.empty() ? "replica.diverged"
        : !data.source_only.empty()                             ? "replica.data-missing"
                                                                : "replica.errant-transactions",
        replica,
        fmt::format(
            "provision = \"assume-identical\" says that {} has the data of {}, but the names differ:{}{}",
            name, from, data.source_only.empty() ? "" : fmt::format(" it lacks {}", listed(data.source_only)),
            data.replica_only.empty() ? "" : fmt::format(" it alone has {}", listed(data.replica_only))),
        fmt::format("load a backup of {} on {} first", from, name)));
  Attach attach;
  attach.fresh = true;
  attach.hazards = {Hazard::assume_identical};
  attach.reason = "the file says that its data are its source's";
  if (!replica.provision_at) {
    attach.origin = FromNoted{};
    return {attach, std::nullopt};
  }
  if (const auto at = parse_coordinates(*replica.provision_at)) {
    if (wants_gtid(scene.desired, replica, *scene.observed.find(replica.name)))
      return refused(
          refuse("replica.position-unknown", replica,
                 fmt::format("`at` is a file and position, but {} is to use GTIDs", name),
                 "give the GTID position of the backup instead, or declare coordinates = \"position\""));
    attach.origin = FromCoordinates{*at};
  } else if (const auto gtid = GtidPosition::parse(*replica.provision_at); gtid && !gtid->empty()) {
    attach.origin = FromGtid{*gtid};
    attach.by_gtid_first = !wants_gtid(scene.desired, replica, *scene.observed.find(replica.name));
  } else {
    return refused(
        refuse("replica.position-unknown", replica,
               fmt::format("`at = \"{}\"` is neither FILE:POS nor a GTID position", *replica.provision_at),
               "write it like \"mysql-bin.000003:328\" or \"0-1-42\""));
  }
  if (!source_can_send(source, *scene.observed.find(replica.name), attach.origin))
    return refused(refuse("replica.binlog-gone", replica,
                          fmt::format("{} no longer has the binlog of {}", from, *replica.provision_at),
                          fmt::format("provision {} from a newer backup", name)));
  return {attach, std::nullopt};
}

// "mysql-bin.000001": nothing was purged before it.
bool is_first_binlog(std::string_view file) {
  const auto dot = file.rfind('.');
  return dot != file.npos && file.size() > dot + 1 && file.ends_with('1') &&
         file.find_first_not_of('0', dot + 1) == file.size() - 1;
}

AttachDecision attach_by_replay(const Server& replica, const ServerState& source, const Data& data) {
  const std::string& from = replica.source->text;
  if (!data.of_replica.empty())
    return refused(refuse("replica.errant-transactions", replica,
                          fmt::format("is to replay the whole life of {} but has data of its own: {}", from,
                                      listed(data.of_replica)),
                          fmt::format("empty {} first, or leave `provision` out", replica.name.text)));
  const bool whole = source.binlogs && !source.binlogs->empty() && is_first_binlog(source.binlogs->front());
  if (!whole)
    return refused(
        refuse("replica.binlog-gone", replica,
               fmt::format("provision = \"replay\" needs the first binlog of {}, which is purged{}", from,
                           source.binlogs && !source.binlogs->empty()
                               ? fmt::format("; its oldest is {}", source.binlogs->front())
                               : ""),
               fmt::format("provision {} from a backup with provision = \"assume-identical\" and `at`",
                           replica.name.text)));
  Attach attach;
  attach.fresh = true;
  attach.origin = FromFirstBinlog{source.binlogs->front()};
  attach.hazards = {Hazard::replay};
  attach.reason = fmt::format("the file says that the binlogs of {} hold its whole life", from);
  return {attach, std::nullopt};
}

AttachDecision attach_fresh(const Scene& scene, const Server& replica, const ServerState& source,
                            const ServerState& state) {
  const std::string& name = replica.name.text;
  const std::string& from = replica.source->text;
  const Data data = compare_data(source, state, scene.desired, *scene.desired.find(*replica.source));
  if (replica.provision == Provision::assume_identical) return attach_by_word(scene, replica, source, data);
  if (replica.provision == Provision::replay) return attach_by_replay(replica, source, data);
  const bool source_has = !data.of_source.empty() || !data.accounts_only_at_source.empty();
  if (!source_has && data.of_replica.empty()) {
    Attach attach;
    attach.fresh = true;
    attach.origin = FromNoted{};
    attach.reason = "both are empty";
    return {attach, std::nullopt};
  }
  if (!source_has)
    return refused(refuse("replica.errant-transactions", replica,
                          fmt::format("has data that {} lacks: {}", from, listed(data.of_replica)),
                          fmt::format("load them on {} first, or empty {}", from, name)));
  std::string ways = fmt::format(
      "load a backup of {0} on {1} and say so in [server.{1}]: provision = \"assume-identical\" with at = "
      "\"FILE:POS\" "
      "or at = \"GTID\" of the backup; or, if the binlogs of {0} reach back to its first day, provision = "
      "\"replay\"",
      from, name);
  if (data.of_source.empty())
    return refused(refuse(
        "replica.data-missing", replica,
        fmt::format("{} has accounts that {} lacks: {}", from, name, listed(data.accounts_only_at_source)),
        fmt::format("create them on {} too (with SET sql_log_bin=0); or {}", name, ways)));
  if (data.of_replica.empty())
    return refused(refuse("replica.data-missing", replica,
                          fmt::format("{} has data and {} has none: {}", from, name, listed(data.of_source)),
                          ways));
  if (!data.source_only.empty() && !data.replica_only.empty())
    return refused(refuse("replica.diverged", replica,
                          fmt::format("lacks {} of {} and alone has {}", listed(data.source_only), from,
                                      listed(data.replica_only)),
                          ways));
  return refused(refuse("replica.data-missing", replica,
                        fmt::format("both have data ({}), but nothing tells whether {} has all of {}",
                                    listed(data.of_source), name, from),
                        ways));
}

// Every domain that the source knows must be one whose place in history the replica knows: a missing one
// would be read from its very beginning.
std::optional<std::string> unknown_domains(const ServerState& source, const ServerState& replica) {
  std::vector<std::uint32_t> domains;
  for (const auto& [domain, gtid] : source.gtid_binlog.domains())
    if (!replica.gtid_replicated.domains().contains(domain)) domains.push_back(domain);
  if (domains.empty()) return std::nullopt;
  return fmt::format("{}", fmt::join(domains, ", "));
}

// What the replica has executed and the source has not. A replica that is connected to that very source may have
// been read a moment later than it: then its newest transactions prove nothing.
std::vector<std::string> ahead_of(const ServerState& source, const ServerState& replica) {
  std::vector<std::string> ahead;
  const Channel* channel = replica.channel();
  if (channel != nullptr && channel->receiver == ReceiverState::on &&
      channel->source_server_id == source.identity.server_id)
    return ahead;
  for (const auto& [domain, gtid] : replica.gtid_replicated.domains())
    if (!source.gtid_state.contains(gtid)) ahead.push_back(to_text(gtid));
  return ahead;
}

AttachDecision attach_by_own_gtid(const Scene& scene, const Server& replica, const ServerState& source,
                                  const ServerState& state, std::vector<Hazard> hazards, std::string reason) {
  const std::string& from = replica.source->text;
  const std::string provision_anew =
      fmt::format("provision {} anew from a backup of {}", replica.name.text, from);
  const auto unknown = unknown_domains(source, state);
  if (state.gtid_replicated.empty() || unknown)
    return refused(refuse(
        "replica.position-unknown", replica,
        state.gtid_replicated.empty()
            ? fmt::format("its file and position are not of {}, and it has no gtid_slave_pos to go on from",
                          from)
            : fmt::format("its gtid_slave_pos {} says nothing of domain {} of {}",
                          to_text(state.gtid_replicated), *unknown, from),
        fmt::format("if you know where its data stand, SET GLOBAL gtid_slave_pos on {} to it; else {}",
                    replica.name.text, provision_anew)));
  if (const auto ahead = ahead_of(source, state); !ahead.empty())
    return refused(refuse("replica.errant-transactions", replica,
                          fmt::format("has executed transactions that {} lacks: {}", from, listed(ahead)),
                          provision_anew));
  Attach attach;
  attach.origin = FromOwnGtid{};
  attach.by_gtid_first = !wants_gtid(scene.desired, replica, state);
  attach.hazards = std::move(hazards);
  attach.reason = std::move(reason);
  if (!source_can_send(source, state, attach.origin))
    return refused(refuse("replica.binlog-gone", replica,
                          fmt::format("{} has purged what {} needs after {}", from, replica.name.text,
                                      to_text(state.gtid_replicated)),
                          provision_anew));
  return {attach, std::nullopt};
}

}  // namespace

bool is_fresh(const ServerState& state) {
  return state.channels.empty() && state.gtid_replicated.empty() &&
         std::all_of(state.gtid_state.entries().begin(), state.gtid_state.entries().end(),
                     [&](const auto& entry) { return entry.first.second == state.identity.server_id; });
}

std::vector<std::string> data_of(const ServerState& state, const Topology& topology) {
  static const std::array<std::string_view, 4> system = {"mysql", "information_schema", "performance_schema",
                                                         "sys"};
  std::vector<std::string> schemas;
  if (!state.schemas) return schemas;
  for (const auto& [schema, contents] : *state.schemas) {
    if (std::find(system.begin(), system.end(), schema) != system.end()) continue;
    if (schema == topology.verify.database || (schema == "test" && contents.empty())) continue;
    schemas.push_back(schema);
  }
  return schemas;
}

std::vector<std::string> accounts_beyond(const ServerState& source, const ServerState& replica,
                                         const Topology& topology, const Server& source_server) {
  static const std::array<std::string_view, 9> system = {"root",
                                                         "mysql",
                                                         "mariadb.sys",
                                                         "mysql.sys",
                                                         "mysql.session",
                                                         "mysql.infoschema",
                                                         "debian-sys-maint",
                                                         "healthcheck",
                                                         ""};
  std::vector<std::string> beyond;
  for (const AccountName& account : source.accounts) {
    if (std::find(system.begin(), system.end(), account.user) != system.end()) continue;
    if (account.user == source_server.admin.user) continue;
    if (topology.replication && account.user == topology.replication->user &&
        account.host == topology.replication->host)
      continue;
    if (std::find(replica.accounts.begin(), replica.accounts.end(), account) == replica.accounts.end())
      beyond.push_back(to_text(account));
  }
  return beyond;
}

bool source_can_send(const ServerState& source, const ServerState& replica, const Origin& origin) {
  const auto has_file = [&](const Coordinates& at) {
    return !source.binlogs ||
           std::find(source.binlogs->begin(), source.binlogs->end(), at.file) != source.binlogs->end();
  };
  if (const auto* at = std::get_if<FromCoordinates>(&origin)) return has_file(at->at);
  if (const auto* at = std::get_if<FromGtid>(&origin))
    return !source.gtid_horizon || at->at.reached(*source.gtid_horizon);
  if (std::holds_alternative<FromExecuted>(origin)) {
    const Channel* channel = replica.channel();
    return channel != nullptr && has_file(channel->executed);
  }
  if (std::holds_alternative<FromOwnGtid>(origin))
    return !source.gtid_horizon || replica.gtid_replicated.reached(*source.gtid_horizon);
  return true;
}

AttachDecision decide_attach(const Scene& scene, const Server& replica) {
  const ServerState& state = *scene.observed.find(replica.name);
  const ServerState& source = *scene.observed.find(*replica.source);
  const Server& source_server = *scene.desired.find(*replica.source);
  const Channel* channel = state.channel();
  if (is_fresh(state)) return attach_fresh(scene, replica, source, state);
  if (channel == nullptr)
    return attach_by_own_gtid(scene, replica, source, state, {Hazard::repoint},
                              "it has replicated before and has no channel now");

  // A channel whose place was lost before anything came through it, on servers that are both still empty, is as
  // good as none.
  const bool executed_nothing = state.gtid_replicated.empty() && state.channels.size() == 1 &&
                                state.schemas && source.schemas && data_of(state, scene.desired).empty() &&
                                data_of(source, scene.desired).empty() &&
                                accounts_beyond(source, state, scene.desired, source_server).empty();
  const bool right_server = follows_server(*channel, source_server, &source);
  // Its file and position are those of the declared source only while nothing speaks against it: the channel
  // still names that source, has not been connected to another id, and stands nowhere the source has not been.
  const bool position_is_its_own =
      right_server && channel->executed.known() &&
      (channel->source_server_id == 0 || channel->source_server_id == source.identity.server_id) &&
      source.coordinates.known();
  if (position_is_its_own && !reached(source.coordinates, channel->executed) &&
      channel->gtid == ChannelGtid::no && channel->receiver != ReceiverState::on)
    return refused(refuse(
        "replica.diverged", replica,
        fmt::format("has executed up to {} of {}, which stands at {} only: the source's binlogs are "
                    "not those it came from",
                    to_text(channel->executed), replica.source->text, to_text(source.coordinates)),
        fmt::format("provision {} anew from a backup of {}", replica.name.text, replica.source->text)));
  if (right_server)
    if (const auto ahead = ahead_of(source, state); !ahead.empty())
      return refused(refuse(
          "replica.errant-transactions", replica,
          fmt::format("has executed transactions that {} lacks: {}", replica.source->text, listed(ahead)),
          fmt::format("provision {} anew from a backup of {}", replica.name.text, replica.source->text)));
  const bool wants_gtids = wants_gtid(scene.desired, replica, state);
  if (position_is_its_own && (!wants_gtids || channel->gtid != ChannelGtid::no)) {
    Attach attach;
    attach.origin = wants_gtids ? Origin{FromOwnGtid{}} : Origin{FromExecuted{}};
    attach.reason = "it goes on from what it has executed";
    if (!source_can_send(source, state, attach.origin))
      return refused(refuse(
          "replica.binlog-gone", replica,
          fmt::format("{} has purged {}, from which {} would have to go on", replica.source->text,
                      channel->executed.file, replica.name.text),
          fmt::format("provision {} anew from a backup of {}", replica.name.text, replica.source->text)));
    return {attach, std::nullopt};
  }
  if (executed_nothing) {
    Attach attach;
    attach.fresh = true;
    attach.origin = FromNoted{};
    attach.reason = "it has executed nothing, and both are empty";
    return {attach, std::nullopt};
  }
  return attach_by_own_gtid(
      scene, replica, source, state,
      right_server ? std::vector<Hazard>{} : std::vector<Hazard>{Hazard::repoint},
      right_server ? "it goes on from the GTIDs that it has executed"
                   : "it follows another server; it goes on from the GTIDs that it has executed");
}

}  // namespace stemma
