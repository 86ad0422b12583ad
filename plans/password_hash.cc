#include "plans/password_hash.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <charconv>
#include <memory>
#include <stdexcept>

namespace stemma {
namespace {

std::string digest(const EVP_MD* kind, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int length = 0;
  // Fails only when OpenSSL itself is broken (no memory, no provider): nothing can be decided then.
  if (EVP_Digest(text.data(), text.size(), bytes.data(), &length, kind, nullptr) != 1)
    throw std::runtime_error("OpenSSL can't compute a digest");
  return {reinterpret_cast<const char*>(bytes.data()), length};
}

std::string hex(std::string_view bytes, bool upper) {
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += upper ? fmt::format("{:02X}", value) : fmt::format("{:02x}", value);
  }
  return text;
}

// One SHA-256 after another, fed in pieces; setting up a new one each time would take longer than they do.
class Sha256 {
 public:
  static constexpr std::size_t kSize = 32;
  using Digest = std::array<unsigned char, kSize>;

  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) { start(EVP_sha256()); }

  void add(std::string_view bytes) { check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size())); }
  void add(const Digest& bytes, std::size_t length = kSize) {
    check(EVP_DigestUpdate(context_.get(), bytes.data(), length));
  }
  // As many bytes as asked for, the digest repeated.
  void add_repeated(const Digest& bytes, std::size_t length) {
    for (; length > kSize; length -= kSize) add(bytes);
    add(bytes, length);
  }
  // Ends this one and begins the next.
  Digest finish() {
    Digest digest{};
    check(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr));
    start(nullptr);
    return digest;
  }

 private:
  static void check(int done) {
    if (done != 1) throw std::runtime_error("OpenSSL can't compute a digest");
  }
  void start(const EVP_MD* kind) {
    check(context_ == nullptr ? 0 : EVP_DigestInit_ex(context_.get(), kind, nullptr));
  }

  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::string repeated(const Sha256::Digest& digest, std::size_t length) {
  std::string text;
  for (std::size_t i = 0; i < length; ++i) text += static_cast<char>(digest[i % digest.size()]);
  return text;
}

// crypt(3)'s own base 64 and its own order of bytes: three at a time from the three thirds of the digest.
std::string crypt_text(const Sha256::Digest& digest) {
  static constexpr std::string_view kDigits =
      "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string text;
  const auto put = [&](unsigned bits, int digits) {
    for (; digits > 0; --digits, bits >>= 6U) text += kDigits[bits & 63U];
  };
  static constexpr std::array<std::array<unsigned char, 3>, 10> kOrder = {{{0, 10, 20},
                                                                           {21, 1, 11},
                                                                           {12, 22, 2},
                                                                           {3, 13, 23},
                                                                           {24, 4, 14},
                                                                           {15, 25, 5},
                                                                           {6, 16, 26},
                                                                           {27, 7, 17},
                                                                           {18, 28, 8},
                                                                           {9, 19, 29}}};
  for (const auto& [high, middle, low] : kOrder)
    put(unsigned{digest[high]} << 16U | unsigned{digest[middle]} << 8U | digest[low], 4);
  put(unsigned{digest[31]} << 8U | digest[30], 3);
  return text;
}

constexpr std::string_view kCachingSha2 = "$A$", kCachingSha2Pbkdf2 = "$B$";
constexpr std::size_t kCostLength = 3, kSaltLength = 20, kHashLength = 43, kPbkdf2Length = 88;
constexpr unsigned kRoundsPerCost = 1000;

// PBKDF2 with HMAC-SHA-512, in base 64.
std::string pbkdf2_sha512(const Secret& password, std::string_view salt, unsigned rounds) {
  std::array<unsigned char, 64> derived{};
  std::array<unsigned char, kPbkdf2Length + 1> text{};  // and a zero byte, which OpenSSL writes behind it
  const std::string& key = password.reveal();
  if (PKCS5_PBKDF2_HMAC(key.data(), static_cast<int>(key.size()),
                        reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()),
                        static_cast<int>(rounds), EVP_sha512(), static_cast<int>(derived.size()),
                        derived.data()) != 1)
    throw std::runtime_error("OpenSSL can't derive a key");
  const int length = EVP_EncodeBlock(text.data(), derived.data(), static_cast<int>(derived.size()));
  return {reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length)};
}

}  // namespace

std::string native_password_hash(const Secret& password) {
  if (password.reveal().empty()) return {};
  return "*" + hex(digest(EVP_sha1(), digest(EVP_sha1(), password.reveal())), true);
}

// Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512", in the order of its steps.
std::string sha256_crypt(const Secret& password, std::string_view salt, unsigned rounds) {
  const std::string& key = password.reveal();
  Sha256 sha;
  sha.add(key);
  sha.add(salt);
  sha.add(key);
  const auto alternate = sha.finish();

  sha.add(key);
  sha.add(salt);
  sha.add_repeated(alternate, key.size());
  for (std::size_t length = key.size(); length > 0; length >>= 1U)
    if ((length & 1U) != 0)
      sha.add(alternate);
    else
      sha.add(key);
  auto digest = sha.finish();

  for (std::size_t i = 0; i < key.size(); ++i) sha.add(key);
  const std::string key_bytes = repeated(sha.finish(), key.size());
  for (unsigned i = 0; i < 16U + digest[0]; ++i) sha.add(salt);
  const std::string salt_bytes = repeated(sha.finish(), salt.size());

  for (unsigned round = 0; round < rounds; ++round) {
    const bool odd = round % 2 != 0;
    if (odd)
      sha.add(key_bytes);
    else
      sha.add(digest);
    if (round % 3 != 0) sha.add(salt_bytes);
    if (round % 7 != 0) sha.add(key_bytes);
    if (odd)
      sha.add(digest);
    else
      sha.add(key_bytes);
    digest = sha.finish();
  }
  return crypt_text(digest);
}

std::string caching_sha2_hash(const Secret& password, std::string_view salt, unsigned cost) {
  return fmt::format("{}{:03X}${}{}", kCachingSha2, cost, salt,
                     sha256_crypt(password, salt, cost * kRoundsPerCost));
}

std::optional<bool> matches_caching_sha2(const Secret& password, std::string_view stored) {
  constexpr std::size_t kSaltAt = kCachingSha2.size() + kCostLength + 1, kHashAt = kSaltAt + kSaltLength;
  const bool pbkdf2 = stored.starts_with(kCachingSha2Pbkdf2);
  const std::size_t length = pbkdf2 ? kPbkdf2Length : kHashLength;
  if (stored.size() != kHashAt + length || !(pbkdf2 || stored.starts_with(kCachingSha2)) ||
      stored[kSaltAt - 1] != '$')
    return std::nullopt;
  unsigned cost = 0;
  const char* const cost_end = stored.data() + kSaltAt - 1;
  const auto [end, error] = std::from_chars(stored.data() + kCachingSha2.size(), cost_end, cost, 16);
  if (error != std::errc{} || end != cost_end || cost == 0) return std::nullopt;
  const std::string_view salt = stored.substr(kSaltAt, kSaltLength);
  const std::string hash = pbkdf2 ? pbkdf2_sha512(password, salt, cost * kRoundsPerCost)
                                  : sha256_crypt(password, salt, cost * kRoundsPerCost);
  return CRYPTO_memcmp(hash.data(), stored.substr(kHashAt).data(), length) == 0;
}

std::string short_digest(std::string_view text) {
  return hex(digest(EVP_sha256(), text), false).substr(0, 16);
}

}  // namespace stemma
