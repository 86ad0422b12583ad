#include "plans/topology_schema.h"

#include <fmt/format.h>

#include <array>
#include <string>

#include "plans/topology_keys.h"

namespace stemma {
namespace {

using nlohmann::json;

constexpr const char* kName = "^[A-Za-z0-9_.-]{1,64}$";                           // is_server_name
constexpr const char* kChannelName = "^(?!group_replication_)[a-z0-9_-]{1,64}$";  // is_channel_name
constexpr const char* kText = "^[^\\u0000-\\u001f\\u007f]+$";

json text(const char* pattern = kText) { return {{"type", "string"}, {"pattern", pattern}}; }
json list_of(json items) { return {{"type", "array"}, {"items", std::move(items)}, {"minItems", 1}}; }

// The name of a section among the definitions.
std::string_view name_of(Section section) {
  switch (section) {
    case Section::topology: return "topology";
    case Section::admin: return "admin";
    case Section::replication: return "replication";
    case Section::server: return "server";
    case Section::channel: return "channel";
    case Section::limits: return "limits";
    case Section::verify: return "verify";
    case Section::ignore: return "ignore";
    case Section::none:
    case Section::file: break;
  }
  return "file";
}

json reference(std::string_view definition) {
  return {{"$ref", fmt::format("#/definitions/{}", definition)}};
}

json secret() {
  const auto only = [](const char* name, json value) {
    return json{{"type", "object"},
                {"properties", {{name, std::move(value)}}},
                {"required", {name}},
                {"additionalProperties", false}};
  };
  json literal = text();
  literal["description"] = "a literal; better is a reference";
  return {
      {"anyOf",
       {std::move(literal), only("env", text()), only("file", text()), only("command", list_of(text()))}}};
}

json choices(const Key& key) {
  json words = json::array();
  for (const std::string_view word : key.choices)
    if (!is_not_yet(key, word)) words.push_back(word);
  return {{"enum", std::move(words)}};
}

json integer(const Key& key) { return {{"type", "integer"}, {"minimum", key.min}, {"maximum", key.max}}; }

json value_of(const Key& key) {
  switch (key.type) {
    case KeyType::text: return text();
    case KeyType::boolean: return {{"type", "boolean"}};
    case KeyType::integer: return integer(key);
    case KeyType::seconds:
    case KeyType::milliseconds: return text("^[0-9]+(ms|s|m|h)$");
    case KeyType::address: return text("^(unix:/.+|[^/]+)$");
    case KeyType::host_address: return text("^[^/]+$");
    case KeyType::server: return text(kName);
    case KeyType::coordinates: return text("^([^:, ]+:[0-9]+|[0-9A-Fa-f:, -]*-[0-9A-Fa-f:, -]*)$");
    case KeyType::date: return {{"type", "string"}, {"format", "date"}};
    case KeyType::choice: return choices(key);
    case KeyType::secret: return secret();
    case KeyType::texts: return list_of(text());
    case KeyType::integers: return list_of(integer(key));
    case KeyType::variables:
      return {{"type", "object"}, {"additionalProperties", {{"type", {"string", "number", "boolean"}}}}};
    case KeyType::table: return reference(name_of(key.below));
    case KeyType::tables:
      return {{"type", "object"},
              {"propertyNames", {{"pattern", key.below == Section::channel ? kChannelName : kName}}},
              {"additionalProperties", reference(name_of(key.below))}};
    case KeyType::table_list: return {{"type", "array"}, {"items", reference(name_of(key.below))}};
  }
  return {};
}

json table_of(Section section) {
  json properties = json::object(), required = json::array();
  for (const Key& key : topology_keys()) {
    if ((key.sections & static_cast<unsigned>(section)) == 0 || key.not_yet == "all") continue;
    json value = value_of(key);
    // Draft 7 ignores what stands beside a reference.
    if (value.contains("$ref")) value = {{"allOf", {std::move(value)}}};
    if (!value.contains("description")) value["description"] = key.doc;
    properties[std::string(key.name)] = std::move(value);
    if (key.required) required.push_back(key.name);
  }
  json table = {{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (!required.empty()) table["required"] = std::move(required);
  return table;
}

}  // namespace

json topology_schema() {
  json schema = table_of(Section::file);
  schema["$schema"] = "http://json-schema.org/draft-07/schema#";
  schema["title"] = "A topology file of stemma";
  schema["required"] = {"server"};
  schema["properties"]["server"]["minProperties"] = 1;
  json& definitions = schema["definitions"];
  for (const Section section : {Section::topology, Section::admin, Section::replication, Section::server,
                                Section::channel, Section::limits, Section::verify, Section::ignore})
    definitions[std::string(name_of(section))] = table_of(section);
  // What holds for all servers names none of them.
  json defaults = definitions["server"];
  defaults.erase("required");
  definitions["defaults"] = std::move(defaults);
  schema["properties"]["defaults"]["allOf"] = json::array({reference("defaults")});
  return schema;
}

}  // namespace stemma
