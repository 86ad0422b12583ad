// Password hashes, against values that others computed.
#include "plans/password_hash.h"

#include "tests/catch.h"

using namespace stemma;
using namespace std::string_literals;

namespace {

constexpr std::string_view kSalt = "0123456789abcdefghij";

// As HEX(authentication_string) gives it: there are control characters in a salt.
std::string unhex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

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

TEST_CASE("what a server stored is compared") {
  struct Row {
    std::string password;
    std::string_view stored;
  };
  // MySQL 9.7.4; the last one with caching_sha2_password_digest_rounds at 5000, which is what 8.0 and 8.4 take.
  const auto row = GENERATE(
      Row{"secret",
          "24412430304124296D2766355901563C5645443B1858646113470178737531584C4C57572E43416A7847422F744F394537"
          "436C"
          "31356246786E3755314A46354F55546F576532"},
      Row{"a",
          "24412430304124797D7B0B4A65492658233B2773583E28252D70584D71426F546F6B47435A482E2E637670446C54584D70"
          "4C515756534753"
          "4E444F51454659696D6465446A44"},
      Row{"correct horse battery staple, and so on until it is longer than two blocks of SHA-256: 0123456789",
          "244124303041243C591A6510045E52076D7D7B490E733D6477012552654370396D2E586E4D506B746F356F536E6C6E657A"
          "3872"
          "447845546F5572534D4B3043346D3241733135"},
      Row{"pässwörd \\ it's 🐬",
          "244124303041242503394A7C33102307377F52083E54797972016451364B47345878773454484B394C5470646A44525036"
          "6A70"
          "734534667A354C6C6E5A53556267667A5A682E"},
      Row{"secret",
          "24412430303524495451205E385A1E5464710C4859650E194E365F57506C492F5652516A76496F6F36656E7477574B3462"
          "756E"
          "504F7554704F4F3076716B77423547754F5039"});
  INFO(row.password);
  CHECK(matches_caching_sha2(Secret(row.password), unhex(row.stored)) == true);
  CHECK(matches_caching_sha2(Secret(row.password + "x"), unhex(row.stored)) == false);
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
      // The other form of 9.7, caching_sha2_password_storage_format = PBKDF2_SHA512.
      "$B$005$"s + std::string(kSalt) + std::string(88, 'x'), changed(1, 'B'), changed(2, 'x'),
      changed(3, 'g'), changed(3, '-'), changed(5, '0'), changed(6, 'x'));
  INFO(stored);
  CHECK(matches_caching_sha2(Secret("x"), stored) == std::nullopt);
}
