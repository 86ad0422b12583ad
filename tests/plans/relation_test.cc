// How histories relate, as tables.
#include "plans/relation.h"

#include <fmt/format.h>

#include "tests/catch.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;

namespace {

const std::string S = "aaaaaaaa-0000-0000-0000-000000000001";  // the source
const std::string R = "bbbbbbbb-0000-0000-0000-000000000002";  // the replica

GtidSet set(std::string_view text) {
  std::string full;
  for (const char c : text) full += c == 'S' ? S : c == 'R' ? R : std::string(1, c);
  const auto set = GtidSet::parse(full);
  REQUIRE(set.has_value());
  return *set;
}

// "recoverable, lacks 4"
std::string said(const Related& related) {
  std::string text(to_text(related.relation));
  if (!related.errant.empty()) text += ", errant " + related.errant;
  if (!related.missing)
    text += ", lacks unknown";
  else if (*related.missing != 0)
    text += fmt::format(", lacks {}", *related.missing);
  if (related.purged) text += ", purged";
  return text;
}

GtidState state(std::string_view text) {
  const auto state = GtidState::parse(text);
  REQUIRE(state.has_value());
  return *state;
}

}  // namespace

TEST_CASE("two MySQL histories") {
  struct Row {
    const char *replica, *source, *purged;
    std::string said;
  };
  const auto row = GENERATE(
      Row{"", "", "", "new"}, Row{"", "S:1-9", "", "new, lacks 9"},
      Row{"", "S:1-9", "S:1-3", "new, lacks 9, purged"}, Row{"S:1-9", "S:1-9", "", "identical"},
      Row{"S:1-9", "S:1-9", "S:1-5", "identical"}, Row{"S:1-5", "S:1-9", "", "recoverable, lacks 4"},
      Row{"S:1-5", "S:1-9", "S:1-5", "recoverable, lacks 4"},
      Row{"S:1-5", "S:1-9", "S:1-6", "irrecoverable, lacks 4, purged"},
      Row{"S:2-9", "S:1-9", "S:1-3", "irrecoverable, lacks 1, purged"},
      Row{"S:1-9,R:1-2", "S:1-9", "", "diverged, errant " + R + ":1-2"},
      Row{"S:1-5,R:1", "S:1-9", "S:1-6", "diverged, errant " + R + ":1, lacks 4, purged"},
      Row{"R:1", "", "", "diverged, errant " + R + ":1"},
      Row{"S:1-10", "S:1-9", "", "diverged, errant " + S + ":10"},
      Row{"S:1-9", "S:1-9:tag:1-2", "", "recoverable, lacks 2"},
      Row{"S:1-9:tag:3", "S:1-9:tag:1-2", "S:tag:1", "diverged, errant " + S + ":tag:3, lacks 2, purged"});
  INFO(row.replica << " of " << row.source << " without " << row.purged);
  CHECK(said(relate(ExecutedSets{set(row.replica), set(row.source), set(row.purged), {}})) == row.said);
}

TEST_CASE("what a trusted MySQL server wrote is never errant") {
  CHECK(said(relate(ExecutedSets{set("S:1-10"), set("S:1-9"), {}, {S}})) == "identical");
  CHECK(said(relate(ExecutedSets{set("S:1-4:6"), set("S:1-5"), {}, {S}})) == "recoverable, lacks 1");
  CHECK(said(relate(ExecutedSets{set("S:1-10,R:1"), set("S:1-9"), {}, {S}})) ==
        "diverged, errant " + R + ":1");
}

TEST_CASE("two MariaDB histories") {
  // The replica's server id is 2, its source's 1.
  struct Row {
    const char *replicated, *replica, *source, *horizon;
    std::string said;
  };
  const auto row = GENERATE(
      Row{"", "", "", "", "new, lacks unknown"}, Row{"", "", "0-1-9", "", "new, lacks 9"},
      Row{"", "", "0-1-9,1-1-2", "0-1-3", "new, lacks 11, purged"},
      // Its own set-up does not make it less fresh; somebody else's transactions do.
      Row{"", "0-2-3", "0-1-9", "", "new, lacks 9"}, Row{"", "0-1-3", "0-1-9", "", "unknown, lacks unknown"},
      Row{"0-1-9", "0-1-9", "0-1-9", "0-1-5", "identical"}, Row{"0-1-9", "", "0-1-9", "", "identical"},
      Row{"0-1-5", "0-1-5", "0-1-9", "0-1-5", "recoverable, lacks 4"},
      Row{"0-1-5", "0-1-5", "0-1-9", "0-1-6", "irrecoverable, lacks 4, purged"},
      Row{"0-1-5,1-1-1", "", "0-1-9,1-1-4", "", "recoverable, lacks 7"},
      // The source has been a replica of 3, and the replica of it too.
      Row{"0-3-5", "0-3-5", "0-1-9,0-3-7", "", "recoverable, lacks 4"},
      // A domain that the replica has never seen.
      Row{"0-1-9", "0-1-9", "0-1-9,1-1-4", "", "unknown, lacks unknown"},
      Row{"0-1-10", "0-1-10", "0-1-9", "", "diverged, errant 0-1-10"},
      Row{"0-3-5", "", "0-1-9", "", "diverged, errant 0-3-5, lacks 4"},
      Row{"0-1-5,7-7-7", "", "0-1-9", "0-1-7", "diverged, errant 7-7-7, lacks 4, purged"},
      // Written by itself: older than what it replicated, as at its set-up; newer.
      Row{"0-1-9", "0-1-9,0-2-3", "0-1-9", "", "identical"},
      Row{"0-1-9", "0-1-9,0-2-10", "0-1-9", "", "diverged, errant 0-2-10"},
      Row{"0-1-9", "0-1-9,5-2-1", "0-1-9", "", "diverged, errant 5-2-1"},
      // No binlog at the source.
      Row{"0-1-9", "0-1-9", "", "", "unknown, lacks unknown"});
  INFO(row.replicated << " and " << row.replica << " of " << row.source << " from " << row.horizon);
  CHECK(said(relate(LoggedStates{
            2, gtid(row.replicated), state(row.replica), state(row.source), gtid(row.horizon), {}})) ==
        row.said);
}

TEST_CASE("what a trusted MariaDB server wrote is never errant, and no horizon is no loss") {
  LoggedStates states{2, gtid("0-1-10"), state("0-1-10"), state("0-1-9"), std::nullopt, {1}};
  CHECK(said(relate(states)) == "identical");
  states.replicated = gtid("0-1-5");
  states.replica = state("0-1-5,0-2-10");
  CHECK(said(relate(states)) == "diverged, errant 0-2-10, lacks 4");
  states.replica = {};
  CHECK(said(relate(states)) == "recoverable, lacks 4");
}

TEST_CASE("missing transactions beyond all numbers are counted as the largest") {
  const LoggedStates states{
      2, gtid("0-1-1,1-1-1"), {}, state("0-1-18446744073709551615,1-1-18446744073709551615"), gtid(""), {}};
  CHECK(relate(states).missing == 18446744073709551615U);
}
