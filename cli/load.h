// Topology files, plans and secrets, read for a command; what is wrong with them is printed here.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "cli/console.h"
#include "engine/secrets.h"
#include "plans/plan_file.h"
#include "plans/topology.h"
#include "providers/mysql/connection.h"

namespace stemma::cli {

struct CommonOptions {
  ColorMode color = ColorMode::automatic;
  std::optional<std::chrono::milliseconds> timeout;  // apply: for all of it; others: for one answer
  int verbosity = 0;
};

// The file's text, or nothing after an error was printed. "-" is standard input.
std::optional<std::string> read_file(Console&, const std::string& path);

// Prints warnings, and on failure every diagnostic of the file.
std::optional<Topology> load_topology(Console&, const std::string& path);
std::optional<Topology> parse_topology(Console&, const std::string& text, const std::string& path);

// Secret files count from the directory of `path`.
std::optional<Secrets> load_secrets(Console&, const CommonOptions&, const Topology&, const std::string& path,
                                    bool need_replication);

// Time-outs for commands that only look, and for those that act: a step may take limits.step.
mysql::Timeouts timeouts_for_reading(const CommonOptions&);
mysql::Timeouts timeouts_for_acting(const CommonOptions&, const Topology&);

// Today in UTC, "2026-12-31": what the ends of [[ignore]]s are compared with.
std::string today();

}  // namespace stemma::cli
