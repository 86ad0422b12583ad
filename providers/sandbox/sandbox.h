// Real servers on this machine for the loopback addresses of a topology file.
//
// A sandbox is a directory with one directory for each server. What runs is read from the processes
// themselves, never from a record: a killed `up` leaves nothing that `down` would not find.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plans/error.h"
#include "plans/secret.h"
#include "plans/topology.h"

namespace stemma::sandbox {

struct SandboxOptions {
  std::filesystem::path directory;                    // empty: default_directory() of the topology
  std::optional<std::string> server_binary;           // as find_server_binary() takes it; none: from PATH
  std::map<ServerName, std::string> server_binaries;  // for single servers: another one
  std::vector<std::string> server_options;            // added to each command line, as "sync_binlog=1"
  std::chrono::seconds start_timeout{60};
};

enum class ServerState {
  started,    // by this call; it accepts the admin account
  kept,       // ran before this call, and accepts the admin account
  running,    // it runs; whether it accepts anybody was not asked
  stopped,    // it does not run
  failed,     // this call could not start it; the note says why
  elsewhere,  // its address is not a loopback TCP address: not ours to start
};

struct SandboxServer {
  ServerName name;
  Address address;  // default for one that the file no longer knows
  ServerState state = ServerState::stopped;
  int pid = 0;  // 0: none
  std::chrono::seconds uptime{0};
  std::filesystem::path directory;  // of this server; empty for one elsewhere
  std::filesystem::path log;        // of this server; empty for one elsewhere
  std::string note;                 // for people; may be empty
};

// Where the sandbox of these two lives.
std::filesystem::path directory_of(const Topology&, const SandboxOptions&);

// Told of each server as soon as it is ready or has failed. Called from several threads, but never
// from two at once.
using Progress = std::function<void(const SandboxServer&)>;

// Starts, side by side, each server that does not run yet, gives it the file's admin account (the
// password from `admin_passwords`, empty when it is not in there), and returns when every one accepts a
// login with it. The account is made outside the binlog: a new server has no GTID and an empty binlog.
// All or nothing: on an error, or when `stop` comes true, the servers that this call started are
// stopped and the data it made are removed; the log of a server that failed is kept.
// Errors: Trouble::input, Trouble::refused (a port is taken, a server did not start), Trouble::late,
// Trouble::locked (another sandbox command is at work), Trouble::interrupted.
Result<std::vector<SandboxServer>> sandbox_up(const Topology&,
                                              const std::map<ServerName, Secret>& admin_passwords,
                                              const SandboxOptions&, const Progress&,
                                              const std::atomic<bool>& stop);

// Stops all servers of the sandbox, also those that the file no longer knows; with `purge` it kills them
// and removes their data. A sandbox that is not there is fine: an empty result.
// Errors: Trouble::refused, Trouble::locked.
Result<std::vector<SandboxServer>> sandbox_down(const Topology&, const SandboxOptions&, bool purge);

// Reads only. Servers in the order of the file, then those that the file no longer knows.
std::vector<SandboxServer> sandbox_status(const Topology&, const SandboxOptions&);

}  // namespace stemma::sandbox
