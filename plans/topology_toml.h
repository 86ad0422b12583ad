// TOML text to a tree of nodes. Its source is the only one that knows toml++. Internal to `plans`.
#pragma once

#include "plans/topology_diagnostics.h"
#include "plans/topology_node.h"
#include "plans/topology_source.h"

namespace stemma {

struct ParsedToml {
  Node root;
  // Something could not be read and was left out: what is missing in `root` may well be in the file.
  bool damaged = false;
  bool lost_header = false;  // that something was the header of a table
};

// Reads as much as can be read: the line of a syntax error is left out (what follows a lost header goes
// into a table that is thrown away), up to 20 times. The lines of `text` are changed by it.
ParsedToml parse_toml(SourceText& text, Diagnostics& diagnostics);

}  // namespace stemma
