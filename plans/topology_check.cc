#include "plans/topology_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plans/topology_check_text.h"
#include "plans/topology_keys.h"
#include "plans/topology_values.h"

namespace stemma {
namespace {

// The header of a table of that name below `path`: "[server.a]".
std::string header(std::string_view path, std::string_view name) {
  const bool bare = is_server_name(name) && name.find('.') == std::string_view::npos;
  return fmt::format("[{}.{}]", path, bare ? std::string(name) : in_quotes(name));
}

bool is_section(const Node& node) { return node.kind == Node::Kind::table || node.kind == Node::Kind::list; }

// The key that an unknown one is likely meant to be, "" for none. At the top level only sections are.
std::string_view meant_by(const Entry& unknown, Section section) {
  if (section == Section::file && !is_section(unknown.value)) return {};
  return nearest(unknown.key, key_names(section));
}

class Check {
 public:
  Check(bool damaged, Diagnostics& diagnostics) : damaged_(damaged), diagnostics_(diagnostics) {}

  // `where` is the header for messages, "" for the top level.
  void table(const Node& node, Section section, const std::string& where, bool complete) {
    for (const Entry& entry : node.entries) {
      const Key* key = find_key(section, entry.key);
      if (key == nullptr)
        unknown(entry, section, where);
      else
        value(*key, entry, where);
    }
    if (damaged_ || !complete) return;
    for (const Key& key : topology_keys()) {
      if (!key.required || find_key(section, key.name) != &key || node.find(key.name) != nullptr) continue;
      if (stands_misspelt(node, section, key.name)) continue;
      diagnostics_.error(node.span, fmt::format("{} has no '{}'", where, key.name),
                         fmt::format("add a line: {} = {}", key.name, example_of(key)));
    }
  }

 private:
  void wrong_type(const Key& key, const Entry& entry, const std::string& where) {
    std::string help;
    switch (key.type) {
      case KeyType::table:
        help = fmt::format("write a header: [{}]", where.empty() ? key.name : entry.key);
        break;
      case KeyType::tables:
        help = fmt::format("write a header with the name of each: [{}.NAME]", key.name);
        break;
      case KeyType::table_list:
        help = fmt::format("write a header in double brackets for each: [[{}]]", key.name);
        break;
      default: help = fmt::format("write {} = {}", key.name, example_of(key));
    }
    diagnostics_.error(
        entry.value.span,
        fmt::format("'{}' must be {}, not {}", key.name, words_for(key), kind_words(entry.value)), help);
  }

  void unknown(const Entry& entry, Section section, const std::string& where) {
    const std::string what =
        where.empty() && is_section(entry.value)
            ? fmt::format("unknown section [{}]", printable(entry.key).substr(0, 80))
        : where.empty() ? fmt::format("'{}' stands in no section", printable(entry.key).substr(0, 80))
                        : fmt::format("unknown key '{}' in {}", printable(entry.key).substr(0, 80), where);
    const std::string_view near = meant_by(entry, section);
    std::string help;
    if (!near.empty()) {
      help = fmt::format("did you mean '{}'?", near);
    } else if (const std::string_view home = elsewhere(entry.key, section); !home.empty()) {
      help = fmt::format("'{}' belongs into {}", entry.key, home);
    } else if (section == Section::server && entry.value.kind == Node::Kind::table) {
      help = "a dot in the name of a server needs quotes: [server.\"db.1\"]";
    } else {
      for (const std::string_view name : key_names(section))
        help += fmt::format("{}{}", help.empty() ? "possible: " : ", ", name);
    }
    diagnostics_.error(entry.span, what, help);
  }

  // The section that a misplaced key belongs to.
  static std::string_view elsewhere(std::string_view name, Section section) {
    for (const Section other : {Section::topology, Section::server, Section::replication, Section::admin,
                                Section::limits, Section::verify, Section::ignore}) {
      if (other != section && find_key(other, name) != nullptr) return header_of(other);
    }
    return {};
  }

  void value(const Key& key, const Entry& entry, const std::string& where) {
    const Node& node = entry.value;
    if (is_not_yet(key, node.text)) {
      const bool whole = is_not_yet(key, {});
      diagnostics_.error(entry.span,
                         fmt::format("{} is not supported by this version of stemma",
                                     whole ? fmt::format("'{}'", key.name)
                                           : fmt::format("{} = {}", key.name, in_quotes(node.text))),
                         whole ? "take it out" : "take one of " + supported(key));
    }
    switch (key.type) {
      case KeyType::boolean:
        if (node.kind != Node::Kind::boolean) wrong_type(key, entry, where);
        return;
      case KeyType::integer:
        if (node.kind != Node::Kind::integer)
          wrong_type(key, entry, where);
        else
          check_range(key, node, diagnostics_);
        return;
      case KeyType::secret: return secret(key, entry, where);
      case KeyType::texts:
      case KeyType::integers: return list(key, entry, where);
      case KeyType::variables: return variables(key, entry, where);
      case KeyType::table:
        if (node.kind != Node::Kind::table) return wrong_type(key, entry, where);
        return table(node, key.below, path_header(where, entry.key), false);
      case KeyType::tables: return tables(key, entry, where);
      case KeyType::table_list:
        if (node.kind != Node::Kind::list) return wrong_type(key, entry, where);
        for (const Node& item : node.items) {
          if (item.kind == Node::Kind::table)
            table(item, key.below, fmt::format("[[{}]]", key.name), true);
          else
            wrong_type(key, Entry{entry.key, entry.span, item}, where);
        }
        return;
      case KeyType::date:
        if (node.kind == Node::Kind::date) return;  // TOML knows the calendar
        break;
      default: break;
    }
    if (node.kind != Node::Kind::text) return wrong_type(key, entry, where);
    check_text(key, node, diagnostics_);
  }

