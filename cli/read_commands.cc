// stemma drift, stemma status, stemma verify
#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "engine/survey.h"
#include "plans/diff.h"
#include "plans/render.h"
#include "providers/mysql/canary.h"
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
  auto secrets = load_secrets(console, *topology, file, false);
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

// 1 before 6 before 2 before 0.
int worse(int a, int b) {
  const auto rank = [](int code) {
    switch (code) {
      case ExitCode::error: return 3;
      case ExitCode::incomplete: return 2;
      case ExitCode::differs: return 1;
      default: return 0;
    }
  };
  return rank(a) >= rank(b) ? a : b;
}

std::string in_milliseconds(std::chrono::microseconds time) {
  return fmt::format("{:.1f} ms", static_cast<double>(time.count()) / 1000);
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
    console.out << printed.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  }
  return code;
}

int run_status(const StatusArguments& arguments, const CommonOptions& options, Console& console) {
  const auto look = look_at(console, arguments.file, options);
  if (!look) return ExitCode::error;
  const Outputs nothing_yet;
  const Scene scene{look->topology, look->fleet, look->secrets, nothing_yet};
  if (arguments.format == DataFormat::json)
    console.out
        << status_to_json(scene, look->findings).dump(2, ' ', false, nlohmann::json::error_handler_t::replace)
        << '\n';
  else
    console.out << status_as_text(scene, look->findings, console.paint);
  return look->fleet.silent.empty() ? ExitCode::ok : ExitCode::incomplete;
}

int run_verify(const VerifyArguments& arguments, const CommonOptions& options, Console& console) {
  const auto topology = load_topology(console, arguments.file);
  if (!topology) return ExitCode::error;
  const auto secrets = load_secrets(console, *topology, arguments.file, false);
  if (!secrets) return ExitCode::error;
  const auto patience = options.timeout ? std::min(arguments.patience, *options.timeout) : arguments.patience;
  const auto reports =
      mysql::run_canary(*topology, *secrets, timeouts_for_reading(options), patience, stop_requested());

  int code = ExitCode::ok;
  nlohmann::json readings = nlohmann::json::array();
  const Palette& paint = console.paint;
  std::size_t width = 0;
  for (const auto& report : reports)
    for (const auto& reading : report.readings) width = std::max(width, reading.where.size());
  std::string text;
  for (const auto& report : reports) {
    const auto failed = [&](const Error& error, std::string_view what) {
      code = worse(code, error.trouble == Trouble::unreachable || error.trouble == Trouble::denied
                             ? ExitCode::incomplete
                             : ExitCode::error);
      text +=
          fmt::format("{} {}: {}: {}\n", paint.paint(paint.bad, "✗"), report.root.text, what, error.message);
      if (!error.hint.empty()) text += fmt::format("    {}\n", error.hint);
    };
    if (report.write_error) {
      failed(*report.write_error, "the row could not be written");
      continue;
    }
    text += fmt::format("{}: wrote a row into {}\n", report.root.text, topology->verify.database);
    for (const auto& reading : report.readings) {
      nlohmann::json entry = {{"root", report.root.text},
                              {"where", reading.where},
                              {"arrived", reading.arrived},
                              {"skipped", reading.skipped}};
      entry["ms"] = reading.arrived ? nlohmann::json(static_cast<double>(reading.took.count()) / 1000)
                                    : nlohmann::json();
      if (reading.error) entry["error"] = reading.error->message;
      readings.push_back(std::move(entry));
      if (reading.skipped) {
        text += fmt::format("  {} {:<{}}  not asked: it is delayed on purpose\n", paint.paint(paint.dim, "·"),
                            reading.where, width);
      } else if (reading.arrived) {
        text += fmt::format("  {} {:<{}}  read after {}\n", paint.paint(paint.good, "✓"), reading.where,
                            width, in_milliseconds(reading.took));
      } else if (reading.error) {
        code = worse(code, ExitCode::incomplete);
        text += fmt::format("  {} {:<{}}  {}\n", paint.paint(paint.bad, "✗"), reading.where, width,
                            reading.error->message);
      } else {
        code = worse(code, ExitCode::differs);
        text += fmt::format("  {} {:<{}}  not there after {}; see `stemma status {}`\n",
                            paint.paint(paint.bad, "✗"), reading.where, width, in_milliseconds(reading.took),
                            arguments.file);
      }
    }
    if (report.cleanup_error)
      failed(*report.cleanup_error, "the canary was not cleaned up");
    else
      text += "  the row was removed again\n";
  }
  if (stop_requested().load()) code = ExitCode::interrupted;
  if (arguments.format == DataFormat::json)
    console.out << nlohmann::json{{"format_version", kFormatVersion},
                                  {"topology", topology->name},
                                  {"arrived", code == ExitCode::ok},
                                  {"readings", readings}}
                       .dump(2, ' ', false, nlohmann::json::error_handler_t::replace)
                << '\n';
  else
    console.out << text;
  return code;
}

}  // namespace stemma::cli
