#include "cli/interrupt.h"

#include <unistd.h>

#include <csignal>

#include "cli/exit_code.h"

namespace stemma::cli {
namespace {

std::atomic<bool> stop_flag{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may touch it");

void on_signal(int) {
  if (stop_flag.exchange(true)) ::_exit(ExitCode::interrupted);
}

bool install() {
  struct sigaction action {};
  action.sa_handler = on_signal;  // no SA_RESTART: a question on the terminal ends, too
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  return true;
}

}  // namespace

const std::atomic<bool>& stop_requested() {
  static const bool installed = install();
  (void)installed;
  return stop_flag;
}

void request_stop() { stop_flag = true; }

}  // namespace stemma::cli
