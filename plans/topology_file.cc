#include "plans/topology_file.h"

#include <filesystem>

#include "plans/topology_check.h"
#include "plans/topology_decode.h"
#include "plans/topology_diagnostics.h"
#include "plans/topology_rules.h"
#include "plans/topology_toml.h"

namespace stemma {
namespace {

// The name of a topology that does not say its own.
std::string name_from(const std::string& file) {
  const std::string stem = std::filesystem::path(file).stem().string();
  return stem.empty() || stem == "-" ? "topology" : printable(stem);
}

}  // namespace

tl::expected<TopologyFile, std::vector<Diagnostic>> read_topology(std::string_view text,
                                                                  const std::string& file) {
  SourceText source(text);
  Diagnostics diagnostics(file, source);
  const ParsedToml parsed = parse_toml(source, diagnostics);
  check_values(parsed.root, parsed.damaged, diagnostics);
  DecodedTopology decoded = decode(parsed.root);
  check_rules(parsed, decoded, diagnostics);
  if (diagnostics.failed()) return tl::unexpected(diagnostics.sorted());

  if (decoded.topology.name.empty()) decoded.topology.name = name_from(file);
  decoded.topology.path = file;
  return TopologyFile{std::move(decoded.topology), diagnostics.sorted()};
}

}  // namespace stemma
