#include "engine/journal.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>
#include <thread>

#include "plans/json_text.h"

namespace stemma {
namespace {

std::string now(const char* format) {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_epoch);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch - seconds).count();
  const std::time_t time = seconds.count();
  std::tm utc{};
  gmtime_r(&time, &utc);
  return fmt::format(fmt::runtime(format), utc, millis);
}
std::string timestamp() { return now("{0:%Y-%m-%dT%H:%M:%S}.{1:03}Z"); }

// A topology's name may hold anything; a file's name may not.
std::string file_name(const std::string& name) {
  std::string safe;
  for (const char c : name)
    safe += std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' ? c : '_';
  return safe.empty() || safe.front() == '.' ? "_" + safe : safe;
}

}  // namespace

std::filesystem::path default_journal_directory() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return std::filesystem::path(state) / "stemma" / "journal";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home != nullptr ? home : "/") / ".local" / "state" / "stemma" / "journal";
}

Result<Journal> Journal::create(const std::filesystem::path& directory, const std::string& topology,
                                const Plan& plan) {
  const auto folder = directory / file_name(topology);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::filesystem::path path;
  int file = -1;
  // A name that is taken: another apply of this process in the same millisecond, or a clock that was set back.
  for (int tries = 0; file < 0 && tries < 1000; ++tries) {
    path = folder / fmt::format("{}-{}.jsonl", now("{0:%Y%m%dT%H%M%S}.{1:03}Z"), ::getpid());
    if (error) break;
    file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 && errno != EEXIST) break;
    if (file < 0) std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  if (file < 0)
    return tl::unexpected(
        Error{Trouble::refused,
              fmt::format("can't write the journal {}: {}", path.string(),
                          error ? error.message() : std::strerror(errno)),
              "nothing was changed; make the directory writable, or name another with --journal DIR",
              0,
              {}});
  Journal journal(file, path);
  nlohmann::json steps = nlohmann::json::array();
  for (const Step& step : plan.steps)
    steps.push_back({{"id", step.id}, {"server", step.server.text}, {"summary", step.summary}});
  const nlohmann::json first = {{"event", "run-started"},
                                {"time", timestamp()},
                                {"topology", topology},
                                {"pid", ::getpid()},
                                {"steps", steps}};
  if (auto written = journal.line(json_text(first)); !written) return tl::unexpected(written.error());
  return journal;
}

Journal::Journal(Journal&& other) noexcept
    : file_(std::exchange(other.file_, -1)), path_(std::move(other.path_)) {}
Journal::~Journal() {
  if (file_ >= 0) ::close(file_);
}

Result<void> Journal::line(const std::string& text) {
  const std::string whole = text + "\n";
  std::size_t written = 0;
  while (written < whole.size()) {
    const ssize_t n = ::write(file_, whole.data() + written, whole.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      return tl::unexpected(
          Error{Trouble::refused,
                fmt::format("can't write the journal {}: {}", path_.string(), std::strerror(errno)),
                "no further step was started; free some space, then apply again",
                0,
                {}});
    written += static_cast<std::size_t>(n);
  }
  return {};
}

Result<void> Journal::sync() {
  if (::fdatasync(file_) == 0) return {};
  return tl::unexpected(
      Error{Trouble::refused,
            fmt::format("can't sync the journal {}: {}", path_.string(), std::strerror(errno)),
            "no further step was started",
            0,
            {}});
}

Result<void> Journal::write(const Event& event, const Plan& plan) {
  nlohmann::json line = {{"time", timestamp()}};
  if (const auto* started = std::get_if<StepStarted>(&event)) {
    line["event"] = "step-started";
    line["step"] = plan.steps[started->step].id;
  } else {
    const StepResult& ended = *std::get<StepFinished>(event).result;
    line["event"] = ended.result ? "step-done" : "step-failed";
    line["step"] = plan.steps[ended.step].id;
    line["ms"] = static_cast<double>(ended.took.count()) / 1000;
    if (ended.result)
      line["effect"] = *ended.result == Effect::made ? "made" : "already";
    else
      line["error"] = ended.result.error().message;
  }
  return this->line(json_text(line));
}

Result<void> Journal::finish(const Outcome& outcome, const Plan& plan, int exit_code) {
  nlohmann::json left = nlohmann::json::object();
  for (StepIndex i = 0; i < plan.steps.size(); ++i)
    if (outcome.states[i] != StepState::done) left[plan.steps[i].id] = to_text(outcome.states[i]);
  const nlohmann::json last = {{"event", "run-finished"},
                               {"time", timestamp()},
                               {"exit", exit_code},
                               {"interrupted", outcome.interrupted},
                               {"not_done", left}};
  if (auto written = line(json_text(last)); !written) return written;
  return sync();
}

}  // namespace stemma
