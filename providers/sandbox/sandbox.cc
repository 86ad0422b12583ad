#include "providers/sandbox/sandbox.h"

#include <mutex>
#include <set>
#include <thread>

#include "providers/sandbox/local_fleet.h"
#include "providers/sandbox/local_server.h"
#include "providers/sandbox/ports.h"
#include "providers/sandbox/process.h"
#include "providers/sandbox/sandbox_directory.h"

namespace stemma::sandbox {
namespace fs = std::filesystem;
namespace {

constexpr std::chrono::seconds stop_patience{30};
// MariaDB loses a SIGTERM that comes while it starts, and then hangs: waiting longer would not help.
constexpr std::chrono::seconds stop_patience_while_starting{3};

SandboxServer elsewhere(const Server& server) {
  SandboxServer report;
  report.name = server.name;
  report.address = server.address;
  report.state = ServerState::elsewhere;
  report.note = "not a loopback address: not started";
  return report;
}

SandboxServer look_at(ServerName name, Address address, const ServerFiles& files) {
  SandboxServer seen;
  seen.name = std::move(name);
  seen.address = std::move(address);
  seen.directory = files.directory;
  seen.log = files.log();
  if (const auto pid = running(files)) {
    seen.state = ServerState::running;
    seen.pid = *pid;
    seen.uptime = uptime(*pid);
  }
  return seen;
}

void in_parallel(std::size_t count, const std::function<void(std::size_t)>& work) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
}

// One `up`, for one server on one thread.
class Start {
 public:
  explicit Start(const LocalServer& server) : server_(server) {
    report_ = look_at(server.wanted->name, server.wanted->address, server.files);
  }

  Result<void> run(const fs::path& made_template, std::chrono::seconds timeout,
                   std::function<bool()> given_up) {
    auto done = start(made_template, timeout, std::move(given_up));
    if (done) {
      report_.state = started_ ? ServerState::started : ServerState::kept;
    } else {
      report_.state = ServerState::failed;
      report_.note = done.error().message;
      if (done.error().hint.empty()) done = with_hint(done.error(), "its log is " + report_.log.string());
    }
    return done;
  }

  // As it was before the call, but for the log of a server that failed by itself.
  void undo(bool keep_log) {
    const bool ready = report_.state == ServerState::started;
    const auto patience = fresh_  ? std::chrono::seconds(0)
                          : ready ? stop_patience
                                  : stop_patience_while_starting;
    if (started_)
      // It could only fail for somebody else's process; this one we started.
      static_cast<void>(stop_process(static_cast<pid_t>(report_.pid), server_.files.mark(), patience));
    if (fresh_) remove_server_files(server_.files, keep_log);
  }

  [[nodiscard]] const SandboxServer& report() const { return report_; }

 private:
  static Result<void> with_hint(Error error, std::string hint) {
    error.hint = std::move(hint);
    return tl::unexpected(std::move(error));
  }

  Result<void> start(const fs::path& made_template, std::chrono::seconds timeout,
                     std::function<bool()> given_up) {
    Waiting waiting{.deadline = std::chrono::steady_clock::now() + timeout,
                    .given_up = std::move(given_up),
                    .child = std::nullopt,
                    .fresh = false};
    std::error_code failed;
    fs::create_directories(server_.files.directory, failed);
    const bool runs = report_.pid != 0;
    if (!runs && !fs::exists(server_.files.data(), failed)) {
      fresh_ = true;
      waiting.fresh = true;
      fs::remove(server_.files.log(), failed);
      if (auto copied = copy_template(made_template, server_.files); !copied) return copied;
    }
    const auto socket = make_socket_path(server_.files);
    if (!socket) return tl::unexpected(socket.error());
    if (!runs) {
      if (auto ready = make_start_files(server_.files); !ready) return ready;
      if (auto noted = remember_program(server_.files, server_.binary); !noted) return noted;
      // A killed MySQL server leaves it, and believes it when its number is another process's by now.
      fs::remove(socket->string() + ".lock", failed);
      const auto child = start_process(start_command(server_, *socket), server_.files.log());
      if (!child) return tl::unexpected(child.error());
      started_ = true;
      report_.pid = *child;
      waiting.child = *child;
    }
    return await_admin_login(server_, *socket, waiting);
  }

  const LocalServer& server_;
  SandboxServer report_;
  bool started_ = false;  // by us: the process is our child
  bool fresh_ = false;    // the data are made by us
};

}  // namespace

fs::path directory_of(const Topology& topology, const SandboxOptions& options) {
  // One spelling for one directory: the processes are told apart by it.
  if (options.directory.empty()) return default_directory(topology);
  // Of a relative path that is not there yet, weakly_canonical() alone would make no absolute one.
  return fs::weakly_canonical(fs::absolute(options.directory));
}

