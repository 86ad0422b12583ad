// What must hold for all GTID sets.
#include <set>
#include <utility>

#include "plans/gtid_set.h"
#include "tests/plans/support_gtid.h"
#include "tests/plans/support_property.h"

using namespace stemma;
using test::GtidPieces;
using test::holds;

namespace {

// The plainest idea of a set: one transaction after the other.
using Transactions = std::set<std::pair<GtidSource, std::uint64_t>>;

Transactions one_by_one(const GtidPieces& pieces) {
  Transactions all;
  for (const auto& [source, first, last] : pieces)
    for (std::uint64_t number = first; number <= last; ++number) all.emplace(source, number);
  return all;
}

Transactions one_by_one(const GtidSet& set) {
  Transactions all;
  for (const auto& [source, intervals] : set.sources())
    for (const auto& [first, last] : intervals)
      for (std::uint64_t number = first; number <= last; ++number) all.emplace(source, number);
  return all;
}

bool is_normal(const GtidSet& set) {
  for (const auto& [source, intervals] : set.sources()) {
    if (intervals.empty()) return false;
    std::uint64_t beyond = 0;  // the first number that may come next
    for (const auto& [first, last] : intervals) {
      if (first <= beyond || first > last) return false;
      beyond = last + 1;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("a GTID set reads back as it was printed, whatever it is") {
  holds([](const GtidSet& a) {
    RC_ASSERT(is_normal(a));
    RC_ASSERT(GtidSet::parse(to_text(a)) == a);
  });
}

TEST_CASE("a GTID set is the same however it was written") {
  holds([] {
    const auto pieces = *test::gtid_pieces();
    const auto text = test::written(pieces, *rc::gen::arbitrary<std::uint32_t>());
    RC_LOG(text);
    RC_ASSERT(GtidSet::parse(text) == test::set_of(pieces));
  });
}

TEST_CASE("operations do what they would do with single transactions") {
  holds([] {
    const auto x = *test::gtid_pieces(), y = *test::gtid_pieces();
    const GtidSet a = test::set_of(x), b = test::set_of(y);
    const Transactions as = one_by_one(x), bs = one_by_one(y);
    Transactions difference, both, all = as;
    std::set_difference(as.begin(), as.end(), bs.begin(), bs.end(),
                        std::inserter(difference, difference.end()));
    std::set_intersection(as.begin(), as.end(), bs.begin(), bs.end(), std::inserter(both, both.end()));
    all.insert(bs.begin(), bs.end());
    RC_ASSERT(a.count() == as.size());
    RC_ASSERT(one_by_one(a.subtract(b)) == difference);
    RC_ASSERT(one_by_one(a.intersect(b)) == both);
    RC_ASSERT(one_by_one(a.unite(b)) == all);
    RC_ASSERT(a.contains(b) == std::includes(as.begin(), as.end(), bs.begin(), bs.end()));
    RC_ASSERT(is_normal(a.subtract(b)) && is_normal(a.intersect(b)) && is_normal(a.unite(b)));
  });
}

TEST_CASE("the laws of sets hold") {
  holds([](const GtidSet& a, const GtidSet& b, const GtidSet& c) {
    RC_ASSERT(a.unite(b) == b.unite(a));
    RC_ASSERT(a.intersect(b) == b.intersect(a));
    RC_ASSERT(a.unite(b).unite(c) == a.unite(b.unite(c)));
    RC_ASSERT(a.unite(a) == a);
    RC_ASSERT(a.subtract(a).empty());
    RC_ASSERT(a.subtract(b).unite(a.intersect(b)) == a);
    RC_ASSERT(a.subtract(b).intersect(b).empty());
    RC_ASSERT(a.subtract(b).subtract(c) == a.subtract(b.unite(c)));
    RC_ASSERT(a.unite(b).contains(a));
    RC_ASSERT(a.contains(b) == b.subtract(a).empty());
    RC_ASSERT((a.contains(b) && b.contains(a)) == (a == b));
  });
}

TEST_CASE("counts add up") {
  holds([](const GtidSet& a, const GtidSet& b) {
    RC_ASSERT(a.subtract(b).count() + a.intersect(b).count() == a.count());
    RC_ASSERT(a.unite(b).count() + a.intersect(b).count() == a.count() + b.count());
  });
}

TEST_CASE("holes are what is missing between the first and the last") {
  holds([](const GtidSet& a) {
    const GtidSet holes = a.holes(), whole = a.unite(holes);
    RC_ASSERT(holes.intersect(a).empty());
    RC_ASSERT(whole.holes().empty());
    for (const auto& [source, intervals] : whole.sources()) {
      RC_ASSERT(intervals.front().first == a.sources().at(source).front().first);
      RC_ASSERT(intervals.back().last == a.sources().at(source).back().last);
    }
  });
}

TEST_CASE("a set without a server's transactions has lost those and no others") {
  holds([](const GtidSet& a) {
    for (const auto& [source, intervals] : a.sources()) {
      const GtidSet rest = a.without(source.uuid);
      RC_ASSERT(a.contains(rest));
      RC_ASSERT(!rest.sources().contains(source));
      for (const auto& [other, theirs] : a.sources())
        RC_ASSERT(rest.sources().contains(other) == (other.uuid != source.uuid));
    }
  });
}
