// stemma log: what past applies did, from their journals.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "engine/history.h"
#include "engine/journal.h"

namespace stemma::cli {
namespace {

using nlohmann::json;

std::string ending(const RunRecord& run) {
  if (!run.exit_code) return still_runs(run) ? "goes on" : "was cut off";
  switch (*run.exit_code) {
    case ExitCode::ok: return "converged";
    case ExitCode::refused: return "refused, nothing was changed";
    case ExitCode::stale: return "stale, nothing was changed";
    case ExitCode::partly: return "partly applied";
    case ExitCode::incomplete: return "incomplete, a server was silent";
    case ExitCode::interrupted: return "interrupted";
    default: return fmt::format("ended with {}", *run.exit_code);
  }
}

// "2026-12-31T23:59:59.123Z" → "2026-12-31 23:59:59"
std::string moment(const std::string& timestamp) {
  std::string text = timestamp.substr(0, 19);
  std::replace(text.begin(), text.end(), 'T', ' ');
  return text;
}

std::string counts(const RunRecord& run) {
  std::string text = fmt::format("{} of {} steps done", run.count("done"), run.steps.size());
  for (const auto& [state, words] : {std::pair{"failed", "failed"}, std::pair{"not-tried", "not tried"},
                                     std::pair{"running", "begun"}, std::pair{"left", "left"}})
    if (const auto n = run.count(state)) text += fmt::format(", {} {}", n, words);
  return text;
}

std::string took(const StepRecord& step) {
  if (!step.took) return "";
  return fmt::format("  {:.1f} ms", static_cast<double>(step.took->count()) / 1000);
}

std::string run_as_text(const RunRecord& run, const Palette& paint, bool with_steps) {
  const bool good = run.exit_code == ExitCode::ok;
  std::string text =
      fmt::format("{} {}  {}  {}, {}\n", good ? paint.paint(paint.good, "✓") : paint.paint(paint.bad, "✗"),
                  moment(run.started), run.topology, ending(run), counts(run));
  for (const StepRecord& step : run.steps) {
    const bool failed = step.state == "failed";
    if (!with_steps && !failed && step.state != "running") continue;
    text += fmt::format("    {:<9}  {}: {}{}{}\n", step.state, step.id, step.summary,
                        step.already ? " (was so already)" : "", took(step));
    if (failed && !step.error.empty()) text += fmt::format("               {}\n", step.error);
  }
  if (with_steps) text += fmt::format("    {}\n", run.journal.string());
  return text;
}

json run_as_json(const RunRecord& run) {
  json steps = json::array();
  for (const StepRecord& step : run.steps) {
    json one = {{"id", step.id}, {"server", step.server}, {"summary", step.summary}, {"state", step.state}};
    if (step.state == "done") one["effect"] = step.already ? "already" : "made";
    if (step.took) one["ms"] = static_cast<double>(step.took->count()) / 1000;
    if (!step.error.empty()) one["error"] = step.error;
    steps.push_back(std::move(one));
  }
  return {{"topology", run.topology},
          {"started", run.started},
          {"finished", run.finished.empty() ? json() : json(run.finished)},
          {"exit", run.exit_code ? json(*run.exit_code) : json()},
          {"ending", ending(run)},
          {"interrupted", run.interrupted},
          {"pid", run.pid},
          {"journal", run.journal.string()},
          {"steps", std::move(steps)}};
}

}  // namespace

int run_log(const LogArguments& arguments, const CommonOptions& options, Console& console) {
  std::optional<std::string> name;
  if (arguments.file) {
    const auto topology = load_topology(console, *arguments.file);
    if (!topology) return ExitCode::error;
    name = topology->name;
  }
  const auto directory =
      arguments.journal ? std::filesystem::path(*arguments.journal) : default_journal_directory();
  auto history = read_history(directory, name);
  if (!history) {
    say_error(console, history.error());
    return ExitCode::error;
  }
  for (const auto& file : history->unreadable)
    say_warning(console, fmt::format("{} is no journal of stemma", file.string()));
  const std::size_t all = history->runs.size();
  if (arguments.last > 0 && all > arguments.last) history->runs.resize(arguments.last);
  if (arguments.format == DataFormat::json) {
    json runs = json::array();
    for (const RunRecord& run : history->runs) runs.push_back(run_as_json(run));
    print_json(console, {{"format_version", kFormatVersion}, {"runs", std::move(runs)}});
    return ExitCode::ok;
  }
  if (all == 0)
    console.out << fmt::format("no apply{} is written down in {}\n", name ? " of " + *name : "",
                               directory.string());
  for (const RunRecord& run : history->runs)
    console.out << run_as_text(run, console.paint, options.verbosity > 0);
  if (all > history->runs.size())
    console.out << fmt::format("… and {} older; --last 0 shows all\n", all - history->runs.size());
  return ExitCode::ok;
}

}  // namespace stemma::cli
