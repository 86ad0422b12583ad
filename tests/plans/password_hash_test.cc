// Password hashes, against values that others computed.
#include "plans/password_hash.h"

#include <chrono>

#include "plans/password_check.h"
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
          "504F7554704F4F3076716B77423547754F5039"},
      // And with caching_sha2_password_storage_format = PBKDF2_SHA512.
      Row{"secret",
          "244224303041243C61256C037F114D7C35472B6C0C054E0F763F483165727142697A62585266547845556F772B786A6E74"
          "54714D4776794570614169397A4233766745392F56616F6A76646C2B4E65686B6246634751545644796477376C4D4A3178"
          "51384A78305478476A6552373169513D3D"},
      Row{"pässwörd \\ it's",
          "244224303041243A182A4650014536462F2F2A6C514E196D38704B626F44416F3242324972556376366C45455141745667"
          "763777504964784C446C33753155436361565438445962545A774945796B50532F6C37793830707067664557557A796248"
          "574B6E5032367832374E722F5438513D3D"});
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
      "$B$000$"s + std::string(kSalt) + std::string(88, 'x'), changed(1, 'B'), changed(1, 'C'),
      changed(2, 'x'), changed(3, 'g'), changed(3, '-'), changed(5, '0'), changed(6, 'x'));
  INFO(stored);
  CHECK(matches_caching_sha2(Secret("x"), stored) == std::nullopt);
}

TEST_CASE("MariaDB's public keys are compared") {
  struct Row {
    std::string plugin, password, stored;
  };
  const auto row = GENERATE(  // MariaDB 11.8; the first is in MariaDB's manual, too
      Row{"ed25519", "secret", "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY"},
      Row{"ed25519", "pässwörd \\ it's 🐬", "eYeF4NnZ5IF22vdmYBEqaj7cxBUfQQs/zvRcEDhSGzc"},
      Row{"ed25519", "", "4LH+dBF+G5W2CKTyId8xR3SyDqZoQjUNUVNxx8aWbG4"},
      Row{"parsec", "secret", "P0:9SsBMcm07Dpij5EvvaihSgIU:pzjENGtMJf2vAsAEhj/laY2ybz1kvxxlSKRdaxrKWdg"});
  INFO(row.plugin << " " << row.password);
  CHECK(matches_stored(row.plugin, Secret(row.password), row.stored) == true);
  CHECK(matches_stored(row.plugin, Secret(row.password + "x"), row.stored) == false);
  std::string other = row.stored;
  other[other.size() - 5] = other[other.size() - 5] == 'A' ? 'B' : 'A';
  CHECK(matches_stored(row.plugin, Secret(row.password), other) == false);
  for (const std::string& odd : {row.stored + "x", row.stored.substr(1), ""s, "*"s + row.stored.substr(1)}) {
    INFO(odd);
    CHECK(matches_stored(row.plugin, Secret(row.password), odd) == std::nullopt);
  }
}

TEST_CASE("ed25519 agrees with OpenSSL's own where a password has the length of its seeds") {
  // EVP_PKEY_ED25519's public key of the seed 0123456789abcdef0123456789abcdef, and the first vector of RFC 8032.
  CHECK(matches_ed25519(Secret("0123456789abcdef0123456789abcdef"),
                        "I7xUkSwebpLEqGglyGfif/3FVb/71CRPF6Jqv//ull0") == true);
  const std::string empty_seed = unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
  CHECK(matches_ed25519(Secret(empty_seed), "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo") == true);
}

TEST_CASE("each plugin is asked in its own way, and each question is computed once") {
  const std::string sha2 = caching_sha2_hash(Secret("x"), kSalt, 400);  // takes a good while
  CHECK(matches_stored("", Secret("password"), "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19") == true);
  CHECK(matches_stored("mysql_native_password", Secret("x"), "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19") ==
        false);
  CHECK(matches_stored("auth_pam", Secret("x"), "x") == std::nullopt);
  using clock = std::chrono::steady_clock;
  const PasswordChecks checks;
  const PasswordChecks copy = checks;
  const auto begin = clock::now();
  CHECK(checks.matches("caching_sha2_password", Secret("x"), sha2) == true);
  const auto once = clock::now() - begin;
  for (int i = 0; i < 100; ++i) CHECK(copy.matches("caching_sha2_password", Secret("x"), sha2) == true);
  CHECK(clock::now() - begin < once * 10);
  CHECK(checks.matches("caching_sha2_password", Secret("y"), sha2) == false);
  CHECK(checks.matches("mysql_native_password", Secret("x"), sha2) == false);
}
