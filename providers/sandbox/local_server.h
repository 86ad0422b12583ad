// One server of a sandbox: how it is started, and how it comes to accept the admin account.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "plans/error.h"
#include "plans/secret.h"
#include "plans/topology.h"
#include "providers/sandbox/data_directory.h"
#include "providers/sandbox/process.h"
#include "providers/sandbox/server_binary.h"
#include "providers/sandbox/server_options.h"

namespace stemma::sandbox {

struct LocalServer {
  const Server* wanted = nullptr;  // borrowed from the Topology
  std::string ip;                  // to bind
  std::uint32_t server_id = 0;     // the file's, or one that no other server of the file has
  Secret admin_password;
  ServerFiles files;
  ServerBinary binary;
  Options options;  // those that the user adds
};

// The server that runs on these data, if one does.
std::optional<pid_t> running(const ServerFiles&);

// The whole command line. No secret is in it.
Command start_command(const LocalServer&, const std::filesystem::path& socket);

// What of the file's or the user's demands the running process was not started with ("--port=3307"); empty if none.
std::string outdated_option(const LocalServer&, const Command& command_line);

struct Waiting {
  std::chrono::steady_clock::time_point deadline;
  std::function<bool()> given_up;  // somebody asked to stop, or another server failed
  std::optional<pid_t> child;      // the server, when we started it; its end is noticed at once
  bool fresh = false;              // no admin account yet: make it before the first try
};

// Returns when the server accepts the file's admin account at the file's address. Where it does not know
// the account or its password, they are made over the unix socket and outside the binlog; a MySQL server
// whose password has changed since it was made lets nobody do that.
// Errors: Trouble::refused (the server ended, or it refuses us), Trouble::late, Trouble::interrupted.
Result<void> await_admin_login(const LocalServer&, const std::filesystem::path& socket, const Waiting&);

}  // namespace stemma::sandbox
