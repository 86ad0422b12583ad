// The options of a sandbox's servers that depend on which server it is, and those that a user adds.
#pragma once

#include <string>
#include <vector>

#include "plans/error.h"
#include "providers/sandbox/server_binary.h"

namespace stemma::sandbox {

using Options = std::vector<std::string>;  // "--name=value", as on a command line

// Where it finds its own files, when it is not where its package puts it.
Options place_options(const ServerBinary&);

// How large the files are that InnoDB makes. A template's servers start with what made it.
Options file_options(const ServerBinary&);

// Buffers for a server with a handful of rows and clients: on a laptop, a dozen of them.
Options small_options(const ServerBinary&);

// "sync_binlog=1", "--sync-binlog=1" and "skip-slave-start" as an option.
// Errors: Trouble::input for what is none, and for an option that the sandbox itself has to choose.
Result<std::string> option_of(const std::string& text);

}  // namespace stemma::sandbox
