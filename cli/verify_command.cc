// stemma verify
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "providers/mysql/canary.h"

namespace stemma::cli {
namespace {

using mysql::CanaryReading;
using mysql::CanaryReport;
using nlohmann::json;

std::string duration_text(std::chrono::microseconds time) {
  const double in_ms = static_cast<double>(time.count()) / 1000;
  return in_ms < 1000 ? fmt::format("{:.1f} ms", in_ms) : fmt::format("{:.1f} s", in_ms / 1000);
}

// What a canary's reports come to: the text, the JSON, and the exit code.
class Verdict {
 public:
  Verdict(const std::string& file, const Palette& paint) : file_(file), paint_(paint) {}

  void add(const CanaryReport& report) {
    if (report.write_error) {
      failed(report.root, *report.write_error, "the row could not be written");
      return;
    }
    text_ += fmt::format("{}: wrote a row into {}\n", report.root.text, report.database);
    std::size_t width = 0;
    for (const CanaryReading& reading : report.readings) width = std::max(width, reading.where.size());
    for (const CanaryReading& reading : report.readings) add(report.root, reading, width);
    if (report.cleanup_error)
      failed(report.root, *report.cleanup_error, "the canary was not cleaned up");
    else
      text_ += "  the row was removed again\n";
  }

  [[nodiscard]] int code() const { return code_; }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const json& readings() const { return readings_; }
  [[nodiscard]] const json& errors() const { return errors_; }

 private:
  void failed(const ServerName& root, const Error& error, std::string_view what) {
    const bool silent = error.trouble == Trouble::unreachable || error.trouble == Trouble::denied;
    code_ = worse(code_, silent ? ExitCode::incomplete : ExitCode::error);
    text_ += fmt::format("{} {}: {}: {}\n", paint_.paint(paint_.bad, "✗"), root.text, what, error.message);
    if (!error.hint.empty()) text_ += fmt::format("    {}\n", error.hint);
    errors_.push_back({{"server", root.text},
                       {"message", fmt::format("{}: {}", what, error.message)},
                       {"hint", error.hint}});
  }

  void add(const ServerName& root, const CanaryReading& reading, std::size_t width) {
    json entry = {{"root", root.text},
                  {"where", reading.where},
                  {"arrived", reading.arrived},
                  {"skipped", reading.skipped}};
    entry["ms"] = reading.arrived ? json(static_cast<double>(reading.took.count()) / 1000) : json();
    if (reading.error) entry["error"] = reading.error->message;
    readings_.push_back(std::move(entry));

    const auto line = [&](const std::string& color, std::string_view mark, const std::string& what) {
      text_ += fmt::format("  {} {:<{}}  {}\n", paint_.paint(color, mark), reading.where, width, what);
    };
    if (reading.skipped) {
      line(paint_.dim, "·", "not asked: it is delayed on purpose");
    } else if (reading.arrived) {
      line(paint_.good, "✓", "read after " + duration_text(reading.took));
    } else if (reading.error) {
      code_ = worse(code_, ExitCode::incomplete);
      line(paint_.bad, "✗", reading.error->message);
    } else {
      code_ = worse(code_, ExitCode::differs);
      line(paint_.bad, "✗",
           fmt::format("not there after {}; see `stemma status {}`", duration_text(reading.took), file_));
    }
  }

  const std::string& file_;
  const Palette& paint_;
  int code_ = ExitCode::ok;
  std::string text_;
  json readings_ = json::array();
  json errors_ = json::array();
};

}  // namespace

int run_verify(const VerifyArguments& arguments, const CommonOptions& options, Console& console) {
  const auto topology = load_topology(console, arguments.file);
  if (!topology) return ExitCode::error;
  const auto secrets = load_secrets(console, options, *topology, arguments.file, false);
  if (!secrets) return ExitCode::error;
  const auto patience = options.timeout ? std::min(arguments.patience, *options.timeout) : arguments.patience;
  const auto reports =
      mysql::run_canary(*topology, *secrets, timeouts_for_reading(options), patience, stop_requested());

  Verdict verdict(arguments.file, console.paint);
  for (const CanaryReport& report : reports) verdict.add(report);
  const int code = stop_requested().load() ? int{ExitCode::interrupted} : verdict.code();
  if (arguments.format == DataFormat::json)
    print_json(console, {{"format_version", kFormatVersion},
                         {"topology", topology->name},
                         {"arrived", code == ExitCode::ok},
                         {"readings", verdict.readings()},
                         {"errors", verdict.errors()}});
  else
    console.out << verdict.text();
  return code;
}

}  // namespace stemma::cli
