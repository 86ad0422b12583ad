// Ctrl-C: the first asks the program to stop cleanly, the second ends it at once.
#pragma once

#include <atomic>

namespace stemma::cli {

// True once SIGINT or SIGTERM has come. Handlers are installed by the first call; from then on a second signal
// ends the process with 130.
const std::atomic<bool>& stop_requested();

// Lets the program itself ask to stop: the time of --timeout is over.
void request_stop();

}  // namespace stemma::cli
