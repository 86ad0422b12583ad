// Reads a topology file: TOML text in, a Topology or every mistake of the file out.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "plans/error.h"
#include "plans/topology.h"

namespace stemma {

enum class Severity { error, warning, info };

// One mistake in a file, with all that a person needs to mend it.
struct Diagnostic {
  Severity severity = Severity::error;
  std::string file;
  Place place;
  int length = 1;       // of the underlined text, in columns
  std::string message;  // what is wrong
  std::string line;     // the line as it stands in the file; secrets in it as stars
  std::string help;     // what to write instead; may be empty
  bool operator==(const Diagnostic&) const = default;
};

// "file:line:column: error: message", the line, a caret under it, "help: …". No terminal codes, ends with '\n'.
std::string render(const Diagnostic&);

struct TopologyFile {
  Topology topology;
  std::vector<Diagnostic> warnings;  // literal secrets and the like; the file can be used
};

// Never touches anything but its arguments: secrets stay references. On failure: all mistakes, in the
// order of the file.
tl::expected<TopologyFile, std::vector<Diagnostic>> read_topology(std::string_view text,
                                                                  const std::string& file);

// The canonical form: the same keys as the file, defaults merged into the servers, secrets as references
// (a literal secret cannot be expressed: Trouble::input, names its key). Reading it back gives a Topology
// that is equal but for `path` and all places.
Result<nlohmann::json> to_json(const Topology&);
Result<Topology> topology_from_json(const nlohmann::json&);

}  // namespace stemma
