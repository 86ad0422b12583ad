// MySQL's GTID sets as values.
#include "plans/gtid_set.h"

#include <fmt/format.h>

#include <limits>

#include "tests/catch.h"

using namespace stemma;

namespace {

const std::string A = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const std::string B = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

// Sets are written here with A and B for those UUIDs.
std::string spelled(std::string_view text) {
  std::string full;
  for (const char c : text) full += c == 'A' ? A : c == 'B' ? B : std::string(1, c);
  return full;
}

GtidSet set(std::string_view text) {
  INFO(text);
  const auto set = GtidSet::parse(spelled(text));
  REQUIRE(set.has_value());
  return *set;
}

}  // namespace

TEST_CASE("a normal GTID set reads back as it was printed") {
  const char* const text =
      GENERATE("", "A:1", "A:1-5", "A:1-5:7:9-11", "A:1-5,B:2", "A:1:tag:1", "A:tag:1-3",
               "A:1-3:_a9:1-5:7:b:1,B:b:2", "A:9223372036854775806", "A:1-9223372036854775806");
  CHECK(to_text(set(text)) == spelled(text));
  CHECK(set(text).empty() == std::string_view(text).empty());
}

TEST_CASE("any other way to write a set becomes the normal one") {
  struct Row {
    const char* text;
    const char* normal;
  };
  const auto row = GENERATE(
      Row{" \n", ""}, Row{",,", ""}, Row{"A", ""}, Row{"A,B:1", "B:1"}, Row{"B:1,A:1", "A:1,B:1"},
      Row{"A:1-5,\nB:1", "A:1-5,B:1"}, Row{"A:1,,B:1,", "A:1,B:1"},
      Row{" A : 1 - 5 : 7 , B:1 ", "A:1-5:7,B:1"}, Row{"A:7:1-5", "A:1-5:7"}, Row{"A:1-5:3-8", "A:1-8"},
      Row{"A:1-5:6-8", "A:1-8"}, Row{"A:1-9:2-3:5", "A:1-9"}, Row{"A:1,A:2", "A:1-2"}, Row{"A:1:1:1", "A:1"},
      Row{"A:5-3", ""}, Row{"A:5-0:1", "A:1"}, Row{"A:3-3", "A:3"}, Row{"A:tag", ""},
      Row{"A:1:tag,B:2", "A:1,B:2"}, Row{"A:TXG:1:Txg:2", "A:txg:1-2"}, Row{"A:b:1:a:1,A:1", "A:1:a:1:b:1"},
      Row{"A:tag:1,A:tag:3", "A:tag:1:3"},
      Row{"A:9223372036854775806:9223372036854775805", "A:9223372036854775805-9223372036854775806"});
  INFO(row.text);
  CHECK(to_text(set(row.text)) == spelled(row.normal));
}

TEST_CASE("a UUID is the same in capitals") {
  const auto set = GtidSet::parse("3E11FA47-71CA-11E1-9E33-C80AA9429562:1");
  REQUIRE(set.has_value());
  CHECK(to_text(*set) == A + ":1");
}

TEST_CASE("what is no GTID set") {
  const char* const text = GENERATE(
      "x", "A:", "A::1", "A:0", "A:0-5", "A:-1", "A:1-", "A:5-", "A:1-2-3", "A:1 2", "A:1B:1", "A 1", "A:+1",
      "A:010", "A:1-010", "A:0x10", "A:1:", "A:1.5", "A:9223372036854775807", "A:1-9223372036854775807",
      "A:18446744073709551617", "A:tag-1", "A:1tag", "A:9tag:1", "A:t\xc3\xa4g:1", "A:t g:1", "A;B", "+A:1",
      ":1", "3e11fa47-71ca-11e1-9e33-c80aa942956:1", "3e11fa47-71ca-11e1-9e33-c80aa94295622:1",
      "3e11fa4-771ca-11e1-9e33-c80aa9429562:1", "3e11fa4771ca11e19e33c80aa9429562:1",
      "3e11fa47-71ca-11e1-9e33-c80aa942956g:1", "{A}:1", "0-1-5");
  INFO(text);
  CHECK_FALSE(GtidSet::parse(spelled(text)).has_value());
}

