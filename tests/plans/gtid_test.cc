// GTIDs as values.
#include "plans/gtid.h"

#include "tests/catch.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;

TEST_CASE("a GTID position reads back as it was printed") {
  for (const char* text : {"", "0-1-42", "0-1-42,1-7-3", "4294967295-4294967295-18446744073709551615"}) {
    INFO(text);
    const auto position = GtidPosition::parse(text);
    REQUIRE(position.has_value());
    CHECK(to_text(*position) == text);
    CHECK(position->empty() == std::string_view(text).empty());
  }
  CHECK(to_text(gtid(" 1-7-3 ,\n0-1-42\r\n")) == "0-1-42,1-7-3");
  CHECK(gtid("0-1-42").domains().at(0) == Gtid{0, 1, 42});
}

TEST_CASE("what is no GTID position") {
  const char* const text =
      GENERATE("0", "0-1", "0-1-", "-1-2", "0--2", "0-1-2-3", "a-b-c", "0-1-2,", ",0-1-2", "0-1-2,,1-1-1",
               "0-1-2 3", "0-1- 2", "+0-1-2", "0-1--2", "4294967296-1-1", "0-4294967296-1",
               "0-1-18446744073709551616", "0-1-5,0-2-6", "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5");
  INFO(text);
  CHECK_FALSE(GtidPosition::parse(text).has_value());
}

TEST_CASE("how far a position is depends on sequences alone") {
  CHECK(gtid("0-1-5").reached(gtid("0-1-5")));
  CHECK(gtid("0-2-5").reached(gtid("0-1-5")));
  CHECK(gtid("0-1-5,1-1-1").reached(gtid("0-1-4")));
  CHECK(gtid("0-1-5").reached(gtid("")));
  CHECK_FALSE(gtid("0-1-5").reached(gtid("0-1-6")));
  CHECK_FALSE(gtid("0-1-5").reached(gtid("0-1-5,1-1-1")));
  CHECK_FALSE(gtid("").reached(gtid("0-1-1")));
}

TEST_CASE("a binlog state knows the servers that a position hides") {
  const auto state = GtidState::parse("0-1-10,0-2-7,1-1-3");
  REQUIRE(state.has_value());
  CHECK(to_text(*state) == "0-1-10,0-2-7,1-1-3");
  CHECK(state->contains({0, 1, 10}));
  CHECK(state->contains({0, 2, 6}));
  CHECK_FALSE(state->contains({0, 2, 8}));
  CHECK_FALSE(state->contains({0, 3, 1}));
  CHECK_FALSE(state->contains({2, 1, 1}));
  CHECK(state->highest(0) == 10);
  CHECK(state->highest(1) == 3);
  CHECK(state->highest(9) == 0);
  CHECK(GtidState::parse("")->empty());
  CHECK_FALSE(GtidState::parse("0-1-10,0-1-11").has_value());
  CHECK_FALSE(GtidState::parse("0-1").has_value());
}
