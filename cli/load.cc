#include "cli/load.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <ostream>

#include "plans/plan_file.h"
#include "plans/topology_file.h"

namespace stemma::cli {

std::optional<std::string> read_file(Console& console, const std::string& path) {
  std::error_code error;
  if (path != "-" && std::filesystem::is_directory(path, error)) {
    say_error(console,
              {Trouble::input, fmt::format("{} is a directory, not a topology file", path), {}, 0, {}});
    return std::nullopt;
  }
  if (path == "-") return std::string(std::istreambuf_iterator<char>(console.in), {});
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    say_error(console,
              {Trouble::input, fmt::format("can't read {}: {}", path, std::strerror(errno)), {}, 0, {}});
    return std::nullopt;
  }
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::optional<Topology> parse_topology(Console& console, const std::string& text, const std::string& path) {
  auto read = read_topology(text, path);
  if (!read) {
    for (const Diagnostic& diagnostic : read.error()) console.err << render(diagnostic);
    const auto count = read.error().size();
    console.err << fmt::format("{}: {} mistake{}, nothing was done\n", path, count, count == 1 ? "" : "s");
    return std::nullopt;
  }
  for (const Diagnostic& warning : read->warnings) console.err << render(warning);
  return std::move(read->topology);
}

std::optional<Topology> load_topology(Console& console, const std::string& path) {
  const auto text = read_file(console, path);
  if (!text) return std::nullopt;
  if (looks_like_plan(*text)) {
    say_error(console, {Trouble::input,
                        fmt::format("{} is a saved plan, and a topology file is wanted", path),
                        fmt::format("`stemma apply {}` carries a plan out", path),
                        0,
                        {}});
    return std::nullopt;
  }
  return parse_topology(console, *text, path);
}

std::optional<Secrets> load_secrets(Console& console, const Topology& topology, const std::string& path,
                                    bool need_replication) {
  ResolveOptions options;
  options.base = std::filesystem::path(path).parent_path();
  options.need_replication = need_replication;
  auto resolved = resolve_secrets(topology, options);
  if (!resolved) {
    say_error(console, resolved.error());
    return std::nullopt;
  }
  for (const std::string& warning : resolved->warnings) say_warning(console, warning);
  return std::move(resolved->secrets);
}

mysql::Timeouts timeouts_for_reading(const CommonOptions& options) {
  mysql::Timeouts timeouts;
  if (options.timeout) {
    // An apply with a silent server meets it three times: for the lock, at the first look and at the last.
    timeouts.connect = std::min(timeouts.connect, *options.timeout / 3);
    timeouts.read = std::min(timeouts.read, *options.timeout);
  }
  return timeouts;
}

mysql::Timeouts timeouts_for_acting(const CommonOptions& options, const Topology& topology) {
  mysql::Timeouts timeouts = timeouts_for_reading(options);
  // A statement such as STOP SLAVE waits for the transaction at hand: the step's own limit bounds it.
  timeouts.read = std::chrono::duration_cast<std::chrono::milliseconds>(topology.limits.step);
  if (options.timeout) timeouts.read = std::min(timeouts.read, *options.timeout);
  return timeouts;
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  return fmt::format("{:04}-{:02}-{:02}", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday);
}

}  // namespace stemma::cli