Result<std::vector<SandboxServer>> sandbox_up(const Topology& topology,
                                              const std::map<ServerName, Secret>& admin_passwords,
                                              const SandboxOptions& options, const Progress& progress,
                                              const std::atomic<bool>& stop) {
  const fs::path directory = directory_of(topology, options);
  const auto servers = local_servers(topology, admin_passwords, directory, options);
  if (!servers) return tl::unexpected(servers.error());
  const auto lock = DirectoryLock::take(directory);
  if (!lock) return tl::unexpected(lock.error());
  if (const auto sound = check_addresses(*servers); !sound) {
    lock->remove_if_empty();
    return tl::unexpected(sound.error());
  }
  std::vector<fs::path> templates;
  std::vector<Start> starts;
  for (const LocalServer& server : *servers) {
    const auto made = make_template(server.binary, stop);
    if (!made) {
      lock->remove_if_empty();
      return tl::unexpected(made.error());
    }
    templates.push_back(*made);
    starts.emplace_back(server);
  }
  std::mutex one_at_a_time;
  std::atomic<bool> one_failed{false};
  std::optional<Error> first_failure;
  std::optional<std::size_t> failed_server;
  in_parallel(starts.size(), [&](std::size_t i) {
    const auto done = starts[i].run(templates[i], options.start_timeout, [&] { return stop || one_failed; });
    const std::lock_guard guard(one_at_a_time);
    // The others give up because of the first: that is not a failure of theirs.
    if (!done && first_failure) return;
    if (!done) {
      first_failure = done.error();
      if (first_failure->trouble != Trouble::interrupted) {
        first_failure = first_failure->within(starts[i].report().name.text);
        failed_server = i;
      }
      one_failed = true;
    }
    if (progress && (done || failed_server)) progress(starts[i].report());
  });
  if (first_failure) {
    in_parallel(starts.size(), [&](std::size_t i) { starts[i].undo(failed_server == i); });
    lock->remove_if_empty();
    return tl::unexpected(std::move(*first_failure));
  }

  std::vector<SandboxServer> reports;
  auto start = starts.begin();
  for (const Server& server : topology.servers)
    reports.push_back(loopback_ip(server.address).empty() ? elsewhere(server) : (start++)->report());
  return reports;
}

Result<std::vector<SandboxServer>> sandbox_down(const Topology& topology, const SandboxOptions& options,
                                                bool purge) {
  const fs::path directory = directory_of(topology, options);
  if (!is_sandbox(directory)) return std::vector<SandboxServer>();
  const auto lock = DirectoryLock::take(directory);
  if (!lock) return tl::unexpected(lock.error());

  std::vector<SandboxServer> servers = sandbox_status(topology, options);
  std::vector<Result<void>> outcomes(servers.size());
  in_parallel(servers.size(), [&](std::size_t i) {
    SandboxServer& server = servers[i];
    if (server.state == ServerState::elsewhere) return;
    const ServerFiles files{server.directory};
    if (server.pid != 0) {
      // What would be written in good order at a shutdown, which takes seconds, is thrown away the next moment.
      const auto patience = purge ? std::chrono::seconds(0) : stop_patience;
      outcomes[i] = stop_process(static_cast<pid_t>(server.pid), files.mark(), patience);
      if (!outcomes[i]) return;
      server.note = "was running";
      server.state = ServerState::stopped;
      remove_socket(files);
    }
    if (purge) remove_server_files(files, false);
  });
  for (std::size_t i = 0; i < servers.size(); ++i)
    if (!outcomes[i]) return tl::unexpected(outcomes[i].error().within(servers[i].name.text));
  if (purge) lock->remove_if_empty();
  return servers;
}

std::vector<SandboxServer> sandbox_status(const Topology& topology, const SandboxOptions& options) {
  const fs::path directory = directory_of(topology, options);
  std::vector<SandboxServer> servers;
  std::set<std::string> known;
  for (const Server& server : topology.servers) {
    const ServerFiles files = files_of(directory, server.name);
    if (loopback_ip(server.address).empty()) {
      servers.push_back(elsewhere(server));
    } else {
      servers.push_back(look_at(server.name, server.address, files));
      known.insert(files.directory.filename().string());
    }
  }
  for (const std::string& name : server_directories(directory)) {
    if (known.contains(name)) continue;
    servers.push_back(look_at(ServerName{name}, Address{.host = {}, .port = 0, .socket = {}},
                              ServerFiles{directory / name}));
    servers.back().note = "no longer in the file";
  }
  return servers;
}

}  // namespace stemma::sandbox
