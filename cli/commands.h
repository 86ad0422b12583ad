// The commands: each takes its arguments as a value, calls the engine, prints, and returns an exit code.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/console.h"
#include "cli/load.h"

namespace stemma::cli {

struct ValidateArguments {
  std::string file;
};
int run_validate(const ValidateArguments&, const CommonOptions&, Console&);

enum class PlanFormat { text, json, markdown, sql, dot, mermaid };
struct PlanArguments {
  std::string file;
  std::optional<std::string> save;  // -o
  PlanFormat format = PlanFormat::text;
  bool detailed_exitcode = false;
};
int run_plan(const PlanArguments&, const CommonOptions&, Console&);

enum class DataFormat { text, json };
struct ApplyArguments {
  std::string file;                     // a topology file or a saved plan
  std::optional<std::string> topology;  // --topology: vouches for the commands that a plan names
  bool yes = false;
  std::vector<std::string> allow;  // names of hazards
  std::size_t parallelism = 64;
  // A server takes a moment to notice that the apply before this one has gone, and its lock with it.
  std::chrono::milliseconds lock_timeout{1000};
  std::optional<std::string> journal;  // --journal DIR
  DataFormat format = DataFormat::text;
};
int run_apply(const ApplyArguments&, const CommonOptions&, Console&);

struct DriftArguments {
  std::vector<std::string> files;
  DataFormat format = DataFormat::text;
};
int run_drift(const DriftArguments&, const CommonOptions&, Console&);

struct StatusArguments {
  std::string file;
  DataFormat format = DataFormat::text;
};
int run_status(const StatusArguments&, const CommonOptions&, Console&);

enum class GrantsWanted { both, looking, applying };
struct GrantsArguments {
  std::string file;
  GrantsWanted wanted = GrantsWanted::both;
};
int run_grants(const GrantsArguments&, const CommonOptions&, Console&);

struct VerifyArguments {
  std::string file;
  std::chrono::milliseconds patience{30000};  // --wait
  DataFormat format = DataFormat::text;
};
int run_verify(const VerifyArguments&, const CommonOptions&, Console&);

struct LogArguments {
  std::optional<std::string> file;     // whose topology's runs; none: all
  std::optional<std::string> journal;  // --journal DIR
  std::size_t last = 20;               // 0: all
  DataFormat format = DataFormat::text;
};
int run_log(const LogArguments&, const CommonOptions&, Console&);

int run_schema(Console&);

}  // namespace stemma::cli
