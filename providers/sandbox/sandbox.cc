#include "providers/sandbox/sandbox.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <thread>

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

ServerFiles files_of(const fs::path& directory, const ServerName& name) {
  return ServerFiles{directory / as_file_name(name.text)};
}

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

// The declared ids stay; the others get the smallest free ones, in the order of the file. A server that
// runs keeps the id that it runs with.
std::vector<std::uint32_t> choose_server_ids(const Topology& topology, const fs::path& directory) {
  std::vector<std::uint32_t> ids;
  std::set<std::uint32_t> taken;
  constexpr std::string_view option = "--server-id=";
  for (const Server& server : topology.servers) {
    std::uint32_t id = server.server_id.value_or(0);
    if (const auto pid = running(files_of(directory, server.name)); id == 0 && pid)
      for (const std::string& word : command_line(*pid))
        if (word.starts_with(option)) id = static_cast<std::uint32_t>(std::stoul(word.substr(option.size())));
    ids.push_back(id);
    taken.insert(id);
  }
  std::uint32_t next = 1;
  for (std::uint32_t& id : ids) {
    if (id != 0) continue;
    while (taken.contains(next)) ++next;
    id = next++;
  }
  return ids;
}

Result<std::vector<LocalServer>> local_servers(const Topology& topology,
                                               const std::map<ServerName, Secret>& passwords,
                                               const fs::path& directory, const Options& options) {
  std::vector<LocalServer> servers;
  const auto ids = choose_server_ids(topology, directory);
  for (std::size_t i = 0; i < topology.servers.size(); ++i) {
    const Server& wanted = topology.servers[i];
    std::string ip = loopback_ip(wanted.address);
    if (ip.empty()) continue;
    const auto password = passwords.find(wanted.name);
    servers.push_back({.wanted = &wanted,
                       .ip = std::move(ip),
                       .server_id = ids[i],
                       .admin_password = password == passwords.end() ? Secret() : password->second,
                       .files = files_of(directory, wanted.name),
                       .binary = {},
                       .options = options});
  }
  if (servers.empty())
    return tl::unexpected(Error{.trouble = Trouble::input,
                                .message = "no server of the file has a loopback address",
                                .hint = "a sandbox starts servers for addresses like \"127.0.0.1:3306\" only",
                                .number = 0,
                                .code = {}});
  return servers;
}

Result<Options> options_of(const std::vector<std::string>& texts) {
  Options options;
  for (const std::string& text : texts) {
    auto option = option_of(text);
    if (!option) return tl::unexpected(option.error());
    options.push_back(std::move(*option));
  }
  return options;
}

// Each program is looked at once, whoever runs on it.
Result<void> choose_binaries(std::vector<LocalServer>& servers, const SandboxOptions& options) {
  for (const auto& [name, binary] : options.server_binaries)
    if (std::none_of(servers.begin(), servers.end(),
                     [&, wanted = name](const LocalServer& server) { return server.wanted->name == wanted; }))
      return fail(Trouble::input, "the sandbox has no server {} to run on {}", name.text, binary);
  std::map<std::optional<std::string>, ServerBinary> known;
  for (LocalServer& server : servers) {
    const auto own = options.server_binaries.find(server.wanted->name);
    // Data are never given to another program unless somebody says so.
    const auto given = own != options.server_binaries.end() ? own->second
                       : options.server_binary              ? options.server_binary
                                                            : program_of(server.files);
    auto place = known.find(given);
    if (place == known.end()) {
      auto binary = find_server_binary(given);
      if (!binary) return tl::unexpected(binary.error());
      place = known.emplace(given, std::move(*binary)).first;
    }
    server.binary = place->second;
  }
  return {};
}

// What can be known to go wrong before anything is started.
Result<void> check_addresses(const std::vector<LocalServer>& servers) {
  std::map<std::pair<std::string, std::uint16_t>, ServerName> seen;
  for (const LocalServer& server : servers) {
    const Server& wanted = *server.wanted;
    const auto [other, is_new] = seen.try_emplace({server.ip, wanted.address.port}, wanted.name);
    if (!is_new)
      return fail(Trouble::input, "{}: {}:{} is the address of {} already", wanted.name.text, server.ip,
                  wanted.address.port, other->second.text);
    const auto pid = running(server.files);
    if (!pid) {
      if (const auto free = port_is_free(wanted.address); !free)
        return tl::unexpected(free.error().within(wanted.name.text));
    } else if (const std::string option = outdated_option(server, command_line(*pid)); !option.empty()) {
      return tl::unexpected(Error{
          .trouble = Trouble::refused,
          .message =
              fmt::format("{}: it runs already (process {}), but without {}", wanted.name.text, *pid, option),
          .hint = "the file or the options have changed since: run `stemma sandbox down` first",
          .number = 0,
          .code = {}});
    }
  }
  return {};
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
      if (auto ready = make_options_file(server_.files); !ready) return ready;
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
  const auto added = options_of(options.server_options);
  if (!added) return tl::unexpected(added.error());
  auto servers = local_servers(topology, admin_passwords, directory, *added);
  if (!servers) return tl::unexpected(servers.error());
  if (const auto chosen = choose_binaries(*servers, options); !chosen) return tl::unexpected(chosen.error());
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
      outcomes[i] = stop_process(static_cast<pid_t>(server.pid), files.mark(), stop_patience);
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
