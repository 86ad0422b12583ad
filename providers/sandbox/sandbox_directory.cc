#include "providers/sandbox/sandbox_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace stemma::sandbox {
namespace fs = std::filesystem;
namespace {

constexpr const char* mark_name = ".stemma-sandbox";

tl::unexpected<Error> unusable(const fs::path& directory, const std::string& why) {
  return tl::unexpected(Error{.trouble = Trouble::input,
                              .message = fmt::format("can't use {}: {}", directory.string(), why),
                              .hint = "name another place for the sandbox with --dir",
                              .number = 0,
                              .code = {}});
}

}  // namespace

DirectoryLock::DirectoryLock(fs::path directory, int descriptor)
    : directory_(std::move(directory)), descriptor_(descriptor) {}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept
    : directory_(std::move(other.directory_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

DirectoryLock::~DirectoryLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

Result<DirectoryLock> DirectoryLock::take(const fs::path& directory) {
  std::error_code failed;
  const bool made = fs::create_directories(directory, failed);
  if (failed) return unusable(directory, failed.message());
  if (made) fs::permissions(directory, fs::perms::owner_all, failed);
  if (!made && !is_sandbox(directory) && !fs::is_empty(directory, failed))
    return unusable(directory, "it holds files that are not a sandbox's");

  const int descriptor = open((directory / mark_name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return unusable(directory, std::strerror(errno));
  DirectoryLock lock(directory, descriptor);
  struct stat file {};
  const bool taken = flock(descriptor, LOCK_EX | LOCK_NB) == 0;
  // Without a link it was removed by a purge just before we got it.
  if (!taken || fstat(descriptor, &file) != 0 || file.st_nlink == 0)
    return fail(Trouble::locked, "another sandbox command is at work in {}", directory.string());
  return lock;
}

void DirectoryLock::remove_if_empty() const {
  std::error_code ignored;
  const auto entries = std::distance(fs::directory_iterator(directory_, ignored), fs::directory_iterator());
  if (entries != 1) return;
  fs::remove(directory_ / mark_name, ignored);
  fs::remove(directory_, ignored);
}

bool is_sandbox(const fs::path& directory) {
  std::error_code none;
  return fs::is_regular_file(directory / mark_name, none);
}

std::vector<std::string> server_directories(const fs::path& directory) {
  std::vector<std::string> names;
  if (!is_sandbox(directory)) return names;
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator(directory, unreadable))
    if (fs::is_directory(entry.path(), unreadable)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

void remove_server_files(const ServerFiles& files, bool keep_log) {
  std::error_code ignored;
  remove_socket(files);
  fs::remove(files.pid_file(), ignored);
  fs::remove(files.options_file(), ignored);
  fs::remove(files.program_file(), ignored);
  fs::remove_all(files.data(), ignored);
  fs::remove_all(files.tmp(), ignored);
  if (!keep_log) fs::remove(files.log(), ignored);
  // What an `up` that was killed had not yet renamed.
  for (const auto& entry : fs::directory_iterator(files.directory, ignored))
    if (entry.path().filename().string().starts_with("data.tmp-")) fs::remove_all(entry.path(), ignored);
  fs::remove(files.directory, ignored);  // only when empty
}

}  // namespace stemma::sandbox
