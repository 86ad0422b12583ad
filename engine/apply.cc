#include "engine/apply.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "engine/attempt.h"
#include "engine/board.h"
#include "engine/survey.h"
#include "plans/diff.h"
#include "plans/planner.h"

namespace stemma {
namespace {

// Who holds it is in the server's processlist, where an account without PROCESS sees only its own sessions.
std::string words_for(const LockHolder& holder) {
  if (holder.user.empty()) return "a session of another account, which this one may not see (PROCESS)";
  return fmt::format("{}@{}, for {} s", holder.user, holder.host, holder.seconds);
}

Error held_by(const LockHolder& holder) {
  return {Trouble::locked,
          fmt::format("another apply holds the lock on {}: {}", holder.server.text, words_for(holder)),
          "wait for it to end (--lock-timeout 60s does), or look for it in that server's processlist; two "
          "names of the file that lead to one server look like this, too: see `stemma plan`",
          0,
          {}};
}

// All locks or none. Gives the servers that have no answer, which get no step.
Result<std::map<ServerName, Silence>> take_locks(const ApplyTo& to, std::chrono::milliseconds timeout) {
  const auto deadline = to.clock.now() + timeout;
  for (;;) {
    std::mutex guard;
    std::vector<LockHolder> holders;
    std::map<ServerName, Silence> silent;
    side_by_side(names_of(to.topology), 64, [&](const ServerName& name) {
      auto locked = to.provider.lock(name);
      const std::lock_guard lock(guard);
      if (!locked)
        silent[name] = silence_of(locked.error());
      else if (*locked)
        holders.push_back(**locked);
    });
    if (holders.empty()) return silent;
    // Those that were taken must not keep another apply out while this one waits.
    to.provider.unlock_all();
    if (to.stop.load()) return fail(Trouble::interrupted, "stopped while waiting for a lock");
    if (to.clock.now() >= deadline)
      return tl::unexpected(held_by(*std::min_element(
          holders.begin(), holders.end(), [](const auto& a, const auto& b) { return a.server < b.server; })));
    to.clock.sleep(std::chrono::milliseconds(100));
  }
}

Ending ending_of(const Outcome& outcome, bool timed_out, bool silent, bool converged) {
  const bool changed = std::any_of(outcome.effects.begin(), outcome.effects.end(),
                                   [](const auto& effect) { return effect == Effect::made; });
  bool failed = false, stale = false, unsafe = false;
  for (const auto& error : outcome.errors) {
    if (!error || error->trouble == Trouble::interrupted) continue;
    failed = true;
    stale = stale || error->trouble == Trouble::stale;
    unsafe = unsafe || error->trouble == Trouble::unsafe;
  }
  if (outcome.journal_error && !changed) return Ending::no_journal;
  if (failed && !changed && stale) return Ending::stale;
  if (failed && !changed && unsafe) return Ending::refused;
  if (failed || outcome.journal_error || timed_out) return Ending::partly;
  if (outcome.interrupted) return Ending::interrupted;
  if (silent) return Ending::incomplete;
  return converged ? Ending::converged : Ending::partly;
}

}  // namespace

Result<Prepared> prepare_apply(const ApplyTo& to, std::chrono::milliseconds lock_timeout) {
  const auto unlocked = take_locks(to, lock_timeout);
  if (!unlocked) return tl::unexpected(unlocked.error());
  Prepared prepared;
  prepared.fleet = survey(to.provider, to.topology, to.secrets);
  for (const auto& [name, silence] : *unlocked) {
    prepared.fleet.servers.erase(name);
    prepared.fleet.silent.insert_or_assign(name, silence);
  }
  const Outputs nothing_yet;
  auto plan = make_plan(Scene{to.topology, prepared.fleet, to.secrets, nothing_yet});
  if (!plan) return tl::unexpected(plan.error());
  prepared.plan = std::move(*plan);
  return prepared;
}

std::vector<Error> not_allowed(const Plan& plan, const std::vector<std::string>& allow) {
  std::vector<Error> errors;
  for (const Step& step : plan.steps)
    for (const Hazard hazard : step.hazards) {
      if (covered_by_yes(hazard) || std::find(allow.begin(), allow.end(), to_text(hazard)) != allow.end())
        continue;
      errors.push_back({Trouble::unsafe,
                        fmt::format("{}: {} {}", step.id, to_text(hazard), meaning(hazard)),
                        fmt::format("--allow {} permits it", to_text(hazard)),
                        0,
                        {}});
    }
  return errors;
}

bool is_converged(std::vector<Finding>& left, const Topology& topology, const std::string& today) {
  mark_ignored(left, topology, today);
  std::erase_if(left, [](const Finding& found) { return found.code == "replica.lag"; });
  return verdict_of(left) != DriftVerdict::drifted;
}

Result<Applied> carry_out(const Prepared& prepared, const ApplyTo& to, Journal& journal,
                          const ApplyOptions& options) {
  const Plan& plan = prepared.plan;
  if (!plan.refusals.empty())
    return fail(Trouble::unsafe, "the plan is refused: {}", plan.refusals.front().message);
  Board board(to.topology, to.secrets, prepared.fleet, to.clock.now());
  Patience patience;
  patience.in_all = to.topology.limits.step;
  const Work work = [&](const Step& step) {
    return attempt(step, board, to.provider, to.clock, patience, to.stop);
  };
  const auto runner =
      options.parallelism > 1 ? thread_runner(options.parallelism, work) : inline_runner(work);
  const EventSink sink{[&](const Event& event) {
                         if (options.tell) options.tell(event);
                         return journal.write(event, plan);
                       },
                       [&] { return journal.sync(); }};
  Applied applied;
  applied.outcome = execute(plan, *runner, sink, to.stop);
  applied.outputs = board.outputs();

  // Done means read back: the same questions as before, asked again.
  applied.after = survey(to.provider, to.topology, to.secrets);
  const Outputs nothing_yet;
  applied.left = diff(Scene{to.topology, applied.after, to.secrets, nothing_yet});
  const bool converged = is_converged(applied.left, to.topology, options.today);
  const bool timed_out = options.timed_out != nullptr && options.timed_out->load();
  const bool silent = !prepared.fleet.silent.empty() || !applied.after.silent.empty();
  applied.ending = ending_of(applied.outcome, timed_out, silent, converged);
  if (auto finished = journal.finish(applied.outcome, plan, static_cast<int>(applied.ending)); !finished)
    applied.journal_unfinished = finished.error();
  return applied;
}

}  // namespace stemma
