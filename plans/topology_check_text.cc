#include "plans/topology_check_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "plans/topology_values.h"

namespace stemma {
namespace {

// The words for a kind of value, as in "must be …", and one to write instead.
struct Expected {
  std::string_view words, example;
};

Expected expected(const Key& key) {
  switch (key.type) {
    case KeyType::text: return {"a text", "\"…\""};
    case KeyType::boolean: return {"true or false", "true"};
    case KeyType::integer: return {"a whole number", "1"};
    case KeyType::seconds: return {"a duration", "\"10s\""};
    case KeyType::milliseconds: return {"a duration", "\"500ms\""};
    case KeyType::address: return {"an address", "\"127.0.0.1:3306\""};
    case KeyType::host_address: return {"an address", "\"db1.example.org:3306\""};
    case KeyType::server: return {"the name of a server", "\"primary\""};
    case KeyType::coordinates: return {"a file and position, or a GTID set", "\"mysql-bin.000001:4\""};
    case KeyType::date: return {"a date", "2026-12-31"};
    case KeyType::choice: return {"a text", ""};
    case KeyType::secret: return {"a reference to a secret", "{ env = \"NAME\" }"};
    case KeyType::texts: return {"a list of texts", "[\"…\", \"…\"]"};
    case KeyType::integers: return {"a list of whole numbers", "[1, 2]"};
    case KeyType::variables: return {"a table of variables", "{ sync_binlog = 1 }"};
    case KeyType::table: return {"a table", ""};
    case KeyType::tables: return {"tables with a name each", ""};
    case KeyType::table_list: return {"a list of tables", ""};
  }
  return {};
}

void bad(const Key& key, const Node& node, Diagnostics& diagnostics, std::string_view problem) {
  diagnostics.error(node.span, fmt::format("'{}' can't be {}: {}", key.name, in_quotes(node.text), problem),
                    fmt::format("write, for example, {} = {}", key.name, example_of(key)));
}

void check_choice(const Key& key, const Node& node, Diagnostics& diagnostics) {
  if (index_in(key.choices, node.text)) return;
  std::vector<std::string_view> listed(key.choices.begin(), key.choices.end());
  const std::string_view near = nearest(node.text, listed);
  // Of a long list, those that begin with the same word.
  if (listed.size() > 8) {
    const std::string family = node.text.substr(0, node.text.find('.')) + ".";
    std::erase_if(listed, [&](std::string_view one) { return one.substr(0, family.size()) != family; });
    if (listed.empty()) listed.assign(key.choices.begin(), key.choices.end());
  }
  std::string help = near.empty() ? std::string() : fmt::format("did you mean {}?", in_quotes(near));
  if (near.empty() || key.choices.size() <= 8) {
    help += fmt::format("{}possible: {}", help.empty() ? "" : " ", list_in_quotes(listed));
  }
  diagnostics.error(node.span, fmt::format("'{}' can't be {}", key.name, in_quotes(node.text)), help);
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Setting one of these by hand loses or doubles transactions.
bool governed_by_stemma(std::string_view name) {
  static constexpr std::array<std::string_view, 10> names = {"gtid_slave_pos",
                                                             "gtid_binlog_state",
                                                             "gtid_binlog_pos",
                                                             "gtid_purged",
                                                             "gtid_executed",
                                                             "gtid_next",
                                                             "sql_log_bin",
                                                             "skip_replication",
                                                             "sql_slave_skip_counter",
                                                             "default_master_connection"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::string_view words_for(const Key& key) { return expected(key).words; }

std::string example_of(const Key& key) {
  return key.choices.empty() ? std::string(expected(key).example) : in_quotes(key.choices.front());
}

void check_text(const Key& key, const Node& node, Diagnostics& diagnostics) {
  switch (key.type) {
    case KeyType::seconds:
    case KeyType::milliseconds: {
      const auto duration = parse_duration(node.text);
      if (!duration) return bad(key, node, diagnostics, duration.error());
      const std::int64_t unit = key.type == KeyType::seconds ? 1000 : 1;
      if (duration->count() % unit != 0) return bad(key, node, diagnostics, "it counts in whole seconds");
      if (const auto count = duration->count() / unit; count < key.min || count > key.max) {
        bad(key, node, diagnostics,
            fmt::format(
                "it must be at {} {}", count < key.min ? "least" : "most",
                duration_text(std::chrono::milliseconds((count < key.min ? key.min : key.max) * unit))));
      }
      return;
    }
    case KeyType::address:
    case KeyType::host_address: {
      const auto address = parse_address(node.text);
      if (!address) return bad(key, node, diagnostics, address.error());
      if (key.type == KeyType::host_address && !address->socket.empty()) {
        bad(key, node, diagnostics, "other machines can't reach a socket");
      }
      return;
    }
    case KeyType::date:
      if (const auto date = parse_date(node.text); !date) bad(key, node, diagnostics, date.error());
      return;
    case KeyType::coordinates:
      if (!is_coordinates(node.text)) bad(key, node, diagnostics, "this is neither FILE:POS nor a GTID set");
      return;
    case KeyType::choice: return check_choice(key, node, diagnostics);
    default: break;
  }
  if (node.text.empty()) {
    diagnostics.error(node.span, fmt::format("'{}' is empty", key.name),
                      "write something, or take the line out");
  } else if (has_control_characters(node.text)) {
    diagnostics.error(node.span, fmt::format("'{}' has a control character", key.name), "take it out");
  }
}

void check_range(const Key& key, const Node& node, Diagnostics& diagnostics) {
  if (node.integer >= key.min && node.integer <= key.max) return;
  diagnostics.error(node.span, fmt::format("'{}' can't be {}", key.name, node.integer),
                    fmt::format("write a number from {} to {}", key.min, key.max));
}

std::string_view kind_words(const Node& node) {
  switch (node.kind) {
    case Node::Kind::text: return "a text";
    case Node::Kind::integer: return "a whole number";
    case Node::Kind::number: return "a number with a fraction";
    case Node::Kind::boolean: return "true or false";
    case Node::Kind::date: return "a date";
    case Node::Kind::list: return "a list";
    case Node::Kind::table: return "a table";
    case Node::Kind::other: break;
  }
  return node.text;
}

void check_variable(const Entry& variable, Diagnostics& diagnostics) {
  const std::string name = lower_case(variable.key);
  const Node& node = variable.value;
  const bool spelled = !name.empty() && name.find_first_not_of(
                                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789_") == std::string::npos;
  if (!spelled) {
    diagnostics.error(variable.span, fmt::format("{} is no name of a variable", in_quotes(name)),
                      "letters, digits and '_', as in sync_binlog");
  } else if (name == "read_only" || name == "super_read_only" || name == "server_id") {
    diagnostics.error(variable.span,
                      fmt::format("'{}' is a key of the server, not one of its variables", name),
                      fmt::format("move it up: {} = … below [server.NAME]", name));
  } else if (governed_by_stemma(name)) {
    diagnostics.error(variable.span,
                      fmt::format("'{}' says where a replica stands, which stemma decides itself", name),
                      "take this line out");
  } else if (node.kind == Node::Kind::number && !std::isfinite(node.number)) {
    diagnostics.error(node.span, fmt::format("'{}' must be a finite number", name));
  } else if (node.kind == Node::Kind::list || node.kind == Node::Kind::table ||
             node.kind == Node::Kind::date || node.kind == Node::Kind::other) {
    diagnostics.error(
        node.span,
        fmt::format("'{}' must be a text, a number, true or false, not {}", name, kind_words(node)),
        "put the value in quotes");
  } else if (node.kind == Node::Kind::text && has_control_characters(node.text)) {
    diagnostics.error(node.span, fmt::format("'{}' has a control character", name), "take it out");
  }
}

}  // namespace stemma
