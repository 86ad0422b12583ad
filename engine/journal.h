// What an apply did, as JSON lines in a file of its own. A witness, never an input: after a crash the servers
// are observed and planned again. People read it with `stemma log` (history.h).
#pragma once

#include <filesystem>
#include <string>

#include "engine/executor.h"
#include "plans/error.h"
#include "plans/plan.h"

namespace stemma {

class Journal {
 public:
  // Creates DIR/<topology>/<UTC time>-<pid>.jsonl, mode 0600. Fails when it can't be written: then nothing may start.
  static Result<Journal> create(const std::filesystem::path& directory, const std::string& topology,
                                const Plan&);
  Journal(Journal&&) noexcept;
  Journal& operator=(Journal&&) = delete;
  ~Journal();

  Result<void> write(const Event&, const Plan&);
  Result<void> finish(const Outcome&, const Plan&, int exit_code);  // the last line, synced
  Result<void> sync();                                              // on the disk when it returns
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  Journal(int file, std::filesystem::path path) : file_(file), path_(std::move(path)) {}
  Result<void> line(const std::string& text);
  int file_;
  std::filesystem::path path_;
};

// $XDG_STATE_HOME/stemma/journal, or ~/.local/state/stemma/journal.
std::filesystem::path default_journal_directory();

}  // namespace stemma
