// stemma drift, stemma status
#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "engine/survey.h"
#include "plans/diff.h"
#include "plans/render.h"
#include "providers/mysql/provider.h"

namespace stemma::cli {
namespace {

// One look at the servers of one file.
struct Look {
  Topology topology;
  Secrets secrets;
  Fleet fleet;
  std::vector<Finding> findings;
};

std::optional<Look> look_at(Console& console, const std::string& file, const CommonOptions& options) {
  auto topology = load_topology(console, file);
  if (!topology) return std::nullopt;
  auto secrets = load_secrets(console, options, *topology, file, false);
  if (!secrets) return std::nullopt;
  Look look{std::move(*topology), std::move(*secrets), {}, {}};
  mysql::MysqlProvider provider(look.topology, look.secrets, timeouts_for_reading(options));
  look.fleet = survey(provider, look.topology, look.secrets);
  const Outputs nothing_yet;
  look.findings = diff(Scene{look.topology, look.fleet, look.secrets, nothing_yet});
  const auto complaints = mark_ignored(look.findings, look.topology, today());
  look.findings.insert(look.findings.end(), complaints.begin(), complaints.end());
  return look;
}

int exit_code_of(const std::vector<Finding>& findings) {
  const bool open = std::any_of(findings.begin(), findings.end(),
                                [](const Finding& f) { return leaves_verdict_open(f) && !f.ignored; });
  if (open) return ExitCode::incomplete;
  return verdict_of(findings) == DriftVerdict::drifted ? ExitCode::differs : ExitCode::ok;
}

}  // namespace

int run_drift(const DriftArguments& arguments, const CommonOptions& options, Console& console) {
  int code = ExitCode::ok;
  nlohmann::json documents = nlohmann::json::array();
  for (const std::string& file : arguments.files) {
    const auto look = look_at(console, file, options);
    if (!look) {
      code = worse(code, ExitCode::error);
      continue;
    }
    code = worse(code, exit_code_of(look->findings));
    if (arguments.format == DataFormat::json)
      documents.push_back(drift_to_json(look->findings, look->topology));
    else
      console.out << drift_as_text(look->findings, look->topology, console.paint);
  }
  if (arguments.format == DataFormat::json && !documents.empty()) {
    // One file gives one document, several give a list of them.
    const auto& printed = arguments.files.size() == 1 ? documents.front() : documents;
    print_json(console, printed);
  }
  return code;
}

int run_status(const StatusArguments& arguments, const CommonOptions& options, Console& console) {
  const auto look = look_at(console, arguments.file, options);
  if (!look) return ExitCode::error;
  const Outputs nothing_yet;
  const Scene scene{look->topology, look->fleet, look->secrets, nothing_yet};
  if (arguments.format == DataFormat::json)
    print_json(console, status_to_json(scene, look->findings));
  else
    console.out << status_as_text(scene, look->findings, console.paint);
  return look->fleet.silent.empty() ? ExitCode::ok : ExitCode::incomplete;
}

}  // namespace stemma::cli
