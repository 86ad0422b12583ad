// Password hashes as servers store them, so that a declared password can be compared without a login.
#pragma once

#include <string>

#include "plans/secret.h"

namespace stemma {

// mysql_native_password: '*' and the upper-case hex of SHA1(SHA1(password)); "" for an empty password.
std::string native_password_hash(const Secret& password);

// A short fingerprint of any text, the same on every machine: the first 16 hex digits of its SHA-256.
std::string short_digest(std::string_view text);

}  // namespace stemma
