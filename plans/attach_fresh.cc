// Attaching a replica that never replicated: both are empty, or the file gives its word, or it is refused.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "plans/attach_parts.h"
#include "plans/judge_parts.h"
#include "plans/other_sources.h"

namespace stemma {
namespace {

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
                  const Server& source_server, const OtherSources& others) {
  Data data{data_of(source, topology), data_of(replica, topology), names_beyond(source, replica, topology),
            names_beyond(replica, source, topology),
            accounts_beyond(source, replica, topology, source_server)};
  const auto theirs = [&](const std::string& name) { return others.hold(name); };
  std::erase_if(data.of_replica, theirs);
  std::erase_if(data.replica_only, theirs);
  return data;
}

bool in_history(const GtidPoint& point, const ServerState& server, const OtherSources& others) {
  if (server.mysql_gtids)
    return point.position.empty() && server.mysql_gtids->executed.contains(others.without_theirs(point.set));
  return point.set.empty() && std::all_of(point.position.domains().begin(), point.position.domains().end(),
                                          [&](const auto& domain) {
                                            return server.gtid_state.contains(domain.second) ||
                                                   others.explains(domain.second);
                                          });
}

AttachDecision attach_by_word(const Scene& scene, const DeclaredLink& link, const ServerState& source,
                              const Data& data, const OtherSources& others) {
  const std::string& name = link.replica.name.text;
  const std::string& from = link.source().text;
  if (!data.source_only.empty() || !data.replica_only.empty())
    return refused(
        !data.source_only.empty() && !data.replica_only.empty() ? "replica.diverged"
        : !data.source_only.empty()                             ? "replica.data-missing"
                                                                : "replica.errant-transactions",
        link,
        fmt::format(
            "provision = \"assume-identical\" says that {} has the data of {}, but the names differ:{}{}",
            name, from, data.source_only.empty() ? "" : fmt::format(" it lacks {}", listed(data.source_only)),
            data.replica_only.empty() ? "" : fmt::format(" it alone has {}", listed(data.replica_only))),
        fmt::format("load a backup of {} on {} first", from, name));
  Attach attach;
  attach.fresh = true;
  attach.hazards = {Hazard::assume_identical};
  attach.reason = "the file says that its data are its source's";
  if (!link.replica.provision_at) {
    attach.origin = FromNoted{};
    return {attach, std::nullopt};
  }
  if (const auto at = parse_coordinates(*link.replica.provision_at)) {
    if (wants_gtid(scene.desired, scene.observed, link))
      return refused("replica.position-unknown", link,
                     fmt::format("`at` is a file and position, but {} is to use GTIDs", name),
                     "give the GTID position of the backup instead, or declare coordinates = \"position\"");
    const auto translated = source.gtid_at.find(to_text(*at));
    const bool a_boundary = translated == source.gtid_at.end() || translated->second;
    if (!reached(source.coordinates, *at) ||
        (!a_boundary &&
         source_can_send(source, *scene.observed.find(link.replica.name), FromCoordinates{*at})))
      return refused(
          "replica.position-unknown", link,
          fmt::format("`at` {} is no place between two transactions in the binlogs of {}, which stands at {}",
                      to_text(*at), from, to_text(source.coordinates)),
          "take file and position as the backup tool wrote them");
    attach.origin = FromCoordinates{*at};
  } else if (const auto gtid = GtidPoint::parse(*link.replica.provision_at); gtid && !gtid->empty()) {
    if (!in_history(*gtid, source, others))
      return refused("replica.position-unknown", link,
                     fmt::format("`at` {} is not in the history of {}: {}", to_text(*gtid), from,
                                 source.mysql_gtids ? to_text(source.mysql_gtids->executed)
                                                    : to_text(source.gtid_state)),
                     "take the GTID position as the backup tool wrote it");
    attach.origin = FromGtid{*gtid};
    attach.by_gtid_first = !wants_gtid(scene.desired, scene.observed, link);
  } else {
    return refused(
        "replica.position-unknown", link,
        fmt::format("`at = \"{}\"` is neither FILE:POS nor a GTID position", *link.replica.provision_at),
        source.mysql_gtids
            ? "write it like \"binlog.000003:328\" or \"3e11fa47-71ca-11e1-9e33-c80aa9429562:1-42\""
            : "write it like \"mysql-bin.000003:328\" or \"0-1-42\"");
  }
  if (!source_can_send(source, *scene.observed.find(link.replica.name), attach.origin))
    return refused("replica.binlog-gone", link,
                   fmt::format("{} no longer has the binlog of {}", from, *link.replica.provision_at),
                   fmt::format("provision {} from a newer backup", name));
  return {attach, std::nullopt};
}

// "mysql-bin.000001": nothing was purged before it.
bool is_first_binlog(std::string_view file) {
  const auto dot = file.rfind('.');
  return dot != file.npos && file.size() > dot + 1 && file.ends_with('1') &&
         file.find_first_not_of('0', dot + 1) == file.size() - 1;
}

AttachDecision attach_by_replay(const DeclaredLink& link, const ServerState& source, const Data& data) {
  const std::string& from = link.source().text;
  if (!data.of_replica.empty())
    return refused("replica.errant-transactions", link,
                   fmt::format("is to replay the whole life of {} but has data of its own: {}", from,
                               listed(data.of_replica)),
                   fmt::format("empty {} first, or leave `provision` out", link.replica.name.text));
  const bool whole = source.binlogs && !source.binlogs->empty() && is_first_binlog(source.binlogs->front());
  if (!whole)
    return refused("replica.binlog-gone", link,
                   fmt::format("provision = \"replay\" needs the first binlog of {}, which is purged{}", from,
                               source.binlogs && !source.binlogs->empty()
                                   ? fmt::format("; its oldest is {}", source.binlogs->front())
                                   : ""),
                   fmt::format("provision {} from a backup with provision = \"assume-identical\" and `at`",
                               link.replica.name.text));
  Attach attach;
  attach.fresh = true;
  attach.origin = FromFirstBinlog{source.binlogs->front()};
  attach.hazards = {Hazard::replay};
  attach.reason = fmt::format("the file says that the binlogs of {} hold its whole life", from);
  return {attach, std::nullopt};
}

}  // namespace

