#include "plans/plan.h"

#include <algorithm>
#include <array>
#include <utility>

namespace stemma {
namespace {

struct HazardRow {
  Hazard hazard;
  std::string_view name;
  bool covered_by_yes;
  std::string_view meaning;
};
constexpr std::array<HazardRow, 10> kHazards = {{
    {Hazard::unfence, "unfence", true, "opens a server for writes"},
    {Hazard::revoke, "revoke", true, "takes privileges from the replication account"},
    {Hazard::repoint, "repoint", true, "makes a replica follow another server"},
    {Hazard::assume_identical, "assume-identical", true,
     "takes the file's word that the replica's data are its source's"},
    {Hazard::replay, "replay", true, "takes the file's word that the source's binlogs hold its whole life"},
    {Hazard::reset_binlog, "reset-binlog", false, "throws a server's binlogs and GTID history away"},
    {Hazard::reset_channel, "reset-channel", false, "makes a server forget whom it followed"},
    {Hazard::kill_sessions, "kill-sessions", false, "ends the sessions of clients"},
    {Hazard::overwrite_data, "overwrite-data", false, "replaces the data of a server"},
    {Hazard::discard_relay_log, "discard-relay-log", false,
     "throws received transactions away, to be fetched from the source again"},
}};

const HazardRow& row(Hazard hazard) {
  return *std::find_if(kHazards.begin(), kHazards.end(),
                       [&](const HazardRow& r) { return r.hazard == hazard; });
}

}  // namespace

std::string_view to_text(StepKind kind) {
  using enum StepKind;
  switch (kind) {
    case create_user: return "create-user";
    case alter_user: return "alter-user";
    case grant: return "grant";
    case revoke: return "revoke";
    case set_variable: return "set-variable";
    case capture_coordinates: return "capture-coordinates";
    case adopt_position: return "adopt-position";
    case stop_replica: return "stop-replica";
    case configure_source: return "configure-source";
    case start_replica: return "start-replica";
    case await_running: return "await-running";
    case await_caught_up: return "await-caught-up";
    case fence: return "fence";
    case unfence: break;
  }
  return "unfence";
}

std::string_view to_text(Hazard hazard) { return row(hazard).name; }
bool covered_by_yes(Hazard hazard) { return row(hazard).covered_by_yes; }
std::string_view meaning(Hazard hazard) { return row(hazard).meaning; }

std::vector<std::string_view> hazard_names() {
  std::vector<std::string_view> names;
  for (const HazardRow& r : kHazards) names.push_back(r.name);
  return names;
}

const Link* link_of(const Step& step) { return link_of(step.ensures.front()); }

std::vector<ServerName> sources_of(const Step& step) {
  if (const auto* follows = std::get_if<Follows>(&step.ensures.front())) return {follows->source};
  std::vector<ServerName> sources;
  for (const Fact& need : step.needs)
    if (const auto* noted = std::get_if<CoordinatesNoted>(&need)) sources.push_back(noted->source);
  return sources;
}

std::optional<Hazard> hazard_named(std::string_view name) {
  for (const HazardRow& r : kHazards)
    if (r.name == name) return r.hazard;
  return std::nullopt;
}

}  // namespace stemma
