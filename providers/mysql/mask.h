// No password in what a server said.
#pragma once

#include "plans/error.h"
#include "plans/fact.h"

namespace stemma::mysql {

// A server quotes the statement that it could not read, password and all, or a part of it: in its stead stands <secret>.
Error without_secret(Error, const Secrets&);

}  // namespace stemma::mysql