AttachDecision attach_fresh(const Scene& scene, const DeclaredLink& link, const ServerState& source,
                            const ServerState& state) {
  const std::string& name = link.replica.name.text;
  const std::string& from = link.source().text;
  const OtherSources others = other_sources(scene, link);
  const Data data = compare_data(source, state, scene.desired, *scene.desired.find(link.source()), others);
  // The file's word is for a server without any trace of replication.
  if (link.replica.provision == Provision::assume_identical && is_fresh(state))
    return attach_by_word(scene, link, source, data, others);
  if (link.replica.provision == Provision::replay) return attach_by_replay(link, source, data);
  const bool source_has = !data.of_source.empty() || !data.accounts_only_at_source.empty();
  if (!source_has && data.of_replica.empty()) {
    Attach attach;
    attach.fresh = true;
    attach.origin = FromNoted{};
    attach.reason = "both are empty";
    return {attach, std::nullopt};
  }
  if (!source_has)
    return refused("replica.errant-transactions", link,
                   fmt::format("has data that {} lacks: {}", from, listed(data.of_replica)),
                   fmt::format("load them on {} first, or empty {}", from, name));
  // A file and position is a place of one source only.
  const std::string at = link.replica.channels.size() > 1
                             ? "at = \"GTID\" of the backup"
                             : "at = \"FILE:POS\" or at = \"GTID\" of the backup";
  std::string ways = fmt::format(
      "load a backup of {0} on {1} and say so in [server.{1}]: provision = \"assume-identical\" with {2}; "
      "or, if the binlogs of {0} reach back to its first day, provision = \"replay\"",
      from, name, at);
  if (data.of_source.empty())
    return refused(
        "replica.data-missing", link,
        fmt::format("{} has accounts that {} lacks: {}", from, name, listed(data.accounts_only_at_source)),
        fmt::format("create them on {} too (with SET sql_log_bin=0); or {}", name, ways));
  if (data.of_replica.empty())
    return refused("replica.data-missing", link,
                   fmt::format("{} has data and {} has none: {}", from, name, listed(data.of_source)), ways);
  if (!data.source_only.empty() && !data.replica_only.empty())
    return refused("replica.diverged", link,
                   fmt::format("lacks {} of {} and alone has {}", listed(data.source_only), from,
                               listed(data.replica_only)),
                   ways);
  return refused("replica.data-missing", link,
                 fmt::format("both have data ({}), but nothing tells whether {} has all of {}",
                             listed(data.of_source), name, from),
                 ways);
}

bool is_fresh(const ServerState& state) {
  if (state.mysql_gtids)
    return state.channels.empty() && state.mysql_gtids->executed.without(state.identity.uuid).empty();
  return state.channels.empty() && state.gtid_replicated.empty() &&
         std::all_of(state.gtid_state.entries().begin(), state.gtid_state.entries().end(),
                     [&](const auto& entry) { return entry.first.second == state.identity.server_id; });
}

std::string canary_database(const Topology& topology, std::string_view server_id) {
  return fmt::format("{}_{}", topology.verify.database, server_id);
}

std::vector<std::string> data_of(const ServerState& state, const Topology& topology) {
  const std::string canaries = canary_database(topology, "");
  // The name alone makes no canary: verify.database may be a schema with data.
  const auto is_canary = [&](const std::string& schema, const std::set<std::string>& contents) {
    const bool named = schema == topology.verify.database ||
                       (schema.starts_with(canaries) && schema.size() > canaries.size() &&
                        schema.find_first_not_of("0123456789", canaries.size()) == schema.npos);
    return named && std::all_of(contents.begin(), contents.end(),
                                [](const std::string& name) { return name == kCanaryTable; });
  };
  static const std::array<std::string_view, 4> system = {"mysql", "information_schema", "performance_schema",
                                                         "sys"};
  std::vector<std::string> schemas;
  if (!state.schemas) return schemas;
  for (const auto& [schema, contents] : *state.schemas) {
    if (std::find(system.begin(), system.end(), schema) != system.end()) continue;
    if (is_canary(schema, contents) || (schema == "test" && contents.empty())) continue;
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

AttachDecision refused(std::string_view code, const DeclaredLink& link, std::string message,
                       std::string hint) {
  Finding found = finding(code, link.replica.name, "data", "its source's", "", std::move(message));
  found.weight = Weight::error;
  found.hint = std::move(hint);
  found.place = link.replica.place;
  return {std::nullopt, of_channel(std::move(found), link.name())};
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 8;
  if (names.size() <= kShown) return fmt::format("{}", fmt::join(names, ", "));
  return fmt::format("{} and {} more", fmt::join(names.begin(), names.begin() + kShown, ", "),
                     names.size() - kShown);
}

}  // namespace stemma
