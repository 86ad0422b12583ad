#include "plans/topology_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace stemma {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";
constexpr std::size_t longest_shown = 4096;  // bytes of a line; nobody reads on, and there may be many copies
constexpr int deepest_key = 32;
constexpr std::size_t deepest_value = 64;

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

// The length of the UTF-8 sequence at the front of `text`, 0 if there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xC2 && first < 0xE0   ? 2
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xF0 && first < 0xF5 ? 4
                                                             : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
  }
  const unsigned second = byte(1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool surrogate = first == 0xED && second >= 0xA0;
  const bool beyond = first == 0xF4 && second >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

bool is_bare(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

// Where a closed string or list ends that begins at `at`; npos if there is none.
std::size_t end_of_value(std::string_view line, std::size_t at) {
  if (at >= line.size()) return std::string_view::npos;
  if (line[at] == '[') {
    const std::size_t end = line.find(']', at);
    return end == std::string_view::npos ? end : end + 1;
  }
  if (line[at] != '"' && line[at] != '\'') return std::string_view::npos;
  const std::size_t end = line.find(line[at], at + 1);
  return end == std::string_view::npos ? end : end + 1;
}

// If a whole reference to a secret, as { env = "NAME" }, begins at `at`: where it ends. Else npos.
std::size_t end_of_reference(std::string_view line, std::size_t at) {
  if (at >= line.size() || line[at] != '{') return std::string_view::npos;
  const std::size_t word = skip_blanks(line, at + 1);
  for (const std::string_view known : {"env", "file", "command"}) {
    if (line.substr(word, known.size()) != known) continue;
    const std::size_t sign = skip_blanks(line, word + known.size());
    if (sign >= line.size() || line[sign] != '=') continue;
    const std::size_t value = end_of_value(line, skip_blanks(line, sign + 1));
    if (value == std::string_view::npos) continue;
    const std::size_t end = skip_blanks(line, value);
    if (end < line.size() && line[end] == '}') return end + 1;
  }
  return std::string_view::npos;
}

// Where the value begins whose key, from `at` on, speaks of a secret; npos if no such key follows.
std::size_t secret_value(std::string_view line, std::size_t at) {
  std::string lower(line);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto is_quote = [](char c) { return c == '"' || c == '\''; };
  while (at < lower.size()) {
    std::size_t hit = std::string::npos;
    for (const std::string_view word : {"pass", "pwd", "secret", "token"}) {
      hit = std::min(hit, lower.find(word, at));
    }
    if (hit == std::string::npos) return hit;
    std::size_t end = hit;
    while (end < lower.size() && (is_bare(lower[end]) || is_quote(lower[end]))) ++end;
    const std::size_t next = skip_blanks(lower, end);
    // The first word of a line is a key, even if nobody wrote the sign of equality after it.
    const bool first_word = lower.find_first_of("=:{}[],#(") >= hit;
    end = next;
    while (!first_word && end < lower.size() &&
           (is_bare(lower[end]) || is_blank(lower[end]) || is_quote(lower[end]) || lower[end] == '.')) {
      ++end;
    }
    const bool sign = end < lower.size() && (lower[end] == '=' || lower[end] == ':');
    while (end < lower.size() && (lower[end] == '=' || lower[end] == ':' || is_blank(lower[end]))) ++end;
    if (sign || (first_word && next < lower.size())) return end;
    at = std::max(end, hit + 1);
  }
  return std::string::npos;
}

// Stars from the first value on that is, or may hold, a secret; references to secrets stay.
std::string without_secrets(std::string line) {
  for (std::size_t at = secret_value(line, 0); at < line.size(); at = secret_value(line, at)) {
    const std::size_t end = end_of_reference(line, at);
    if (end == std::string::npos) {
      const int hidden = columns(std::string_view(line).substr(at));
      return line.substr(0, at) + std::string(static_cast<std::size_t>(hidden), '*');
    }
    at = end;
  }
  return line;
}

// Follows strings and brackets over line ends, as far as TOML's grammar of values needs it.
class Lexer {
 public:
  [[nodiscard]] bool in_statement() const { return !open_.empty() || multi_line(); }

  // Returns the column (a byte, from 0) at which the line nests too deeply, npos if nowhere.
  std::size_t line(std::string_view text) {
    const std::size_t first = skip_blanks(text, 0);
    const bool header = !in_statement() && first < text.size() && text[first] == '[';
    int dots = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (quote_ != 0) {
        if (c == '\\' && quote_ == '"')
          ++i;
        else if (text.substr(i, width_) == std::string(width_, quote_)) {
          i += width_ - 1;
          quote_ = 0;
        }
        continue;
      }
      if (c == '#') break;
      if (c == '"' || c == '\'') {
        quote_ = c;
        width_ = text.substr(i, 3) == std::string(3, c) ? 3 : 1;
        i += width_ - 1;
        continue;
      }
      if (c == '.')
        ++dots;
      else if (!is_bare(c) && !is_blank(c))
        dots = 0;
      if (!header && (c == '[' || c == '{')) open_ += c;
      if ((c == ']' || c == '}') && !open_.empty()) open_.pop_back();
      if (dots > deepest_key || open_.size() > deepest_value) return i;
    }
    if (!multi_line()) quote_ = 0;
    // An inline table ends with its line; one that is not closed must not swallow the rest of the file.
    if (!multi_line() && !open_.empty() && open_.back() == '{') open_.clear();
    return std::string_view::npos;
  }

 private:
  [[nodiscard]] bool multi_line() const { return quote_ != 0 && width_ == 3; }

  char quote_ = 0;
  std::size_t width_ = 0;
  std::string open_;  // the brackets that are not closed yet
};

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const bool c1 = length == 2 && text[0] == '\xC2' && static_cast<unsigned char>(text[1]) < 0xA0;
    if (length == 0 || c1 || is_control(text[0]))
      shown += replacement;
    else
      shown += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return shown;
}

