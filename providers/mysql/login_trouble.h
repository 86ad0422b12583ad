// What keeps a login from succeeding, and what a person should check.
#pragma once

#include <string>

#include "plans/error.h"
#include "plans/topology.h"

namespace stemma::mysql {

// For an error of mysql_real_connect: its number, and what it said.
std::string connect_hint(unsigned number, const std::string& said, const Address&);

// What is wrong with TLS before anybody is asked; the libraries say it badly or, worse, go on. `switched_off`: what in
// the environment keeps the library from verifying, or nullptr.
Result<void> check_tls(const Tls&, const char* switched_off);

// verify-identity would be less than it says: this client library compares no name with that host.
Error name_not_compared(const std::string& host);

}  // namespace stemma::mysql
