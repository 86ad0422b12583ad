// The directory of a sandbox as a whole: its mark, its lock, and who lives in it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "plans/error.h"
#include "providers/sandbox/data_directory.h"

namespace stemma::sandbox {

// Holds the one lock of a sandbox directory while it lives, against another sandbox command. The lock
// file is also the mark by which a directory is known to be a sandbox: nothing is ever removed from a
// directory without it.
class DirectoryLock {
 public:
  // Makes the directory (private to this user) and the mark when they are missing.
  // Errors: Trouble::input when it can't be written or holds somebody else's files, Trouble::locked.
  static Result<DirectoryLock> take(const std::filesystem::path& directory);

  DirectoryLock(DirectoryLock&&) noexcept;
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

  // Removes the mark, and the directory if nothing else is left in it.
  void remove_if_empty() const;

 private:
  DirectoryLock(std::filesystem::path directory, int descriptor);
  std::filesystem::path directory_;
  int descriptor_;
};

bool is_sandbox(const std::filesystem::path& directory);

// The names of the directories that hold a server's data, sorted.
std::vector<std::string> server_directories(const std::filesystem::path& directory);

// Removes what the sandbox made for a stopped server, with its log unless `keep_log`, and the directory
// when that leaves it empty.
void remove_server_files(const ServerFiles&, bool keep_log);

}  // namespace stemma::sandbox
