// Made-up GTID sets.
#pragma once

#include <rapidcheck.h>

#include <ostream>
#include <string>
#include <vector>

#include "plans/gtid_set.h"

namespace stemma::test {

// A piece of a set as a person might write it. Few servers and few numbers, so that sets meet; the last ones that
// exist are among them.
struct GtidPiece {
  GtidSource source;
  std::uint64_t first = 1, last = 1;
};
using GtidPieces = std::vector<GtidPiece>;

// With tags, or as servers before 8.3 take them.
rc::Gen<GtidPieces> gtid_pieces(bool tags = true);
// In their order, in one of many ways to write them: `manner` decides.
std::string written(const GtidPieces&, std::uint32_t manner = 0);
GtidSet set_of(const GtidPieces&);

// How RapidCheck prints what broke a law.
void showValue(const GtidPiece&, std::ostream&);

}  // namespace stemma::test

namespace stemma {

void showValue(const GtidSource&, std::ostream&);
void showValue(const GtidSet&, std::ostream&);

}  // namespace stemma

namespace rc {

template <>
struct Arbitrary<stemma::GtidSet> {
  static Gen<stemma::GtidSet> arbitrary() {
    return gen::map(stemma::test::gtid_pieces(), stemma::test::set_of);
  }
};

}  // namespace rc