int columns(std::string_view text) {
  return static_cast<int>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

SourceText::SourceText(std::string_view text) {
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view one = text.substr(0, end);
    if (end != std::string_view::npos && !one.empty() && one.back() == '\r') one.remove_suffix(1);
    original_.emplace_back(one);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  lines_ = original_;
  scan();
  original_statements_ = statements_;
}

void SourceText::scan() {
  Lexer lexer;
  int begin = 1;
  statements_.clear();
  too_deep_.reset();
  for (int number = 1; number <= size(); ++number) {
    if (!lexer.in_statement()) begin = number;
    statements_.push_back(begin);
    const std::size_t deep = lexer.line(line(number));
    if (deep == std::string_view::npos || too_deep_) continue;
    too_deep_ = Span{{number, columns(line(number).substr(0, deep)) + 1}, 1};
  }
}

std::string SourceText::joined() const {
  std::string text;
  for (const std::string& one : lines_) text.append(one).push_back('\n');
  return text;
}

std::string_view SourceText::line(int number) const {
  return number >= 1 && number <= size() ? std::string_view(lines_[static_cast<std::size_t>(number - 1)])
                                         : std::string_view();
}

int SourceText::statement(int number) const {
  return number >= 1 && number <= size() ? statements_[static_cast<std::size_t>(number - 1)] : number;
}

bool SourceText::begins_statement(int number) const {
  const std::string_view text = line(number);
  std::size_t at = skip_blanks(text, 0);
  if (at == text.size()) return false;
  if (text[at] == '[') {
    if (at + 1 < text.size() && text[at + 1] == '[') ++at;
    at = skip_blanks(text, at + 1);
    const bool word = at < text.size() && std::isalpha(static_cast<unsigned char>(text[at])) != 0;
    return word && text.find(']', at) != std::string_view::npos &&
           text.find(',', at) == std::string_view::npos;
  }
  if (!is_bare(text[at])) return false;
  while (at < text.size() && (is_bare(text[at]) || is_blank(text[at]) || text[at] == '.')) ++at;
  return at < text.size() && text[at] == '=';
}

void SourceText::replace(int number, std::string text) {
  lines_.at(static_cast<std::size_t>(number - 1)) = std::move(text);
  scan();
}

std::optional<SourceText::Obstacle> SourceText::obstacle() const {
  for (int number = 1; number <= size(); ++number) {
    const std::string_view text = line(number);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = sequence_length(text.substr(at));
      if (length == 0 || is_control(text[at])) {
        const auto byte = static_cast<unsigned char>(text[at]);
        const Span span{{number, columns(text.substr(0, at)) + 1}, 1};
        if (length != 0) {
          return Obstacle{span,
                          fmt::format("a control character (0x{:02x}) does not belong in the file", byte),
                          "take it out"};
        }
        return Obstacle{span, fmt::format("the byte 0x{:02x} is not UTF-8", byte), "save the file as UTF-8"};
      }
      at += length;
    }
  }
  if (!too_deep_) return std::nullopt;
  return Obstacle{*too_deep_, "this is nested too deeply to be a topology",
                  "nothing in the file needs more than five levels"};
}

std::string SourceText::presentable(int number) const {
  if (number < 1 || number > size()) return {};
  const auto original = [&](int n) {
    return printable(std::string_view(original_[static_cast<std::size_t>(n - 1)]).substr(0, longest_shown));
  };
  const std::string shown = original(number);
  // A value may go on from the line before, whether TOML allows it there or not.
  int begin = original_statements_[static_cast<std::size_t>(number - 1)];
  if (begin == number && number > 1) {
    const std::string before = original(number - 1);
    const std::size_t last = before.find_last_not_of(" \t");
    if (last != std::string::npos && std::string_view("={[,(").find(before[last]) != std::string_view::npos)
      --begin;
  }
  if (begin != number && without_secrets(original(begin)) != original(begin)) {
    return std::string(static_cast<std::size_t>(columns(shown)), '*');
  }
  return without_secrets(shown);
}

}  // namespace stemma
