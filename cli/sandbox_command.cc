#include "cli/sandbox_command.h"

#include <fmt/ostream.h>

#include <algorithm>
#include <chrono>
#include <ostream>

#include "cli/exit_code.h"
#include "providers/sandbox/process.h"
#include "providers/sandbox/sandbox.h"

namespace stemma::cli {
namespace {

using sandbox::SandboxServer;
using sandbox::ServerState;
using Servers = std::vector<SandboxServer>;

constexpr std::size_t log_lines_shown = 8;

std::string word_for(ServerState state) {
  switch (state) {
    case ServerState::started: return "ready";
    case ServerState::kept: return "ready (ran already)";
    case ServerState::running: return "running";
    case ServerState::stopped: return "stopped";
    case ServerState::failed: return "failed";
    case ServerState::elsewhere: return "elsewhere";
  }
  return {};
}

// "12s", "3m 20s", "2h 5m", "4d 1h": two units are enough for an uptime.
std::string in_words(std::chrono::seconds time) {
  const auto s = time.count();
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m {}s", s / 60, s % 60);
  if (s < 86400) return fmt::format("{}h {}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d {}h", s / 86400, s / 3600 % 24);
}

std::size_t name_width(const Topology& topology) {
  std::size_t width = 6;
  for (const Server& server : topology.servers) width = std::max(width, server.name.text.size());
  return width;
}

std::string line_for(const SandboxServer& server, std::size_t width) {
  const bool known = server.address.port != 0 || !server.address.socket.empty();
  std::string line = fmt::format("  {:<{}}  {:<21}  {}", server.name.text, width,
                                 known ? to_text(server.address) : "-", word_for(server.state));
  if (server.pid != 0 && server.state != ServerState::stopped) line += fmt::format("  pid {}", server.pid);
  if (server.state == ServerState::running) line += "  up " + in_words(server.uptime);
  if (!server.note.empty()) line += "  " + server.note;
  return line;
}

std::string count_of(std::size_t count) { return fmt::format("{} server{}", count, count == 1 ? "" : "s"); }

std::size_t how_many(const Servers& servers, ServerState state) {
  return static_cast<std::size_t>(
      std::count_if(servers.begin(), servers.end(), [&](const auto& s) { return s.state == state; }));
}

int report_error(const Error& error, std::ostream& err) {
  if (error.trouble == Trouble::interrupted) {
    fmt::print(err, "interrupted: the servers that this run started are stopped and removed\n");
    return ExitCode::interrupted;
  }
  fmt::print(err, "error: {}\n", error.message);
  if (!error.hint.empty()) fmt::print(err, "  {}\n", error.hint);
  return ExitCode::error;
}

void show_log(const SandboxServer& failed, std::ostream& err) {
  const auto lines = sandbox::last_lines(failed.log, log_lines_shown);
  if (lines.empty()) return;
  fmt::print(err, "the end of {}:\n", failed.log.string());
  for (const std::string& line : lines) fmt::print(err, "  | {}\n", line);
}

int up(const Topology& topology, const std::map<ServerName, Secret>& passwords,
       const sandbox::SandboxOptions& options, const std::atomic<bool>& stop, std::ostream& out,
       std::ostream& err) {
  const std::size_t width = name_width(topology);
  const auto began = std::chrono::steady_clock::now();
  std::optional<SandboxServer> failed;
  const auto progress = [&](const SandboxServer& server) {
    if (server.state == ServerState::failed) {
      failed = server;
      return;
    }
    fmt::print(out, "{}\n", line_for(server, width));
    out.flush();  // one line as each becomes ready, also into a pipe
  };
  const auto servers = sandbox_up(topology, passwords, options, progress, stop);
  if (!servers) {
    const int code = report_error(servers.error(), err);
    if (failed) {
      show_log(*failed, err);
      fmt::print(err, "nothing that this run started is left running\n");
    }
    return code;
  }
  for (const SandboxServer& server : *servers)
    if (server.state == ServerState::elsewhere) fmt::print(out, "{}\n", line_for(server, width));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const std::size_t ready = servers->size() - how_many(*servers, ServerState::elsewhere);
  fmt::print(out, "{} ready in {:.1f} s, data in {}\n", count_of(ready), took.count(),
             sandbox::directory_of(topology, options).string());
  return ExitCode::ok;
}

int down(const Topology& topology, const sandbox::SandboxOptions& options, bool purge, std::ostream& out,
         std::ostream& err) {
  const auto servers = sandbox_down(topology, options, purge);
  if (!servers) return report_error(servers.error(), err);
  const std::string directory = sandbox::directory_of(topology, options).string();
  if (servers->empty()) {
    fmt::print(out, "there is no sandbox in {}\n", directory);
    return ExitCode::ok;
  }
  for (const SandboxServer& server : *servers)
    if (server.state != ServerState::elsewhere)
      fmt::print(out, "{}\n", line_for(server, name_width(topology)));
  fmt::print(out, "all stopped, {}\n", purge ? directory + " removed" : "data kept in " + directory);
  return ExitCode::ok;
}

int status(const Topology& topology, const sandbox::SandboxOptions& options, std::ostream& out) {
  const auto directory = sandbox::directory_of(topology, options);
  std::error_code unreadable;
  if (!std::filesystem::exists(directory, unreadable)) {
    fmt::print(out, "there is no sandbox in {}\n", directory.string());
    return ExitCode::ok;
  }
  const Servers servers = sandbox_status(topology, options);
  for (const SandboxServer& server : servers) fmt::print(out, "{}\n", line_for(server, name_width(topology)));
  fmt::print(out, "{} running, data in {}\n", count_of(how_many(servers, ServerState::running)),
             directory.string());
  return ExitCode::ok;
}

// "PATH" is for all servers, "NAME=PATH" for one. A path may hold a "=" behind its first slash.
void add_binary(const std::string& text, sandbox::SandboxOptions& options) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals > text.find('/'))
    options.server_binary = text;
  else
    options.server_binaries[ServerName{text.substr(0, equals)}] = text.substr(equals + 1);
}

}  // namespace

int run_sandbox(const SandboxArguments& arguments, const Topology& topology,
                const std::map<ServerName, Secret>& admin_passwords, const std::atomic<bool>& stop,
                std::ostream& out, std::ostream& err) {
  sandbox::SandboxOptions options;
  options.directory = arguments.directory.value_or("");
  for (const std::string& binary : arguments.server_binaries) add_binary(binary, options);
  options.server_options = arguments.server_options;
  switch (arguments.action) {
    case SandboxAction::up: return up(topology, admin_passwords, options, stop, out, err);
    case SandboxAction::down: return down(topology, options, arguments.purge, out, err);
    case SandboxAction::status: return status(topology, options, out);
  }
  return ExitCode::error;
}

}  // namespace stemma::cli
