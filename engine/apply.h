// A whole apply but for arguments, questions and printing: what the command line and a program of one's own share.
// In order: prepare_apply(), for a saved plan still_as_saved() (plans/plan_file.h), show, not_allowed(), ask, and
// carry_out().
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/clock.h"
#include "engine/executor.h"
#include "engine/journal.h"
#include "engine/provider.h"
#include "plans/fact.h"
#include "plans/plan.h"

namespace stemma {

// Whom an apply works on, and how it is stopped. All are borrowed and must outlive it.
struct ApplyTo {
  const Topology& topology;
  const Secrets& secrets;
  Provider& provider;
  Clock& clock;
  const std::atomic<bool>& stop;
};

// The servers as they were found under their locks, and what is to be done about it.
struct Prepared {
  Fleet fleet;
  Plan plan;
};

// Locks every server, all or none, observes them, and plans. A server without an answer is in Fleet::silent and gets
// no step. Trouble::locked, with the holder named, when another apply holds a lock for longer than `lock_timeout`;
// Trouble::interrupted when `stop` turns true while waiting. The locks last until the provider frees them.
Result<Prepared> prepare_apply(const ApplyTo&, std::chrono::milliseconds lock_timeout);

// One error for each hazard of the plan that neither --yes covers nor `allow` names.
std::vector<Error> not_allowed(const Plan&, const std::vector<std::string>& allow);

// How an apply ended; the number is the exit code of `stemma apply`, and stands in the journal.
enum class Ending : int {
  converged = 0,
  no_journal = 1,  // it could not be written; nothing was changed
  refused = 3,     // a check of the first steps said no; nothing was changed
  stale = 4,       // the servers had moved on; nothing was changed
  partly = 5,      // run again to go on
  incomplete = 6,  // a server is silent
  interrupted = 130,
};

struct ApplyOptions {
  std::size_t parallelism = 64;
  std::string today;                             // "2026-12-31", UTC: ends [[ignore]]s; empty: none ends
  std::function<void(const Event&)> tell;        // on the calling thread; may be empty
  const std::atomic<bool>* timed_out = nullptr;  // `stop` was set because a time was over
};

struct Applied {
  Ending ending = Ending::partly;
  Outcome outcome;
  Outputs outputs;
  Fleet after;                // observed again
  std::vector<Finding> left;  // what still differs there; lag is none of it
  std::optional<Error> journal_unfinished;
};

// Whether nothing that counts is left to mend: marks what the file ignores (until `today`, as in ApplyOptions), and takes
// out lag, which passes by itself.
bool is_converged(std::vector<Finding>& left, const Topology&, const std::string& today);

// Runs the steps of a plan that has been agreed to, each written to the journal before it starts; then asks the
// servers again. The locks must be held. Trouble::unsafe: the plan has refusals.
Result<Applied> carry_out(const Prepared&, const ApplyTo&, Journal&, const ApplyOptions&);

}  // namespace stemma
