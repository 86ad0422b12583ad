// Turns references into secrets: environment, files, commands. The only place that does.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "plans/fact.h"
#include "plans/topology.h"

namespace stemma {

struct ResolveOptions {
  std::filesystem::path base;                // relative secret files count from here
  std::chrono::milliseconds timeout{30000};  // for each command and each file, which may be a pipe
  bool need_replication = false;             // a missing replication secret is an error, not "unknown"
};

struct ResolvedSecrets {
  Secrets secrets;
  std::vector<std::string> warnings;  // a secret file that others can read, a replication secret not at hand
};

// All secrets of the topology, each reference once. Errors (Trouble::input) name the key, the reference and
// what was wrong with it, never a value; all of them joined, one a line.
Result<ResolvedSecrets> resolve_secrets(const Topology&, const ResolveOptions&);

// One reference. A file's or command's single line end at the end is taken off.
Result<Secret> resolve(const SecretRef&, const ResolveOptions&, std::vector<std::string>& warnings);

}  // namespace stemma
