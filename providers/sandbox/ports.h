// Addresses on this machine, and who listens on them.
#pragma once

#include <string>

#include "plans/error.h"
#include "plans/topology.h"

namespace stemma::sandbox {

// The numeric address to bind for a loopback TCP address (127.0.0.0/8, ::1, localhost); empty for any
// other, a sandbox does not serve those.
std::string loopback_ip(const Address& address);

// Whether a server could listen at a loopback address now.
// Errors: Trouble::refused, with the process that holds the port where /proc tells.
Result<void> port_is_free(const Address& address);

}  // namespace stemma::sandbox
