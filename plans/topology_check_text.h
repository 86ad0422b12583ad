// Checks values that have no parts, and knows the words for what a key expects. Internal to `plans`.
#pragma once

#include <string>
#include <string_view>

#include "plans/topology_diagnostics.h"
#include "plans/topology_keys.h"
#include "plans/topology_node.h"

namespace stemma {

// "a duration", as in "must be …".
std::string_view words_for(const Key& key);
// A value that could stand there, as TOML: "\"10s\"".
std::string example_of(const Key& key);

// "a whole number", as in "…, not a whole number".
std::string_view kind_words(const Node& node);

// `node` is a text: whether it is one that the key can have.
void check_text(const Key& key, const Node& node, Diagnostics& diagnostics);
// `node` is an integer: whether the key allows it.
void check_range(const Key& key, const Node& node, Diagnostics& diagnostics);

// One of `variables`: whether a server can have it, and whether it is for the file to say.
void check_variable(const Entry& variable, Diagnostics& diagnostics);

}  // namespace stemma
