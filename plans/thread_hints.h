// What to do about a thread of a channel that failed, by its error's number and text, and the channel's options.
#pragma once

#include <string>

#include "plans/observed.h"

namespace stemma {

// "" where the error says it all, or is unknown.
std::string receiver_hint(const Channel&);

// Of an applier that stopped with an error. What a statement says of a relay log that can't even be opened is another
// error: providers/mysql/relay_log.h.
std::string applier_hint(const Channel&);

}  // namespace stemma
