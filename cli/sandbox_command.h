// `stemma sandbox up|down|status`: what it does and what it prints.
#pragma once

#include <atomic>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plans/secret.h"
#include "plans/topology.h"

namespace stemma::cli {

enum class SandboxAction { up, down, status };

struct SandboxArguments {
  SandboxAction action = SandboxAction::status;
  std::string file;                          // the topology file, as the user named it
  std::vector<std::string> server_binaries;  // --server-binary: PATH for all, or NAME=PATH for one
  std::vector<std::string> server_options;   // --server-option
  std::optional<std::string> directory;      // --dir
  bool purge = false;                        // down --purge
};

// Returns the exit code. The result goes to `out`, progress and errors to `err`. `admin_passwords` is
// needed for `up` only; a server that is not in it has an empty password. `stop` may come true at any
// time, from a signal handler too.
int run_sandbox(const SandboxArguments&, const Topology&, const std::map<ServerName, Secret>& admin_passwords,
                const std::atomic<bool>& stop, std::ostream& out, std::ostream& err);

}  // namespace stemma::cli
