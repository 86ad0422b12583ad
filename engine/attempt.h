// One step, carried out: needs true? goal true already? act, read back, wait until it is.
#pragma once

#include <atomic>
#include <chrono>

#include "engine/board.h"
#include "engine/clock.h"
#include "engine/provider.h"
#include "plans/plan.h"

namespace stemma {

enum class Effect { already, made };  // the goal held before; we made it hold (or waited for it)

struct Patience {
  std::chrono::milliseconds in_all{60000};         // the longest that one step may take
  std::chrono::microseconds first_pause{500};      // between looks, growing …
  std::chrono::microseconds longest_pause{50000};  // … up to this
  std::chrono::milliseconds trust{1000};           // a reading younger than this need not be repeated
  std::chrono::milliseconds error_settles{300};    // a thread's error counts when it stands this long
};

// Runs on a worker's thread; steps of one server never overlap. Errors: stale (a need no longer holds), late, and
// whatever the server answered. A lost connection is looked into (did it take effect?), never blindly repeated.
// When `stop` turns true, waiting ends with Trouble::interrupted; a statement that was sent is awaited.
Result<Effect> attempt(const Step&, Board&, Provider&, Clock&, const Patience&,
                       const std::atomic<bool>& stop);

}  // namespace stemma
