// The exit codes of every command: part of the interface, listed once.
#pragma once

namespace stemma::cli {

enum ExitCode : int {
  ok = 0,             // success, converged
  error = 1,          // file, usage or server error
  differs = 2,        // changes pending, drift, a canary row that did not arrive
  refused = 3,        // a safety check said no, nothing was changed; also a declined question
  stale = 4,          // the saved plan is stale, nothing was changed
  partly = 5,         // partly applied or not converged: run again to go on
  incomplete = 6,     // a server is silent or refuses the login
  lock_held = 7,      // another apply holds the lock
  interrupted = 130,  // stopped cleanly on the user's signal
};

// Of several things that happened in one run: 1 before 6 before 2 before 0.
constexpr int worse(int a, int b) {
  constexpr auto rank = [](int code) {
    return code == ExitCode::error ? 3 : code == ExitCode::incomplete ? 2 : code == ExitCode::differs ? 1 : 0;
  };
  return rank(a) >= rank(b) ? a : b;
}

}  // namespace stemma::cli