  static std::string path_header(const std::string& where, std::string_view name) {
    return where.empty() ? fmt::format("[{}]", name)
                         : fmt::format("{}.{}]", where.substr(0, where.size() - 1), name);
  }

  static std::string supported(const Key& key) {
    std::vector<std::string_view> words;
    for (const std::string_view choice : key.choices) {
      if (!is_not_yet(key, choice)) words.push_back(choice);
    }
    return list_in_quotes(words);
  }

  void list(const Key& key, const Entry& entry, const std::string& where) {
    const Node& node = entry.value;
    if (node.kind != Node::Kind::list) return wrong_type(key, entry, where);
    const bool numbers = key.type == KeyType::integers;
    if (node.items.empty() && !numbers) {
      diagnostics_.error(node.span, fmt::format("'{}' is empty", key.name),
                         "write something, or take the line out");
    }
    for (const Node& item : node.items) {
      if (item.kind != (numbers ? Node::Kind::integer : Node::Kind::text)) {
        wrong_type(key, Entry{entry.key, entry.span, item}, where);
      } else if (numbers) {
        check_range(key, item, diagnostics_);
      } else {
        check_text(key, item, diagnostics_);
      }
    }
  }

  // Says nothing of what stands in the value: it may be the secret, put wrongly.
  void secret(const Key& key, const Entry& entry, const std::string& where) {
    const Node& node = entry.value;
    if (node.kind == Node::Kind::text) {
      diagnostics_.warning(
          node.span, fmt::format("'{}' stands in the file for everybody to read", key.name),
          "name where it is kept: { env = \"NAME\" }, { file = \"…\" } or { command = [\"…\"] }");
      return;
    }
    if (node.kind != Node::Kind::table) return wrong_type(key, entry, where);
    constexpr auto kinds = std::to_array<std::string_view>({"env", "file", "command"});
    std::size_t known = 0;
    for (const Entry& part : node.entries) {
      const auto kind = index_in(kinds, part.key);
      if (!kind) {
        const std::string_view near = nearest(part.key, kinds);
        diagnostics_.error(
            part.span, fmt::format("unknown key '{}' in '{}'", printable(part.key).substr(0, 80), key.name),
            near.empty() ? "possible: env, file, command" : fmt::format("did you mean '{}'?", near));
        continue;
      }
      ++known;
      Key as;
      as.name = kinds[*kind];
      as.type = part.key == "command" ? KeyType::texts : KeyType::text;
      value(as, part, where);
    }
    if (known > 1 || node.entries.empty()) {
      diagnostics_.error(node.span,
                         fmt::format("'{}' must name one place where the secret is kept", key.name),
                         "write one of { env = \"NAME\" }, { file = \"…\" }, { command = [\"…\"] }");
    }
  }

  void variables(const Key& key, const Entry& entry, const std::string& where) {
    if (entry.value.kind != Node::Kind::table) return wrong_type(key, entry, where);
    for (const Entry& variable : entry.value.entries) check_variable(variable, diagnostics_);
  }

  void tables(const Key& key, const Entry& entry, const std::string& where) {
    if (entry.value.kind != Node::Kind::table) return wrong_type(key, entry, where);
    const std::string path_end = path_header(where, key.name);
    const std::string path = path_end.substr(1, path_end.size() - 2);
    for (const Entry& one : entry.value.entries) {
      if (one.value.kind != Node::Kind::table) {
        diagnostics_.error(one.span, fmt::format("[{}] needs a name before its keys", path),
                           fmt::format("write [{}.NAME], for example [{}.primary]", path, path));
        return;  // its other keys have the same cause
      }
      const bool of_channel = key.below == Section::channel;
      if (of_channel ? !is_channel_name(one.key) : !is_server_name(one.key)) {
        diagnostics_.error(
            one.span,
            one.key.empty() ? std::string("the name is empty")
                            : fmt::format("{} can't be the name of a {}", in_quotes(one.key), key.name),
            of_channel ? "a name has 1 to 64 small letters, digits, '_' and '-', and does not begin "
                         "with group_replication_"
                       : "a name has 1 to 64 letters, digits, '_', '-' and '.'");
      }
      table(one.value, key.below, header(path, one.key), true);
    }
  }

  bool damaged_;
  Diagnostics& diagnostics_;
};

}  // namespace

bool stands_misspelt(const Node& table, Section section, std::string_view name) {
  return std::any_of(table.entries.begin(), table.entries.end(), [&](const Entry& entry) {
    return find_key(section, entry.key) == nullptr && meant_by(entry, section) == name;
  });
}

void check_values(const Node& root, bool damaged, Diagnostics& diagnostics) {
  Check(damaged, diagnostics).table(root, Section::file, "", false);
}

}  // namespace stemma
