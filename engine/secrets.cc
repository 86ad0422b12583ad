#include "engine/secrets.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace stemma {
namespace {

constexpr std::size_t kLongest = 64 * 1024;

Secret without_line_end(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return Secret(std::move(text));
}

std::string spoken(std::chrono::milliseconds time) {
  return time.count() % 1000 == 0 ? fmt::format("{} s", time.count() / 1000)
                                  : fmt::format("{} ms", time.count());
}

// Reads until it ends, or until nothing is left to read and `over` says that nothing more comes; false when the time
// is up. No more than a little over kLongest.
bool read_all(int from, std::string& text, std::chrono::steady_clock::time_point deadline,
              const std::function<bool()>& over) {
  constexpr std::chrono::milliseconds slice{50};
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    const bool last = over();
    pollfd waiting{from, POLLIN, 0};
    if (::poll(&waiting, 1, last ? 0 : static_cast<int>(std::min(left, slice).count())) <= 0) {
      if (last) return true;
      continue;
    }
    const ssize_t n = ::read(from, buffer.data(), buffer.size());
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n <= 0) return true;
    text.append(buffer.data(), static_cast<std::size_t>(n));
    if (text.size() > kLongest) return true;
  }
}

Result<Secret> from_file(const FromFile& ref, const ResolveOptions& options,
                         std::vector<std::string>& warnings) {
  const std::filesystem::path path = options.base / ref.path;  // an absolute ref.path replaces the base
  // Not blocking: a pipe whose writer never comes is waited for no longer than anything else.
  const int file = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return fail(Trouble::input, "can't read {}: {}", path.string(), std::strerror(errno));
  struct ::stat about {};
  if (::fstat(file, &about) == 0 && S_ISREG(about.st_mode) && (about.st_mode & (S_IRGRP | S_IROTH)) != 0)
    warnings.push_back(fmt::format("the secret file {} can be read by others: chmod 600 it", path.string()));
  std::string text;
  const bool in_time =
      read_all(file, text, std::chrono::steady_clock::now() + options.timeout, [] { return false; });
  ::close(file);
  if (!in_time)
    return fail(Trouble::input, "{} gave no secret within {}", path.string(), spoken(options.timeout));
  if (text.size() > kLongest) return fail(Trouble::input, "{} is too long for a secret", path.string());
  if (text.empty()) return fail(Trouble::input, "{} is empty or can't be read", path.string());
  return without_line_end(std::move(text));
}

Result<Secret> from_command(const FromCommand& ref, const ResolveOptions& options) {
  const std::string& name = ref.argv.front();
  std::array<int, 2> pipe_ends{};
  if (::pipe2(pipe_ends.data(), O_CLOEXEC) != 0)
    return fail(Trouble::input, "can't run {}: {}", name, std::strerror(errno));
  std::vector<char*> argv;
  for (const std::string& arg : ref.argv) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, name.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe_ends[1]);
  if (error != 0) {
    ::close(pipe_ends[0]);
    return fail(Trouble::input, "can't run {}: {}", name, std::strerror(error));
  }
  // It ends with the command: what that has left running may hold on to its output for ever.
  std::string text;
  int status = 0;
  bool ended = false;
  const auto over = [&] { return ended = ended || ::waitpid(child, &status, WNOHANG) == child; };
  const bool in_time = read_all(pipe_ends[0], text, std::chrono::steady_clock::now() + options.timeout, over);
  ::close(pipe_ends[0]);
  if (!in_time && !ended) ::kill(child, SIGKILL);
  while (!ended && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) return fail(Trouble::input, "{} gave no secret within {}", name, spoken(options.timeout));
  if (text.size() > kLongest) return fail(Trouble::input, "{} printed too much for a secret", name);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return fail(Trouble::input, "{} ended with {} {}", name, WIFEXITED(status) ? "exit code" : "signal",
                WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
  if (text.empty()) return fail(Trouble::input, "{} printed nothing", name);
  return without_line_end(std::move(text));
}

// A replica keeps its channel's password in a file of lines, of at most 96 bytes, in a character set of three bytes
// (MariaDB 10.11: a line end in it breaks the file at the next restart; an emoji is another password).
Result<void> fit_for_channel(const Secret& secret) {
  const std::string& text = secret.reveal();
  constexpr std::size_t longest = 96;
  if (text.size() > longest)
    return fail(Trouble::input, "it is longer than {} bytes, which no channel can take", longest);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F)
      return fail(Trouble::input, "it holds a control character, such as a line end");
    if (byte >= 0xF0)
      return fail(Trouble::input, "it holds a character of four bytes, which no channel can take");
  }
  return {};
}

}  // namespace

Result<Secret> resolve(const SecretRef& ref, const ResolveOptions& options,
                       std::vector<std::string>& warnings) {
  if (const auto* literal = std::get_if<FromLiteral>(&ref)) return literal->value;
  if (const auto* env = std::get_if<FromEnv>(&ref)) {
    const char* value = std::getenv(env->variable.c_str());
    if (value == nullptr)
      return fail(Trouble::input, "the environment variable {} is not set", env->variable);
    if (*value == '\0')
      return fail(Trouble::input, "the environment variable {} is set but empty", env->variable);
    return Secret(value);
  }
  if (const auto* file = std::get_if<FromFile>(&ref)) return from_file(*file, options, warnings);
  return from_command(std::get<FromCommand>(ref), options);
}

Result<ResolvedSecrets> resolve_secrets(const Topology& topology, const ResolveOptions& options) {
  ResolvedSecrets resolved;
  resolved.secrets.base = options.base.string();
  std::vector<std::string> problems;
  std::vector<std::pair<SecretRef, Result<Secret>>>
      known;  // a command is run once, however often it is named
  const auto get = [&](const SecretRef& ref) -> Result<Secret> {
    for (const auto& [seen, value] : known)
      if (seen == ref) return value;
    known.emplace_back(ref, resolve(ref, options, resolved.warnings));
    return known.back().second;
  };
  const auto complain = [&](const std::string& key, const Error& error) {
    std::string problem = fmt::format("{}: {}", key, error.message);
    for (const std::string& said : problems)
      if (said.ends_with(error.message)) return;  // one cause, one line
    problems.push_back(std::move(problem));
  };
  for (const Server& server : topology.servers) {
    if (!server.admin.password) {
      resolved.secrets.admin[server.name] = Secret();
      continue;
    }
    auto secret = get(*server.admin.password);
    if (secret)
      resolved.secrets.admin[server.name] = *secret;
    else
      complain(fmt::format("the admin password of {}", server.name.text), secret.error());
  }
  if (topology.replication && topology.replication->password) {
    auto secret = get(*topology.replication->password);
    if (secret)
      if (auto fit = fit_for_channel(*secret); !fit) secret = tl::unexpected(fit.error());
    if (secret)
      resolved.secrets.replication = *secret;
    else if (options.need_replication)
      complain("the replication password", secret.error());
    else
      resolved.warnings.push_back(
          fmt::format("the replication password: {}; it is not compared", secret.error().message));
  }
  if (!problems.empty()) return fail(Trouble::input, "{}", fmt::join(problems, "\n"));
  return resolved;
}

}  // namespace stemma
