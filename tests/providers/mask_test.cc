// What servers quote.
#include "providers/mysql/mask.h"

#include "providers/mysql/connection.h"
#include "tests/catch.h"

using namespace stemma;

namespace {

std::string masked(const std::string& password, const std::string& said) {
  Secrets secrets;
  secrets.replication = Secret(password);
  return mysql::without_secret({Trouble::refused, said, {}, 1064, {}}, secrets).message;
}

}  // namespace

TEST_CASE("a server quotes the statement that it could not read, without the password") {
  CHECK(masked("s3cret-word", "syntax error near ''s3cret-word' REQUIRE SSL'") ==
        "syntax error near ''<secret>' REQUIRE SSL'");
  // Cut short in the middle, escaped, twice, and the whole message.
  CHECK(masked("s3cret-word", "near 's3cret-w") == "near '<secret>");
  CHECK(masked("it's me", "near '" + mysql::escape("it's me") + "'") == "near '<secret>'");
  CHECK(masked("abcdef", "abcdef abcdef") == "<secret> <secret>");
  CHECK(masked("s3cret-word", "another message") == "another message");
  CHECK(masked("", "an empty password is no secret") == "an empty password is no secret");
}
