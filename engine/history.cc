#include "engine/history.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <tuple>
#include <unordered_map>

#include "plans/json_text.h"

namespace stemma {
namespace {

using nlohmann::json;

std::string text_of(const json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<int> number_of(const json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_number_integer() ? std::optional(found->get<int>()) : std::nullopt;
}

// Follows one journal from line to line.
class Reader {
 public:
  Reader(const std::filesystem::path& file, const json& first) {
    run_.journal = file;
    run_.topology = text_of(first, "topology");
    run_.started = text_of(first, "time");
    run_.pid = number_of(first, "pid").value_or(0);
    const auto steps = first.find("steps");
    if (steps == first.end() || !steps->is_array()) return;
    for (const json& step : *steps) {
      if (!step.is_object()) continue;
      StepRecord record;
      record.id = text_of(step, "id");
      record.server = text_of(step, "server");
      record.summary = text_of(step, "summary");
      places_.emplace(record.id, run_.steps.size());
      run_.steps.push_back(std::move(record));
    }
  }

  void add(const json& line) {
    const std::string event = text_of(line, "event");
    if (event == "run-finished") return end(line);
    StepRecord* step = step_named(text_of(line, "step"));
    if (step == nullptr) return;
    if (event == "step-started") step->state = "running";
    if (event != "step-done" && event != "step-failed") return;
    step->state = event == "step-done" ? "done" : "failed";
    step->already = text_of(line, "effect") == "already";
    step->error = text_of(line, "error");
    if (const auto ms = line.find("ms"); ms != line.end() && ms->is_number())
      step->took = std::chrono::microseconds(static_cast<std::int64_t>(ms->get<double>() * 1000));
  }

  RunRecord take() && { return std::move(run_); }

 private:
  StepRecord* step_named(const std::string& id) {
    const auto found = places_.find(id);
    return found == places_.end() ? nullptr : &run_.steps[found->second];
  }

  void end(const json& line) {
    run_.finished = text_of(line, "time");
    run_.exit_code = number_of(line, "exit");
    const auto interrupted = line.find("interrupted");
    run_.interrupted = interrupted != line.end() && *interrupted == json(true);
    const auto not_done = line.find("not_done");
    if (not_done == line.end() || !not_done->is_object()) return;
    for (const auto& [id, state] : not_done->items())
      if (StepRecord* step = step_named(id); step != nullptr && state.is_string())
        step->state = state.get<std::string>();
  }

  RunRecord run_;
  std::unordered_map<std::string, std::size_t> places_;
};

// nullopt: no journal.
std::optional<RunRecord> read_run(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string text;
  if (!std::getline(in, text)) return std::nullopt;
  const json first = parse_json(text);
  if (!first.is_object() || text_of(first, "event") != "run-started") return std::nullopt;
  Reader reader(file, first);
  while (std::getline(in, text))
    if (const json line = parse_json(text); line.is_object()) reader.add(line);
  return std::move(reader).take();
}

}  // namespace

std::size_t RunRecord::count(std::string_view state) const {
  return static_cast<std::size_t>(
      std::count_if(steps.begin(), steps.end(), [&](const StepRecord& step) { return step.state == state; }));
}

Result<History> read_history(const std::filesystem::path& directory,
                             const std::optional<std::string>& topology) {
  History history;
  std::error_code error;
  if (!std::filesystem::exists(directory, error) && !error) return history;
  auto file = std::filesystem::recursive_directory_iterator(directory, error);
  for (; !error && file != std::filesystem::recursive_directory_iterator(); file.increment(error)) {
    if (file->path().extension() != ".jsonl") continue;
    auto run = read_run(file->path());
    if (!run)
      history.unreadable.push_back(file->path());
    else if (!topology || run->topology == *topology)
      history.runs.push_back(std::move(*run));
  }
  if (error)
    return tl::unexpected(
        Error{Trouble::refused,
              fmt::format("can't read the journals in {}: {}", directory.string(), error.message()),
              "name the directory of the journals with --journal DIR",
              0,
              {}});
  std::sort(history.runs.begin(), history.runs.end(), [](const RunRecord& a, const RunRecord& b) {
    return std::tie(a.started, a.journal) > std::tie(b.started, b.journal);
  });
  std::sort(history.unreadable.begin(), history.unreadable.end());
  return history;
}

bool still_runs(const RunRecord& run) {
  return !run.exit_code && run.pid > 0 && (::kill(run.pid, 0) == 0 || errno == EPERM);
}

}  // namespace stemma
