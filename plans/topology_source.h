// The text of a topology file in lines, and what can be told of it without parsing. Internal to `plans`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plans/topology_node.h"

namespace stemma {

class SourceText {
 public:
  SourceText() = default;
  // Takes off a byte order mark and the carriage returns at line ends.
  explicit SourceText(std::string_view text);

  // The lines as they now are, after those that could not be read were blanked.
  [[nodiscard]] std::string joined() const;
  [[nodiscard]] int size() const { return static_cast<int>(lines_.size()); }
  // Lines count from 1; "" for a line that is not there.
  [[nodiscard]] std::string_view line(int number) const;
  // The line on which the statement begins that `number` belongs to; more than one line only for
  // multi-line strings and lists, closed or not.
  [[nodiscard]] int statement(int number) const;
  // True when the line reads like `key = …` or `[header]`, whatever is around it.
  [[nodiscard]] bool begins_statement(int number) const;

  // Puts something else in the place of a line that the parser shall not see.
  void replace(int number, std::string text);

  // The first place that the parser must not be given: a byte that is no text, or nesting so deep that
  // recursion over it could overflow the stack.
  struct Obstacle {
    Span span;
    std::string message, help;
  };
  [[nodiscard]] std::optional<Obstacle> obstacle() const;

  // The original line (the front of a very long one) for people: nothing that a terminal would obey, and stars for a secret that
  // stands in it, or that may stand in it.
  [[nodiscard]] std::string presentable(int number) const;

 private:
  void scan();

  std::vector<std::string> original_, lines_;
  std::vector<int> statements_, original_statements_;
  std::optional<Span> too_deep_;
};

// Invalid UTF-8 and control characters other than tab replaced by U+FFFD.
std::string printable(std::string_view text);

// How many columns `text` takes: its code points.
int columns(std::string_view text);

}  // namespace stemma
