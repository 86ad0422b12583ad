// The servers of a file that a sandbox starts: what each is to be, worked out before any is touched.
#pragma once

#include <filesystem>
#include <map>
#include <vector>

#include "plans/error.h"
#include "plans/secret.h"
#include "plans/topology.h"
#include "providers/sandbox/local_server.h"
#include "providers/sandbox/sandbox.h"

namespace stemma::sandbox {

// Where one server of the sandbox in `directory` keeps its files.
ServerFiles files_of(const std::filesystem::path& directory, const ServerName& name);

// One for each loopback address, in the order of the file, with its id, program and options. They borrow
// from the Topology.
// Errors: Trouble::input when there is none, or an option or a program is no good.
Result<std::vector<LocalServer>> local_servers(const Topology&,
                                               const std::map<ServerName, Secret>& admin_passwords,
                                               const std::filesystem::path& directory, const SandboxOptions&);

// What can be known to go wrong before anything is started: two servers at one address, a port that is
// taken, a server that runs otherwise than is asked for now.
// Errors: Trouble::input, Trouble::refused.
Result<void> check_addresses(const std::vector<LocalServer>&);

}  // namespace stemma::sandbox
