#include "plans/json_text.h"

namespace stemma {

nlohmann::json parse_json(std::string_view text) {
  using nlohmann::json;
  constexpr int deepest = 64;
  bool too_deep = false;
  json value = json::parse(
      text,
      [&](int depth, json::parse_event_t, json&) {
        if (depth > deepest) too_deep = true;
        return depth <= deepest;
      },
      false);
  return too_deep ? json(json::value_t::discarded) : value;
}

std::string json_text(const nlohmann::json& value, int indent) {
  return value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace stemma
