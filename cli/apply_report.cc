#include "cli/apply_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "cli/exit_code.h"
#include "plans/render.h"

namespace stemma::cli {
namespace {

using nlohmann::json;

const char* word_for(int exit_code) {
  switch (exit_code) {
    case ExitCode::ok: return "converged";
    case ExitCode::refused: return "refused";
    case ExitCode::stale: return "stale";
    case ExitCode::partly: return "partly";
    case ExitCode::incomplete: return "incomplete";
    case ExitCode::interrupted: return "interrupted";
    default: return "error";
  }
}

// The servers that had no answer, and why.
json silent_to_json(const Fleet& fleet) {
  json silent = json::array();
  for (const auto& [name, silence] : fleet.silent)
    silent.push_back({{"server", name.text},
                      {"code", silence.code},
                      {"message", silence.error.message},
                      {"hint", silence.error.hint}});
  return silent;
}

}  // namespace

int ApplyReport::nothing_done(const std::string& outcome, int exit_code, const Fleet& fleet) {
  if (!text_) {
    json refusals = json::array();
    for (const Finding& found : plan_.refusals) refusals.push_back(finding_to_json(found));
    print_json(console_, {{"format_version", kFormatVersion},
                          {"topology", topology_.name},
                          {"outcome", outcome},
                          {"exit", exit_code},
                          {"steps", json::array()},
                          {"refusals", refusals},
                          {"silent", silent_to_json(fleet)}});
  } else if (!fleet.silent.empty()) {
    for (const auto& [name, silence] : fleet.silent) say_error(console_, silence.error.within(name.text));
  }
  return exit_code;
}

void ApplyReport::begin() {
  began_ = std::chrono::steady_clock::now();
  if (text_ && console_.draw) console_.err << '\n';
}

void ApplyReport::tell(const Event& event) {
  // Progress is for people who watch; without a terminal only -v asks for it.
  if (!console_.draw && verbosity_ == 0) return;
  const auto* finished = std::get_if<StepFinished>(&event);
  if (finished == nullptr) return;
  const StepResult& ended = *finished->result;
  const Step& step = plan_.steps[ended.step];
  const Palette& paint = console_.paint_err;
  ++done_;
  const bool already = ended.result && *ended.result == Effect::already;
  console_.err << fmt::format("{} {:>{}}/{} {}  {}{}\n",
                              ended.result ? paint.paint(paint.good, already ? "=" : "✓")
                                           : paint.paint(paint.bad, "✗"),
                              done_, std::to_string(plan_.steps.size()).size(), plan_.steps.size(), step.id,
                              already
                                  ? "held already"
                                  : fmt::format("{:.1f} ms", static_cast<double>(ended.took.count()) / 1000),
                              ended.result ? "" : "  " + ended.result.error().message)
               << std::flush;
}

void ApplyReport::finished(const Outcome& outcome, const Outputs& outputs, const std::vector<Finding>& left,
                           const Fleet& after, int exit_code, const std::string& journal) {
  if (text_)
    as_text(outcome, outputs, left, exit_code, journal);
  else
    as_json(outcome, outputs, left, after, exit_code, journal);
}

void ApplyReport::as_text(const Outcome& outcome, const Outputs& outputs, const std::vector<Finding>& left,
                          int exit_code, const std::string& journal) {
  const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  const Palette& paint = console_.paint;
  const auto count = [&](StepState state) {
    return static_cast<std::size_t>(std::count(outcome.states.begin(), outcome.states.end(), state));
  };
  const auto already =
      static_cast<std::size_t>(std::count(outcome.effects.begin(), outcome.effects.end(), Effect::already));
  const std::size_t failed = count(StepState::failed);
  const std::size_t not_tried = plan_.steps.size() - count(StepState::done) - failed;
  std::string text = "\n";
  if (!outputs.noted.empty()) {
    text += fmt::format("{}\n", paint.paint(paint.bold, "Known now"));
    for (const auto& [source, moment] : outputs.noted)
      text += fmt::format("  binlog coordinates of {}: File {}, Position {}{}\n", source.text,
                          moment.coordinates.file, moment.coordinates.position,
                          moment.gtid.empty() ? "" : fmt::format(", GTID {}", to_text(moment.gtid)));
    text += "\n";
  }
  for (StepIndex i = 0; i < plan_.steps.size(); ++i) {
    const auto& error = outcome.errors[i];
    if (!error) continue;
    text += fmt::format("{} step {}, {}: {}\n", paint.paint(paint.bad, "✗"), i + 1, plan_.steps[i].id,
                        error->message);
    if (!error->hint.empty()) text += fmt::format("    {}\n", error->hint);
  }
  if (outcome.journal_error)
    text += fmt::format("{} {}\n", paint.paint(paint.bad, "✗"), outcome.journal_error->message);
  text += fmt::format("{} {}: {} of {} steps done{} in {:.2f} s",
                      exit_code == ExitCode::ok ? paint.paint(paint.good, "✓") : paint.paint(paint.bad, "✗"),
                      word_for(exit_code), count(StepState::done), plan_.steps.size(),
                      already > 0 ? fmt::format(" ({} held already)", already) : "", took);
  if (failed > 0) text += fmt::format(", {} failed", failed);
  if (not_tried > 0) text += fmt::format(", {} not tried", not_tried);
  text += exit_code == ExitCode::partly || exit_code == ExitCode::interrupted ? "; run apply again to go on\n"
                                                                              : "\n";
  // What is left and was not already said by a failed step.
  std::vector<Finding> open;
  for (const Finding& found : left)
    if (found.weight != Weight::info && (failed == 0 || found.weight == Weight::error)) open.push_back(found);
  if (!open.empty())
    text += fmt::format("\n{}\n{}",
                        paint.paint(paint.bold, exit_code == ExitCode::ok ? "Good to know" : "What is left"),
                        findings_as_text(open, topology_, paint));
  if (verbosity_ > 0 || exit_code != ExitCode::ok) text += fmt::format("journal: {}\n", journal);
  console_.out << text;
}

void ApplyReport::as_json(const Outcome& outcome, const Outputs& outputs, const std::vector<Finding>& left,
                          const Fleet& after, int exit_code, const std::string& journal) {
  nlohmann::json steps = nlohmann::json::array();
  for (StepIndex i = 0; i < plan_.steps.size(); ++i) {
    nlohmann::json step = {{"id", plan_.steps[i].id},
                           {"kind", to_text(plan_.steps[i].kind)},
                           {"server", plan_.steps[i].server.text},
                           {"state", to_text(outcome.states[i])}};
    if (outcome.effects[i]) step["effect"] = *outcome.effects[i] == Effect::made ? "made" : "already";
    if (outcome.errors[i]) step["error"] = outcome.errors[i]->message;
    steps.push_back(std::move(step));
  }
  nlohmann::json known = nlohmann::json::object();
  for (const auto& [source, moment] : outputs.noted)
    known[source.text] = {{"file", moment.coordinates.file},
                          {"position", moment.coordinates.position},
                          {"gtid", to_text(moment.gtid)}};
  nlohmann::json findings = nlohmann::json::array();
  for (const Finding& found : left) findings.push_back(finding_to_json(found));
  print_json(console_, {{"format_version", kFormatVersion},
                        {"topology", topology_.name},
                        {"outcome", word_for(exit_code)},
                        {"exit", exit_code},
                        {"steps", steps},
                        {"known", known},
                        {"findings", findings},
                        {"silent", silent_to_json(after)},
                        {"journal", journal}});
}

}  // namespace stemma::cli
