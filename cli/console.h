// Where a command prints: stdout is the result, stderr is progress and diagnostics.
#pragma once

#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "plans/error.h"
#include "plans/render.h"

namespace stemma::cli {

enum class ColorMode { automatic, always, never };

struct Console {
  std::ostream& out;
  std::ostream& err;
  std::istream& in;
  Palette paint;             // for out
  Palette paint_err;         // for err
  bool interactive = false;  // somebody can be asked: standard input and stderr are terminals
  bool draw = false;         // progress may be drawn: stderr is a terminal
};

// Looks at the terminal and NO_COLOR.
Console make_console(ColorMode);

// A document on out. Bytes that are no UTF-8 (names and messages of servers) are replaced.
void print_json(Console&, const nlohmann::json&);

// "error: …" and its hint, on err.
void say_error(Console&, const Error&);
void say_warning(Console&, const std::string&);

// Asks on the terminal; true for y or yes. An end of input, or a signal, is a no.
bool ask(Console&, const std::string& question);

}  // namespace stemma::cli
