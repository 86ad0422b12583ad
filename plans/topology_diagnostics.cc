#include "plans/topology_diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace stemma {
namespace {

constexpr int widest = 160,
              context = 60;  // columns of a line that are shown, and how many of them before the caret

std::string_view word(Severity severity) {
  switch (severity) {
    case Severity::error: return "error";
    case Severity::warning: return "warning";
    case Severity::info: return "info";
  }
  return "error";
}

constexpr std::size_t most = 1000;  // diagnostics of one file

// The columns [from, from + count) of a line of UTF-8, counted from 0.
std::string slice(std::string_view line, int from, int count) {
  std::string piece;
  int column = -1;
  for (const char c : line) {
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80) ++column;
    if (column >= from && column < from + count) piece += c;
  }
  return piece;
}

}  // namespace

std::string render(const Diagnostic& diagnostic) {
  std::string text = diagnostic.file;
  const Place place = diagnostic.place;
  if (place.line > 0) text += fmt::format("{}{}:{}", text.empty() ? "" : ":", place.line, place.column);
  text += fmt::format("{}{}: {}\n", text.empty() ? "" : ": ", word(diagnostic.severity), diagnostic.message);

  const int width = columns(diagnostic.line);
  if (width > 0 && place.column > 0 && place.column <= width + 1) {
    const int at = std::min(place.column - 1, width);
    const int from = width <= widest ? 0 : std::max(0, at - context);
    const std::string before = slice(diagnostic.line, from, at - from);
    const bool cut_before = from > 0, cut_after = width - from > widest;
    text += fmt::format("    {}{}{}\n", cut_before ? "…" : "", slice(diagnostic.line, from, widest),
                        cut_after ? "…" : "");
    // A tab stays a tab, so that the caret stands right whatever the terminal's tab width is.
    std::string margin = cut_before ? " " : "";
    for (const char c : before) {
      if (c == '\t')
        margin += '\t';
      else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80)
        margin += ' ';
    }
    const int carets = std::clamp(diagnostic.length, 1, std::max(1, std::min(width, from + widest) - at));
    text += fmt::format("    {}{}\n", margin, std::string(static_cast<std::size_t>(carets), '^'));
  }
  if (!diagnostic.help.empty()) text += fmt::format("help: {}\n", diagnostic.help);
  return text;
}

void Diagnostics::error(const Span& where, const std::string& message, const std::string& help) {
  failed_ = true;
  add(Severity::error, where, message, help);
}

void Diagnostics::warning(const Span& where, const std::string& message, const std::string& help) {
  add(Severity::warning, where, message, help);
}

void Diagnostics::add(Severity severity, const Span& where, const std::string& message,
                      const std::string& help) {
  if (all_.size() == most) {
    ++left_out_;
    return;
  }
  all_.push_back({.severity = severity,
                  .file = file_,
                  .place = where.place,
                  .length = std::max(1, where.length),
                  .message = printable(message),
                  .line = text_.presentable(where.place.line),
                  .help = printable(help)});
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::vector<Diagnostic> all = all_;
  std::stable_sort(all.begin(), all.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
  });
  all.erase(std::unique(all.begin(), all.end()), all.end());
  if (left_out_ > 0) {
    Diagnostic& rest = all.emplace_back();
    rest.file = file_;
    rest.message = fmt::format("{} more mistakes are not shown", left_out_);
  }
  return all;
}

}  // namespace stemma
