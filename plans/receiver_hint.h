// What to do about a receiver that can't connect to its source.
#pragma once

#include <string>

#include "plans/observed.h"

namespace stemma {

// By the channel's error number and text, and its options; "" where the error says it all, or is unknown.
std::string receiver_hint(const Channel&);

}  // namespace stemma
