// What the fuzzers share.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "plans/fact.h"

// Says which law is broken and ends the program, which is how libFuzzer learns of a defect.
// (Debian 12's clang has no std::source_location.)
inline void must(bool holds, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%d: a law is broken\n", file, line);
  std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Everything that is done with an observed fleet, but for sending it: questions, plan, document, and back.
void plan_everything(const stemma::Topology&, const stemma::Fleet&);

// A topology as JSON, read back and printed again, is the same. One with a literal secret has no such form.
void reads_back(const stemma::Topology&);
