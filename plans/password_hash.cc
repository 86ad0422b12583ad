#include "plans/password_hash.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
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

}  // namespace

std::string native_password_hash(const Secret& password) {
  if (password.reveal().empty()) return {};
  return "*" + hex(digest(EVP_sha1(), digest(EVP_sha1(), password.reveal())), true);
}

std::string short_digest(std::string_view text) {
  return hex(digest(EVP_sha256(), text), false).substr(0, 16);
}

}  // namespace stemma
