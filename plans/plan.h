// A plan: the steps that lead from what was observed to what is declared, as a value. It can be shown, saved,
// compared and run; it holds no handle, no callback and no secret.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "plans/fact.h"
#include "plans/finding.h"

namespace stemma {

enum class StepKind {
  create_user,
  alter_user,
  grant,
  revoke,
  set_variable,
  capture_coordinates,
  adopt_position,
  stop_replica,
  configure_source,
  start_replica,
  await_running,
  await_caught_up,
  fence,
  unfence,
};
std::string_view to_text(StepKind);  // "create-user"

// What a person must know before agreeing. Those of `covered_by_yes` are shown and covered by --yes; each
// other needs its own --allow. The list is the interface; of the latter this version has steps with reset_binlog only.
enum class Hazard {
  unfence,
  revoke,
  repoint,
  assume_identical,
  replay,
  reset_binlog,
  reset_channel,
  discard_relay_log,
  kill_sessions,
  overwrite_data,
};
std::string_view to_text(Hazard);  // "assume-identical"
std::optional<Hazard> hazard_named(std::string_view);
bool covered_by_yes(Hazard);
std::string_view meaning(Hazard);
std::vector<std::string_view> hazard_names();

// Where a channel starts to read. Decided while planning; the numbers behind some become known only later.
struct FromNoted {
  bool operator==(const FromNoted&) const = default;
};  // capture-coordinates at its source
struct FromCoordinates {
  Coordinates at;
  bool operator==(const FromCoordinates&) const = default;
};  // the file's `at`
struct FromGtid {
  GtidPoint at;
  bool operator==(const FromGtid&) const = default;
};  // the file's `at`
struct FromFirstBinlog {
  std::string file;
  bool operator==(const FromFirstBinlog&) const = default;
};  // replay
struct FromExecuted {
  bool operator==(const FromExecuted&) const = default;
};  // its own executed file and position
struct FromOwnGtid {
  bool operator==(const FromOwnGtid&) const = default;
};  // its own gtid_slave_pos or gtid_executed
using Origin = std::variant<FromNoted, FromCoordinates, FromGtid, FromFirstBinlog, FromExecuted, FromOwnGtid>;

using StepIndex = std::size_t;  // position in Plan::steps

struct Step {
  std::string id;  // "replica-1.configure-source"; stable for the same file and observation
  StepKind kind = StepKind::create_user;
  ServerName server;
  std::vector<Fact> ensures;     // true afterwards, read back from the server; never empty
  std::vector<Fact> needs;       // true before
  std::vector<StepIndex> after;  // the steps that bring the needs about, ascending
  std::string summary;           // for people: "follow primary at 127.0.0.1:3306 …"
  std::string reason;            // why: the finding behind it
  std::vector<Hazard> hazards;
  std::optional<Origin> origin;  // configure-source, adopt-position
  std::string variable;          // set-variable
  bool operator==(const Step&) const = default;
};

// The channel that a step is about, nullptr where it is about none. Borrowed.
const Link* link_of(const Step&);
// The servers whose noted coordinates a step with an origin starts from: its channel's source, or those of all
// channels that it speaks for.
std::vector<ServerName> sources_of(const Step&);

struct Plan {
  CoordinatesMode coordinates = CoordinatesMode::position;
  std::vector<Finding> differences;
  std::vector<Step> steps;        // each after the steps it needs; the same input gives the same order
  std::vector<Finding> refusals;  // not empty: nothing may be applied
  std::vector<std::string>
      notes;  // what else a person should know: who writes through read_only, what was left out
  std::vector<StepIndex> critical_path;
  bool operator==(const Plan&) const = default;
};

}  // namespace stemma