TEST_CASE("a tag has 32 characters at most") {
  const std::string tag(32, 'x');
  CHECK(to_text(set("A:" + tag + ":1")) == A + ":" + tag + ":1");
  CHECK_FALSE(GtidSet::parse(A + ":" + tag + "x:1").has_value());
}

TEST_CASE("a text with a zero byte is no set") {
  CHECK_FALSE(GtidSet::parse(std::string_view("\0", 1)).has_value());
  CHECK_FALSE(GtidSet::parse(A + ":1" + std::string(1, '\0')).has_value());
}

TEST_CASE("operations on GTID sets") {
  struct Row {
    const char *a, *b, *difference, *both, *all;
  };
  const auto row = GENERATE(
      Row{"", "", "", "", ""}, Row{"A:1-5", "", "A:1-5", "", "A:1-5"}, Row{"", "A:1-5", "", "", "A:1-5"},
      Row{"A:1-5", "A:1-5", "", "A:1-5", "A:1-5"}, Row{"A:1-5", "B:1-5", "A:1-5", "", "A:1-5,B:1-5"},
      Row{"A:1-5", "A:3", "A:1-2:4-5", "A:3", "A:1-5"}, Row{"A:1-5", "A:3-9", "A:1-2", "A:3-5", "A:1-9"},
      Row{"A:3-9", "A:1-5", "A:6-9", "A:3-5", "A:1-9"}, Row{"A:1-5", "A:6-9", "A:1-5", "", "A:1-9"},
      Row{"A:2-4:6-8", "A:1-9", "", "A:2-4:6-8", "A:1-9"},
      Row{"A:1-9", "A:2-4:6-8", "A:1:5:9", "A:2-4:6-8", "A:1-9"},
      Row{"A:1-4:6-9", "A:3-7", "A:1-2:8-9", "A:3-4:6-7", "A:1-9"},
      Row{"A:1:3:5:7", "A:2:4:6", "A:1:3:5:7", "", "A:1-7"},
      Row{"A:1-5", "A:t:1-5", "A:1-5", "", "A:1-5:t:1-5"},
      Row{"A:1-5:t:1-5", "A:t:2-9", "A:1-5:t:1", "A:t:2-5", "A:1-5:t:1-9"},
      Row{"A:1-9223372036854775806", "A:2-9223372036854775805", "A:1:9223372036854775806",
          "A:2-9223372036854775805", "A:1-9223372036854775806"});
  INFO(row.a << " and " << row.b);
  CHECK(to_text(set(row.a).subtract(set(row.b))) == spelled(row.difference));
  CHECK(to_text(set(row.a).intersect(set(row.b))) == spelled(row.both));
  CHECK(to_text(set(row.a).unite(set(row.b))) == spelled(row.all));
  CHECK(set(row.a).contains(set(row.b)) == (set(row.b) == set(row.both)));
}

TEST_CASE("the transactions of a set are counted") {
  CHECK(set("").count() == 0);
  CHECK(set("A:1-5:7,B:1:t:1-3").count() == 10);
  CHECK(set("A:1-9223372036854775806").count() == 9223372036854775806U);
  // Three times as many don't fit.
  CHECK(set("A:1-9223372036854775806:t:1-9223372036854775806:u:1-9223372036854775806").count() ==
        std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("a set without one server's transactions") {
  CHECK(to_text(set("A:1-5:t:1,B:1").without(A)) == spelled("B:1"));
  CHECK(to_text(set("A:1-5,B:1").without("4E11FA47-71CA-11E1-9E33-C80AA9429562")) == spelled("A:1-5"));
  CHECK(to_text(set("A:1-5,B:1").without("")) == spelled("A:1-5,B:1"));
}

TEST_CASE("a long text takes time in proportion") {
  std::string text;
  // Backwards, with gaps: each interval stands before all that were read.
  for (int i = 200'000; i > 0; --i)
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", i % 2 == 0 ? A : B, 2 * i);
  const auto long_set = GtidSet::parse(text);
  REQUIRE(long_set.has_value());
  CHECK(long_set->count() == 200'000);
  CHECK(long_set->subtract(*long_set).empty());
  CHECK(GtidSet::parse(to_text(*long_set)) == long_set);
}
