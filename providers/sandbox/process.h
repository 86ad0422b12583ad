// Server processes: starting, finding and stopping them. Linux only (/proc, pidfd).
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "plans/error.h"

namespace stemma::sandbox {

using Command = std::vector<std::string>;  // the program's path, then its arguments

// Starts a program in a session of its own, so that a Ctrl-C on our terminal does not reach it, with
// its output appended to `log`, its input from `input` and no other file descriptor of ours. It is our
// child until we end.
// Errors: Trouble::input when it can't be executed.
Result<pid_t> start_process(const Command& command, const std::filesystem::path& log,
                            const std::filesystem::path& input = "/dev/null");

// The exit status, "signal 9" and the like, once `child` has ended; nullopt while it runs. Reaps it.
std::optional<std::string> ended(pid_t child);

// Runs a program to its end. When `stop` comes true it is killed, with all that it started.
// Errors: Trouble::interrupted; Trouble::refused when it does not exit with 0.
Result<void> run_process(const Command& command, const std::filesystem::path& log,
                         const std::atomic<bool>& stop, const std::filesystem::path& input = "/dev/null");

// What a program writes to its standard output, at most a few kilobytes.
Result<std::string> output_of(const Command& command);

// The running process whose command line holds `argument`, a whole word: the one named in the pid file
// when that is right, else the one that a look at all of /proc finds. A pid file may be stale, and its
// number may be another process by now.
std::optional<pid_t> find_process(const std::filesystem::path& pid_file, const std::string& argument);

// The command line as it was given; empty when the process is gone.
Command command_line(pid_t pid);

// Ends a child of ours, or a process whose command line holds `argument`: SIGTERM, and SIGKILL when
// `patience` is over (at once, when it is 0). A process that is gone, or is another one by now, is left
// alone. Returns when it has ended.
// Errors: Trouble::refused when the process may not be signalled, Trouble::late when it does not end.
Result<void> stop_process(pid_t pid, const std::string& argument, std::chrono::seconds patience);

std::chrono::seconds uptime(pid_t pid);

// The last lines of a text file; empty when it can't be read.
std::vector<std::string> last_lines(const std::filesystem::path& file, std::size_t count);

}  // namespace stemma::sandbox
