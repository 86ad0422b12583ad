// Past applies, read from their journals: for people and dashboards. Nothing that changes a server looks here.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "plans/error.h"

namespace stemma {

// What became of a step: "done", "failed", "not-tried" and "left" are the words of the journal's last line; "running"
// was begun and never ended, "waiting" never began: the run was cut off, or goes on.
struct StepRecord {
  std::string id, server, summary;
  std::string state = "waiting";
  bool already = false;                           // done, because it was so when its turn came
  std::optional<std::chrono::microseconds> took;  // done and failed steps
  std::string error;                              // of a failed step
};

struct RunRecord {
  std::filesystem::path journal;
  std::string topology;  // its name
  std::string started;   // "2026-12-31T23:59:59.000Z"
  std::string finished;  // "": it was cut off, or goes on
  int pid = 0;
  std::optional<int> exit_code;  // none: as above
  bool interrupted = false;
  std::vector<StepRecord> steps;  // in the plan's order

  [[nodiscard]] std::size_t count(std::string_view state) const;
};

struct History {
  std::vector<RunRecord> runs;                    // the newest first
  std::vector<std::filesystem::path> unreadable;  // files among the journals that are none
};

// The journals below `directory`, of one topology or of all. A last line that was torn by a crash is passed over. No
// directory is an empty history. Fails when the directory can't be read.
Result<History> read_history(const std::filesystem::path& directory,
                             const std::optional<std::string>& topology);

// Whether the process that wrote a journal without an end still runs. An answer for this machine alone.
bool still_runs(const RunRecord&);

}  // namespace stemma
