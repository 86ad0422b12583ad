// JSON to text and back, for text that nobody vouches for. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace stemma {

// A discarded value for what is no JSON, or nested deeper than anything of ours: printing and copying a value goes down
// its levels by recursion, and a file of nothing but brackets would end the program.
nlohmann::json parse_json(std::string_view);

// On one line, or indented. Never throws: what a server said may hold bytes that are no UTF-8; each becomes U+FFFD.
std::string json_text(const nlohmann::json&, int indent = -1);

}  // namespace stemma
