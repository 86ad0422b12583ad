// MariaDB's plugins with a public key in place of a hash: ed25519 and parsec.
#include <openssl/bn.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <string>

#include "plans/password_hash.h"

namespace stemma {
namespace {

constexpr std::size_t kKey = 32;
using Key = std::array<unsigned char, kKey>;

void check(bool done) {
  if (!done) throw std::runtime_error("OpenSSL can't compute a public key");
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Bytes from base 64 without its padding; "" for anything else.
std::string from_base64(std::string_view text) {
  std::string padded(text);
  padded.append((4 - text.size() % 4) % 4, '=');
  std::string bytes(padded.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), bytes_of(padded),
                                     static_cast<int>(padded.size()));
  if (length < 0) return {};
  bytes.resize(static_cast<std::size_t>(length) - (padded.size() - text.size()));
  return bytes;
}

std::optional<Key> key_of(std::string_view base64) {
  const std::string bytes = from_base64(base64);
  if (bytes.size() != kKey) return std::nullopt;
  Key key{};
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(key.data()));
  return key;
}

// The public key of a private one of that kind.
Key public_key(int kind, const unsigned char* secret) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pair(
      EVP_PKEY_new_raw_private_key(kind, nullptr, secret, kKey), EVP_PKEY_free);
  Key key{};
  std::size_t length = key.size();
  check(pair && EVP_PKEY_get_raw_public_key(pair.get(), key.data(), &length) == 1);
  return key;
}

// Whether an X25519 public key, u, and an Ed25519 one, y, are of one private key: u = (1 + y) / (1 - y) modulo
// 2^255 - 19 (RFC 7748, 4.1). The sign of x, the highest bit of an Ed25519 key, takes no part.
bool same_point(const Key& montgomery, Key edwards) {
  edwards.back() &= 0x7F;
  struct Free {
    void operator()(BIGNUM* number) const { BN_free(number); }
    void operator()(BN_CTX* context) const { BN_CTX_free(context); }
  };
  using Number = std::unique_ptr<BIGNUM, Free>;
  const std::unique_ptr<BN_CTX, Free> context(BN_CTX_new());
  const Number p(BN_new()), u(BN_lebin2bn(montgomery.data(), kKey, nullptr)),
      y(BN_lebin2bn(edwards.data(), kKey, nullptr)), above(BN_new()), below(BN_new()), product(BN_new());
  check(context && p && u && y && above && below && product);
  check(BN_set_bit(p.get(), 255) == 1 && BN_sub_word(p.get(), 19) == 1);
  check(BN_mod_add(above.get(), BN_value_one(), y.get(), p.get(), context.get()) == 1 &&
        BN_mod_sub(below.get(), BN_value_one(), y.get(), p.get(), context.get()) == 1 &&
        BN_mod_mul(product.get(), u.get(), below.get(), p.get(), context.get()) == 1);
  return BN_cmp(product.get(), above.get()) == 0;
}

}  // namespace

// MariaDB hashes the password itself where Ed25519 hashes a seed of 32 bytes, so OpenSSL's Ed25519 can't be given
// one. Its X25519 takes the hashed half, makes it even and so on as Ed25519 does, and comes to the same point of the
// same curve in other coordinates.
std::optional<bool> matches_ed25519(const Secret& password, std::string_view stored) {
  const auto key = key_of(stored);
  if (!key) return std::nullopt;
  std::array<unsigned char, 64> digest{};
  const std::string& text = password.reveal();
  check(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha512(), nullptr) == 1);
  return same_point(public_key(EVP_PKEY_X25519, digest.data()), *key);
}

std::optional<bool> matches_parsec(const Secret& password, std::string_view stored) {
  // "P0:", 24 characters of salt, ':', 43 of the key. The digit doubles 1024 rounds as often as it says.
  constexpr std::size_t kSaltAt = 3, kSaltLength = 24, kKeyAt = kSaltAt + kSaltLength + 1;
  constexpr int kRounds = 1024;
  if (stored.size() < kKeyAt || !stored.starts_with('P') || stored[1] < '0' || stored[1] > '9' ||
      stored[kSaltAt - 1] != ':' || stored[kKeyAt - 1] != ':')
    return std::nullopt;
  const auto key = key_of(stored.substr(kKeyAt));
  const std::string salt = from_base64(stored.substr(kSaltAt, kSaltLength));
  if (!key || salt.empty()) return std::nullopt;
  Key seed{};
  const std::string& text = password.reveal();
  check(PKCS5_PBKDF2_HMAC(text.data(), static_cast<int>(text.size()), bytes_of(salt),
                          static_cast<int>(salt.size()), kRounds << (stored[1] - '0'), EVP_sha512(),
                          static_cast<int>(seed.size()), seed.data()) == 1);
  return public_key(EVP_PKEY_ED25519, seed.data()) == *key;
}

}  // namespace stemma
