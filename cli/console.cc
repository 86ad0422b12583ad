#include "cli/console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "plans/json_text.h"

namespace stemma::cli {
namespace {

Palette palette(bool on) {
  if (!on) return {};
  return {"\033[32m", "\033[31m", "\033[33m", "\033[2m", "\033[1m", "\033[0m"};
}

}  // namespace

Console make_console(ColorMode mode) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool plain =
      (no_color != nullptr && *no_color != '\0') || (term != nullptr && std::string_view(term) == "dumb");
  const auto colored = [&](int file) {
    return mode == ColorMode::always || (mode == ColorMode::automatic && !plain && ::isatty(file) == 1);
  };
  return {std::cout,
          std::cerr,
          std::cin,
          palette(colored(STDOUT_FILENO)),
          palette(colored(STDERR_FILENO)),
          ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1,
          ::isatty(STDERR_FILENO) == 1};
}

void print_json(Console& console, const nlohmann::json& document) {
  console.out << json_text(document, 2) << '\n';
}

void say_error(Console& console, const Error& error) {
  console.err << console.paint_err.paint(console.paint_err.bad, "error:") << ' ' << error.message << '\n';
  if (!error.hint.empty()) console.err << "  " << error.hint << '\n';
}

void say_warning(Console& console, const std::string& message) {
  console.err << console.paint_err.paint(console.paint_err.warn, "warning:") << ' ' << message << '\n';
}

bool ask(Console& console, const std::string& question) {
  console.err << question << " [y/N] " << std::flush;
  std::string answer;
  if (!std::getline(console.in, answer)) {
    console.err << '\n';
    return false;
  }
  return answer == "y" || answer == "Y" || answer == "yes" || answer == "Yes";
}

}  // namespace stemma::cli
