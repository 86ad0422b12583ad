#include "providers/sandbox/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <deque>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

namespace stemma::sandbox {
namespace fs = std::filesystem;
namespace {

constexpr auto poll_pause = std::chrono::milliseconds(5);
constexpr auto kill_patience = std::chrono::seconds(30);

class FileDescriptor {
 public:
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor() {
    if (number_ >= 0) close(number_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

// What the child gets: input and output, nothing else of ours; default signals, none blocked.
class SpawnSettings {
 public:
  SpawnSettings(const std::string& input, const std::string& log) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input.c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                     0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

// By number: Debian 12's <sys/pidfd.h> can't be used from C++.
int open_process(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

bool send_signal(const FileDescriptor& process, int signal) {
  return syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0) == 0 || errno == ESRCH;
}

// What can be read of it: a process that ends meanwhile has a /proc/PID/cmdline that opens and can't be read, for which
// an iterator over the file would throw.
std::string read_all(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::optional<pid_t> to_pid(std::string_view text) {
  pid_t pid = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (failed != std::errc{} || end == text.data() || pid <= 0) return std::nullopt;
  return pid;
}

bool holds(pid_t pid, const std::string& argument) {
  const Command words = command_line(pid);
  return std::find(words.begin(), words.end(), argument) != words.end();
}

// Whether the process has ended within `patience`. A child of ours must be reaped besides.
bool gone_within(const FileDescriptor& process, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  pollfd waited{process.get(), POLLIN, 0};
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const int ready = poll(&waited, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) return false;
  }
}

}  // namespace

Result<pid_t> start_process(const Command& command, const fs::path& log, const fs::path& input) {
  const SpawnSettings settings(input.string(), log.string());
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t pid = 0;
  const int failure =
      posix_spawn(&pid, words.front(), &settings.actions, &settings.attributes, words.data(), environ);
  if (failure != 0) return fail(Trouble::input, "can't run {}: {}", command.front(), std::strerror(failure));
  return pid;
}

std::optional<std::string> ended(pid_t child) {
  int status = 0;
  const pid_t reaped = waitpid(child, &status, WNOHANG);
  if (reaped == 0) return std::nullopt;
  if (reaped < 0) return "unknown status";
  if (WIFSIGNALED(status)) return fmt::format("signal {}", WTERMSIG(status));
  return fmt::format("exit status {}", WEXITSTATUS(status));
}

Result<void> run_process(const Command& command, const fs::path& log, const std::atomic<bool>& stop,
                         const fs::path& input) {
  const auto child = start_process(command, log, input);
  if (!child) return tl::unexpected(child.error());
  for (;;) {
    if (const auto how = ended(*child)) {
      if (*how == "exit status 0") return {};
      return fail(Trouble::refused, "{} ended with {}", command.front(), *how);
    }
    if (stop) {
      kill(-*child, SIGKILL);  // its session, and so what it started
      waitpid(*child, nullptr, 0);
      return fail(Trouble::interrupted, "interrupted");
    }
    std::this_thread::sleep_for(poll_pause);
  }
}

Result<std::string> output_of(const Command& command) {
  std::string file = (fs::temp_directory_path() / "stemma-output-XXXXXX").string();
  const FileDescriptor descriptor(mkstemp(file.data()));
  if (descriptor.get() < 0) return fail(Trouble::input, "can't write to {}: {}", file, std::strerror(errno));
  const std::atomic<bool> never{false};
  const auto ran = run_process(command, file, never);
  std::string output = read_all(file);
  unlink(file.c_str());
  if (!ran) return tl::unexpected(ran.error());
  return output;
}

Command command_line(pid_t pid) {
  Command words;
  std::istringstream text(read_all(fmt::format("/proc/{}/cmdline", pid)));
  for (std::string word; std::getline(text, word, '\0');) words.push_back(word);
  return words;
}

std::optional<pid_t> find_process(const fs::path& pid_file, const std::string& argument) {
  if (const auto pid = to_pid(read_all(pid_file)); pid && holds(*pid, argument)) return pid;
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator("/proc", unreadable)) {
    const std::string name = entry.path().filename().string();
    const auto pid = to_pid(name);
    if (pid && holds(*pid, argument)) return pid;
  }
  return std::nullopt;
}

Result<void> stop_process(pid_t pid, const std::string& argument, std::chrono::seconds patience) {
  // The descriptor pins the process: from here on the number can't come to mean another one.
  const FileDescriptor process(open_process(pid));
  if (process.get() < 0) return {};
  // A living child of ours needs no proof, and just after its start it has no command line to show.
  const pid_t child = waitpid(pid, nullptr, WNOHANG);
  if (child == pid || (child < 0 && !holds(pid, argument))) return {};
  const auto denied = [&] {
    return fail(Trouble::refused, "can't stop process {}: {}", pid, std::strerror(errno));
  };
  bool gone = false;
  if (patience > std::chrono::seconds(0)) {
    if (!send_signal(process, SIGTERM)) return denied();
    gone = gone_within(process, patience);
  }
  if (!gone) {
    if (!send_signal(process, SIGKILL)) return denied();
    // Only a process that hangs in the kernel takes time now; waiting for ever would not mend it.
    if (!gone_within(process, kill_patience)) return fail(Trouble::late, "process {} does not end", pid);
  }
  waitpid(pid, nullptr, WNOHANG);
  return {};
}

std::chrono::seconds uptime(pid_t pid) {
  double since_boot = 0;
  std::istringstream(read_all("/proc/uptime")) >> since_boot;
  // The second field, the program's name in parentheses, may hold blanks; the start is the 22nd.
  const std::string stat = read_all(fmt::format("/proc/{}/stat", pid));
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(stat.substr(name_end + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i) fields >> field;
  const double started = std::strtod(field.c_str(), nullptr) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return std::chrono::seconds(static_cast<std::int64_t>(std::max(0.0, since_boot - started)));
}

std::vector<std::string> last_lines(const fs::path& file, std::size_t count) {
  std::ifstream text(file);
  std::deque<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    lines.push_back(line);
    if (lines.size() > count) lines.pop_front();
  }
  return {lines.begin(), lines.end()};
}

}  // namespace stemma::sandbox
