#include "cli/load.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <istream>
#include <ostream>

#include "plans/plan_file.h"
#include "plans/topology_file.h"

namespace stemma::cli {

namespace {

// More than any topology or plan: 60,000 servers are 5 MB. Something that never ends is no file.
constexpr std::size_t kLongest = std::size_t{256} << 20U;

std::optional<std::string> read_all(std::istream& in) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (in.read(buffer.data(), buffer.size()) || in.gcount() > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > kLongest) return std::nullopt;
  }
  return text;
}

}  // namespace

std::optional<std::string> read_file(Console& console, const std::string& path) {
  std::error_code error;
  if (path != "-" && std::filesystem::is_directory(path, error)) {
    say_error(console,
              {Trouble::input, fmt::format("{} is a directory, not a topology file", path), {}, 0, {}});
    return std::nullopt;
  }
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  std::istream& in = path == "-" ? console.in : file;
  if (!in) {
    say_error(console,
              {Trouble::input, fmt::format("can't read {}: {}", path, std::strerror(errno)), {}, 0, {}});
    return std::nullopt;
  }
  auto text = read_all(in);
  if (!text) say_error(console, {Trouble::input, fmt::format("{} has no end", path), {}, 0, {}});
  return text;
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

std::optional<Secrets> load_secrets(Console& console, const CommonOptions& common, const Topology& topology,
                                    const std::string& path, bool need_replication) {
  ResolveOptions options;
  options.base = std::filesystem::path(path).parent_path();
  options.need_replication = need_replication;
  if (common.timeout) options.timeout = std::min(options.timeout, *common.timeout);
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
