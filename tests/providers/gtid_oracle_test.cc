// GTID sets against who should know: MySQL's own GTID_SUBSET and GTID_SUBTRACT.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <random>
#include <regex>

#include "plans/gtid_set.h"
#include "providers/mysql/connection.h"
#include "tests/catch.h"
#include "tests/plans/support_gtid.h"
#include "tests/providers/support_sandbox.h"

using namespace stemma;

namespace {

constexpr std::size_t kComparisons = 500, kBroken = 1000;

// On MariaDB there is nobody to ask: these tests are hidden, and `[mysql]` runs them where STEMMA_TEST_SERVER is a MySQL
// server.
struct Oracle {
  Oracle() {
    const auto up = servers.up();
    INFO((up ? std::string() : up.error().message + " | " + up.error().hint));
    REQUIRE(up);
    REQUIRE(servers.binary().flavor == sandbox::Flavor::mysql);
    auto opened = servers.connect(0);
    INFO((opened ? std::string() : opened.error().message));
    REQUIRE(opened);
    connection.emplace(std::move(*opened));
  }
  test::LocalServers servers{{27301}};
  std::optional<mysql::Connection> connection;
};

// Tags came with MySQL 8.3.
bool knows_tags(const mysql::Connection& connection) {
  int major = 0, minor = 0;
  std::sscanf(connection.server_version().c_str(), "%d.%d", &major, &minor);
  return std::pair{major, minor} >= std::pair{8, 3};
}

std::string on_one_line(std::string text) {
  std::erase(text, '\n');
  return text;
}

// The same texts each time, from small ones to large ones.
std::string any_text(std::uint32_t n, bool tags) {
  const auto size = static_cast<int>(n % 100);
  return test::written(test::gtid_pieces(tags)(rc::Random(n), size).value(), n);
}

}  // namespace

TEST_CASE("a MySQL server reads, compares and subtracts GTID sets as we do", "[.][mysql]") {
  Oracle oracle;
  auto& connection = oracle.connection;
  const bool tags = knows_tags(*connection);
  std::string query;
  std::vector<std::pair<std::string, std::string>> asked;
  for (std::uint32_t n = 0; n < kComparisons; ++n) {
    asked.emplace_back(any_text(2 * n, tags), any_text(2 * n + 1, tags));
    // Unrelated sets seldom lie within each other: every third second one has its like written before it.
    if (n % 3 == 0) asked.back().second = asked.back().first + "," + asked.back().second;
    query += fmt::format(
        "{0}SELECT {1} AS n, GTID_SUBSET('{2}', '{3}') AS within, GTID_SUBTRACT('{2}', '{3}') AS rest, "
        "GTID_SUBTRACT('{2}', '') AS whole",
        n == 0 ? "" : " UNION ALL ", n, asked.back().first, asked.back().second);
  }
  const auto answer = connection->query(query + " ORDER BY n");
  INFO((answer ? std::string() : answer.error().message));
  REQUIRE(answer);
  REQUIRE(answer->rows.size() == asked.size());
  std::size_t within = 0;
  for (std::size_t row = 0; row < asked.size(); ++row) {
    INFO(asked[row].first << "\nand\n" << asked[row].second);
    const auto a = GtidSet::parse(asked[row].first), b = GtidSet::parse(asked[row].second);
    REQUIRE((a && b));
    CHECK(to_text(*a) == on_one_line(*answer->at(row, "whole")));
    CHECK(to_text(a->subtract(*b)) == on_one_line(*answer->at(row, "rest")));
    CHECK((b->contains(*a) ? "1" : "0") == answer->at(row, "within"));
    within += b->contains(*a) ? 1 : 0;
  }
  CHECK((within > kComparisons / 4 && within < kComparisons / 2));
}

TEST_CASE("what we read of a damaged GTID set, a MySQL server reads the same way", "[.][mysql]") {
  Oracle oracle;
  auto& connection = oracle.connection;
  const bool tags = knows_tags(*connection);
  // What a server may take and we don't: a leading zero, and before 9.7 a missing end.
  const std::regex odd_number("[:-]\\s*0[0-9]|-\\s*(,|:|$)");
  std::mt19937 dice(1);
  std::size_t read = 0;
  for (std::uint32_t n = 0; n < kBroken; ++n) {
    std::string text = any_text(n, tags);
    for (std::size_t damages = 1 + dice() % 3; damages > 0 && !text.empty(); --damages) {
      static constexpr std::string_view kLetters = "0123459aF_xT:-, \t\n\v\f\r+.;";
      const std::size_t at = dice() % text.size();
      switch (dice() % 3) {
        case 0: text[at] = kLetters[dice() % kLetters.size()]; break;
        case 1: text.insert(at, 1, kLetters[dice() % kLetters.size()]); break;
        default: text.erase(at, 1);
      }
    }
    INFO(text);
    const auto ours = GtidSet::parse(text);
    const auto answer = connection->query(fmt::format("SELECT GTID_SUBTRACT('{}', '') AS whole", text));
    if (!answer) CHECK(answer.error().number == 1772);
    if (ours) {
      ++read;
      CHECK((answer && on_one_line(*answer->at(0, "whole")) == to_text(*ours)));
    } else {
      CHECK((!answer || std::regex_search(text, odd_number)));
    }
  }
  CHECK((read > kBroken / 10 && read < kBroken * 9 / 10));
}
