// What the fuzzers share.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "plans/fact.h"
#include "plans/plan_file.h"

// Ends the program, which is how libFuzzer learns of a defect.
inline void must(bool holds) {
  if (!holds) std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Everything that is done with an observed fleet, but for sending it: findings, plan, document, and back.
void plan_everything(const stemma::Topology&, const stemma::Fleet&);

// A topology as JSON, read back and printed again, is the same. One with a literal secret has no such form.
void reads_back(const stemma::Topology&);
