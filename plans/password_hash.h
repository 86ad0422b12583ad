// Password hashes as servers store them, so that a declared password can be compared without a login.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plans/secret.h"

namespace stemma {

// mysql_native_password: '*' and the upper-case hex of SHA1(SHA1(password)); "" for an empty password.
std::string native_password_hash(const Secret& password);

// Whether caching_sha2_password stored this for that password: "$A$005$", twenty bytes of salt, 43 characters of
// SHA-256-crypt; or "$B$00A$", the salt, 88 characters of PBKDF2 with SHA-512, where MySQL 9.7 is told to
// (caching_sha2_password_storage_format). nullopt: it stored something else, such as the "" of an empty password.
// Takes milliseconds, on purpose: 5000 rounds by default, 10000 from MySQL 9.7 on. The text is raw bytes, as
// HEX(authentication_string) tells them.
std::optional<bool> matches_caching_sha2(const Secret& password, std::string_view stored);

// Whether MariaDB's ed25519 stored this for that password: 43 characters, the public key that belongs to it.
// nullopt: it stored something else. Two points of the curve share what is compared; to find a password for the
// other one is as hard as for the right one.
std::optional<bool> matches_ed25519(const Secret& password, std::string_view stored);

// The same for MariaDB's parsec: "P0:", a salt, ':', the public key.
std::optional<bool> matches_parsec(const Secret& password, std::string_view stored);

// What caching_sha2_password stores for a password and a salt of twenty bytes; `cost`, 1 to 4095, is in thousands of rounds.
std::string caching_sha2_hash(const Secret& password, std::string_view salt, unsigned cost = 5);

// The last 43 characters of crypt(3)'s "$5$" form, but with the whole salt, where libc takes 16 bytes of it.
std::string sha256_crypt(const Secret& password, std::string_view salt, unsigned rounds);

// A short fingerprint of any text, the same on every machine: the first 16 hex digits of its SHA-256.
std::string short_digest(std::string_view text);

}  // namespace stemma
