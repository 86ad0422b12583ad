#include "plans/topology_toml.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <tuple>
#include <variant>

#include "plans/topology_values.h"

namespace stemma {
namespace {

constexpr int most_repairs = 20;
constexpr std::string_view lost_table = "--unreadable-";  // no section has such a name

Span span_of(const toml::source_region& region) {
  const int width = region.begin.line == region.end.line
                        ? static_cast<int>(region.end.column) - static_cast<int>(region.begin.column)
                        : 1;
  return {{static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)}, std::max(1, width)};
}

std::string name_of(toml::node_type type) {
  switch (type) {
    case toml::node_type::time: return "a time";
    case toml::node_type::date_time: return "a date with a time";
    default: return "nothing";
  }
}

Node node_of(const toml::node& from) {
  Node node;
  node.span = span_of(from.source());
  if (const auto* table = from.as_table()) {
    for (const auto& [key, value] : *table) {
      if (key.str().substr(0, lost_table.size()) == lost_table) continue;
      node.entries.push_back({std::string(key.str()), span_of(key.source()), node_of(value)});
    }
    // toml++ sorts by name; people expect the order that they wrote.
    std::stable_sort(node.entries.begin(), node.entries.end(), [](const Entry& a, const Entry& b) {
      return std::tie(a.span.place.line, a.span.place.column) <
             std::tie(b.span.place.line, b.span.place.column);
    });
  } else if (const auto* list = from.as_array()) {
    node.kind = Node::Kind::list;
    for (const auto& item : *list) node.items.push_back(node_of(item));
  } else if (const auto* text = from.as_string()) {
    node.kind = Node::Kind::text;
    node.text = text->get();
  } else if (const auto* integer = from.as_integer()) {
    node.kind = Node::Kind::integer;
    node.integer = integer->get();
  } else if (const auto* number = from.as_floating_point()) {
    node.kind = Node::Kind::number;
    node.number = number->get();
  } else if (const auto* boolean = from.as_boolean()) {
    node.kind = Node::Kind::boolean;
    node.boolean = boolean->get();
  } else if (const auto* date = from.as_date()) {
    node.kind = Node::Kind::date;
    node.text = fmt::format("{:04}-{:02}-{:02}", date->get().year, date->get().month, date->get().day);
  } else {
    node.kind = Node::Kind::other;
    node.text = name_of(from.type());
  }
  return node;
}

struct SyntaxError {
  Place place;
  std::string text;  // as toml++ says it
};

std::variant<Node, SyntaxError> parse(const std::string& text) {
  try {
    return node_of(toml::parse(text));
  } catch (const toml::parse_error& error) {
    const Span span = span_of(error.source());
    return SyntaxError{span.place, std::string(error.description())};
  } catch (const std::exception& error) {
    return SyntaxError{{0, 0}, error.what()};
  }
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// The byte offset of a column of a line.
std::size_t offset_of(std::string_view line, int column) {
  std::size_t at = 0;
  for (int now = 1; at < line.size(); ++at) {
    if ((static_cast<unsigned char>(line[at]) & 0xC0U) == 0x80) continue;
    if (now++ == column) break;
  }
  return at;
}

// Whether `line`, up to `at`, has an open string.
bool in_string(std::string_view line, std::size_t at) {
  char quote = 0;
  for (std::size_t i = 0; i < std::min(at, line.size()); ++i) {
    if (quote == 0 && line[i] == '#') return false;
    if (quote == '"' && line[i] == '\\')
      ++i;
    else if (quote == 0 && (line[i] == '"' || line[i] == '\''))
      quote = line[i];
    else if (quote == line[i])
      quote = 0;
  }
  return quote != 0;
}

struct Explanation {
  Span span;
  std::string message, help;
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

// A value without quotes is the mistake that people make most: `address = 127.0.0.1:3306`, `lag = 10s`.
std::optional<Explanation> bare_value(std::string_view line, int number, std::size_t at) {
  const std::size_t sign = line.substr(0, std::min(at + 1, line.size())).rfind('=');
  if (sign == std::string_view::npos || in_string(line, sign)) return std::nullopt;
  const std::size_t begin = line.find_first_not_of(" \t", sign + 1);
  if (begin == std::string_view::npos ||
      std::string_view("\"'[{=#,}]").find(line[begin]) != std::string_view::npos) {
    return std::nullopt;
  }
  const std::size_t end = line.find_first_of("#,}]\"'={", begin);
  const std::string_view value =
      trimmed(line.substr(begin, end == std::string_view::npos ? end : end - begin));
  // `a = 1 b = 2` is two statements on a line, no value.
  if (value.find_first_of(" \t") != std::string_view::npos || at > begin + value.size()) return std::nullopt;
  std::string lower(value);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool boolean = lower == "true" || lower == "false";
  return Explanation{
      {{number, columns(line.substr(0, begin)) + 1}, columns(value)},
      "this value is neither a number nor true or false",
      boolean ? "write it small: " + lower : fmt::format("text stands in quotes: {}", in_quotes(value))};
}

Explanation twice(const SourceText& text, const SyntaxError& error) {
  const std::string_view line = text.line(error.place.line);
  const std::size_t open = error.text.find('\''), close = error.text.rfind('\'');
  // "… existing table 'server.a'" or "… array 'i' as table": the first pair of quotes holds the name.
  const std::size_t end = error.text.find('\'', open + 1);
  const std::string name = open < close ? error.text.substr(open + 1, end - open - 1) : std::string();
  if (trimmed(line).substr(0, 1) == "[") {
    const std::size_t begin = line.find('[');
    const Span span{{error.place.line, columns(line.substr(0, begin)) + 1},
                    columns(trimmed(line.substr(begin)))};
    if (name.find("ignore") == 0)
      return {span, "[[ignore]] stands here with other brackets than before", "write [[ignore]] each time"};
    return {span, fmt::format("[{}] stands in the file twice", name),
            name.substr(0, 7) == "server." ? "give this server another name, or move its keys to the first"
                                           : "move its keys to the first"};
  }
  const std::string last = name.substr(name.rfind('.') + 1);
  const std::size_t at = line.substr(0, offset_of(line, error.place.column)).rfind(last);
  const Place place = at == std::string_view::npos || last.empty()
                          ? error.place
                          : Place{error.place.line, columns(line.substr(0, at)) + 1};
  return {{place, columns(last)},
          fmt::format("the key '{}' stands in this table twice", name),
          "keep one of the two"};
}

Explanation explain(const SourceText& text, const SyntaxError& error) {
  const std::string_view line = text.line(error.place.line);
  const int begin = text.statement(error.place.line);
  if (error.text.find("cannot redefine") != std::string::npos) return twice(text, error);
  if (begin != error.place.line &&
      (text.begins_statement(error.place.line) || error.text.find("end-of-file") != std::string::npos)) {
    const std::string_view first = text.line(begin);
    const std::size_t key = std::min(first.find_first_not_of(" \t"), first.size());
    return {{{begin, columns(first.substr(0, key)) + 1}, columns(trimmed(first))},
            "the value that begins here is not closed",
            "end a list with ']', a string of several lines with three quotes"};
  }
  // toml++ may point behind the end of the line.
  const Place place{error.place.line, std::min(error.place.column, columns(line) + 1)};
  const std::size_t at = offset_of(line, place.column);
  if (at >= line.size() && in_string(line, line.size())) {
    return {{place, 1}, "this string is not closed", "end it with the quote that it began with"};
  }
  if (auto bare = bare_value(line, place.line, at)) {
    // The help must not repeat what may be a password.
    if (text.presentable(place.line) != printable(line)) bare->help = "text stands in quotes";
    return *bare;
  }
  std::string message = replaced(error.text, "Error while parsing ", "");
  message =
      replaced(replaced(std::move(message), "saw '\\n'", "saw the end of the line"), "key-value pair: ", "");
  return {{place, 1}, "this is not TOML: " + message, ""};
}

// Takes out the statement of an error, and the lines after it that go on with it.
bool blank(SourceText& text, int line, int repair) {
  const int begin = text.statement(line);
  const std::string_view first = trimmed(text.line(begin));
  const bool header = first.substr(0, 1) == "[";
  int end = begin + 1;
  if (begin != line || text.statement(begin + 1) == begin) {
    while (end <= text.size() && !text.begins_statement(end)) ++end;
  }
  text.replace(begin, header ? fmt::format("[{}{}]", lost_table, repair) : std::string());
  for (int number = begin + 1; number < end; ++number) text.replace(number, {});
  return header;
}

}  // namespace

ParsedToml parse_toml(SourceText& text, Diagnostics& diagnostics) {
  ParsedToml parsed;
  Place last;
  for (int repair = 0; repair < most_repairs; ++repair) {
    if (const auto obstacle = text.obstacle()) {
      diagnostics.error(obstacle->span, obstacle->message, obstacle->help);
      parsed.damaged = true;
      const int line = obstacle->span.place.line;
      const bool header = trimmed(text.line(line)).substr(0, 1) == "[";
      parsed.lost_header = parsed.lost_header || header;
      text.replace(line, header ? fmt::format("[{}{}]", lost_table, repair) : std::string());
      continue;
    }
    auto result = parse(text.joined());
    if (auto* root = std::get_if<Node>(&result)) {
      parsed.root = std::move(*root);
      return parsed;
    }
    const SyntaxError error = std::get<SyntaxError>(result);
    const Explanation why = explain(text, error);
    diagnostics.error(why.span, why.message, why.help);
    parsed.damaged = true;
    const bool advanced = std::tie(error.place.line, error.place.column) > std::tie(last.line, last.column);
    last = error.place;
    if (!advanced) break;
    parsed.lost_header = blank(text, error.place.line, repair) || parsed.lost_header;
  }
  // What is there cannot be told; an empty tree says nothing about it.
  parsed.damaged = parsed.lost_header = true;
  return parsed;
}

}  // namespace stemma
