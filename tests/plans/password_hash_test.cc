// Password hashes, against values that others computed.
#include "plans/password_hash.h"

#include "tests/catch.h"

using namespace stemma;
using namespace std::string_literals;

namespace {

constexpr std::string_view kSalt = "0123456789abcdefghij";

}  // namespace

TEST_CASE("SHA-256-crypt computes what crypt(3) does, where the salt is short enough for it") {
  struct Row {
    std::string password, salt;
    unsigned rounds;
    std::string hash;
  };
  const auto row = GENERATE(
      // As libxcrypt 4.4 prints them.
      Row{"Hello world!", "saltstring", 5000, "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"},
      Row{"Hello world!", "saltstringsaltst", 10000, "3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA"},
      Row{"a very much longer text to encrypt.  This one even stretches over morethan one line.",
          "anotherlongsalts", 1400, "Rx.j8H.h8HjEDGomFU8bDkXm3XIUnzyxf12oP84Bnq1"},
      Row{"", "0123456789abcdef", 5000, "Zn36wCiXtVKLQsl4EZaBU/Ag5FUHHzFRXevhCLkg7x/"},
      Row{"a", "x", 10000, "8RPjw2pkW65TQP5sxpcIz3nNL8.VfVuhxdaap/uHiU2"},
      Row{"correct horse battery staple correct horse battery staple correct horse battery staple ",
          "0123456789abcdef", 5000, "R.sqDmc.o/IazQWSn5Hm5i2R8KjJNLWQ5aoL0rWFws/"});
  INFO(row.password << " with " << row.salt);
  CHECK(sha256_crypt(Secret(row.password), row.salt, row.rounds) == row.hash);
}

TEST_CASE("a password is told by what caching_sha2_password stored") {
  const std::string stored = caching_sha2_hash(Secret("secret"), kSalt, 10);
  CHECK(stored.size() == 70);
  CHECK(stored.substr(0, 27) == "$A$00A$" + std::string(kSalt));
  CHECK(matches_caching_sha2(Secret("secret"), stored) == true);
  CHECK(matches_caching_sha2(Secret("Secret"), stored) == false);
  CHECK(matches_caching_sha2(Secret(""), stored) == false);
  // The whole salt counts, not its first sixteen bytes.
  std::string other_salt = stored;
  other_salt[26] = 'k';
  CHECK(matches_caching_sha2(Secret("secret"), other_salt) == false);
  std::string other_hash = stored;
  other_hash.back() = other_hash.back() == '.' ? '/' : '.';
  CHECK(matches_caching_sha2(Secret("secret"), other_hash) == false);
}

TEST_CASE("what is not caching_sha2_password's form can't be compared") {
  const std::string good = caching_sha2_hash(Secret("x"), kSalt);
  const auto changed = [&](std::size_t at, char to) {
    std::string text = good;
    text[at] = to;
    return text;
  };
  const std::string stored = GENERATE_COPY(
      ""s, "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"s, good.substr(0, 69), good + "x", changed(0, '*'),
      changed(1, 'B'), changed(2, 'x'), changed(3, 'g'), changed(3, '-'), changed(5, '0'), changed(6, 'x'));
  INFO(stored);
  CHECK(matches_caching_sha2(Secret("x"), stored) == std::nullopt);
}
