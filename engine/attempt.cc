#include "engine/attempt.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <thread>
#include <utility>

#include "plans/thread_hints.h"

namespace stemma {
namespace {

// Errors of a receiver that go away by themselves: the source is down, restarting or full.
bool may_pass(int number) {
  static constexpr std::array passing = {1040, 1053, 1158, 1159, 1160, 1161, 1203,
                                         2002, 2003, 2005, 2006, 2013, 2055};
  return std::find(passing.begin(), passing.end(), number) != passing.end();
}

// The error of a replication thread that waiting will not mend, if there is one.
std::optional<Error> lasting_error(const Step& step, const ServerState& state) {
  const Link* link = link_of(step);
  const Channel* channel = link == nullptr ? nullptr : state.channel(link->channel);
  const bool waits_for_threads = step.kind == StepKind::start_replica ||
                                 step.kind == StepKind::await_running ||
                                 step.kind == StepKind::await_caught_up;
  if (channel == nullptr || !waits_for_threads) return std::nullopt;
  Error error{Trouble::refused, {}, {}, 0, {}};
  if (!channel->applier && channel->applier_errno != 0) {
    error.message =
        fmt::format("the applier stopped with {}: {}", channel->applier_errno, channel->applier_error);
    error.hint = "stemma never skips a transaction: mend the data on the replica, then apply again";
    if (channel->relay_log_unreadable())
      error.hint = channel->fetches_anew()
                       ? "fetched anew, it can't be read either: look at the source's binlog with "
                         "mysqlbinlog, and at both servers' encryption keys"
                       : applier_hint(*channel);
    error.number = channel->applier_errno;
    error.code = "replica.applier-error";
  } else if (channel->receiver != ReceiverState::on && channel->receiver_errno != 0 &&
             !may_pass(channel->receiver_errno) && step.kind != StepKind::await_caught_up) {
    error.message =
        fmt::format("the receiver failed with {}: {}", channel->receiver_errno, channel->receiver_error);
    error.hint = receiver_hint(*channel);
    error.number = channel->receiver_errno;
    error.code = "replica.receiver-error";
  } else {
    return std::nullopt;
  }
  return error;
}

// What a step waited for in vain, with what the servers last said.
Error too_late(const Fact& goal, const Judgement& last, const ServerState& state, const Patience& patience) {
  std::string why;
  for (const Finding& found : last.findings) why += (why.empty() ? ": " : "; ") + found.message;
  const Link* link = link_of(goal);
  const Channel* channel = link == nullptr ? nullptr : state.channel(link->channel);
  if (why.empty() && channel != nullptr && !channel->receiver_doing.empty())
    why = fmt::format(": the receiver is at \"{}\"", channel->receiver_doing);
  return {Trouble::late,
          fmt::format("still not true after {} s: {}{}",
                      std::chrono::duration_cast<std::chrono::seconds>(patience.in_all).count(),
                      describe(goal), why),
          "run apply again to go on; limits.step in the file allows a step more time",
          0,
          {}};
}

class Attempt {
 public:
  Attempt(const Step& step, Board& board, Provider& provider, Clock& clock, const Patience& patience,
          const std::atomic<bool>& stop)
      : step_(step),
        board_(board),
        provider_(provider),
        clock_(clock),
        patience_(patience),
        stop_(stop),
        deadline_(clock.now() + patience.in_all),
        state_(board.get(step.server)) {}

  Result<Effect> run() {
    // What the step before left on the board is the reading that this one starts from, if it is young.
    if (clock_.now() - board_.read_at(step_.server, reading_for(step_.kind)) > patience_.trust)
      if (auto read = look(); !read) return tl::unexpected(read.error());
    for (const Fact& need : step_.needs) {
      // Facts about other servers were read back by the steps that made them.
      if (subject(need) != step_.server) continue;
      if (auto held = settle(need); !held) return tl::unexpected(held.error());
    }
    const bool waits = step_.kind == StepKind::await_running || step_.kind == StepKind::await_caught_up;
    if (step_.kind == StepKind::await_running)
      if (auto read = look_at_both(); !read) return tl::unexpected(read.error());
    // A channel's password can't be read: that everything else of it holds says nothing, so it is said again.
    const bool shows_all = step_.kind != StepKind::configure_source;
    if (!waits && shows_all && !first_missing()) return Effect::already;
    if (!waits)
      if (auto done = act(); !done) return tl::unexpected(done.error());
    return wait_for_it(waits);
  }

 private:
  Result<void> look() {
    auto read = provider_.refresh(step_.server, reading_for(step_.kind), state_);
    if (read)
      board_.put(step_.server, state_, reading_for(step_.kind), clock_.now());
    else
      board_.forget_readings(step_.server);  // its connection is closed: the next step begins with a look
    return read;
  }

  // Where the source stands now that START has returned, and where the replica does, asked at the same time: what
  // the replica has received can only be more by the time it counts.
  Result<void> look_at_both() {
    const auto& flowing = std::get<Flowing>(step_.ensures.front());
    Result<Moment> moment = Moment{};
    Result<void> read;
    {
      const std::jthread other([&] { moment = board_.coordinates_from_now(flowing.source, provider_); });
      read = look();
    }
    if (!moment) return tl::unexpected(moment.error().within(fmt::format("asking {}", flowing.source.text)));
    board_.after_start(flowing.link, *moment);
    return read;
  }

  Error made_another_value(const std::pair<Fact, Judgement>& missing) const {
    std::string now;
    for (const Finding& found : missing.second.findings)
      if (found.weight == Weight::error) now = fmt::format(": {}", found.message);
    return {Trouble::refused,
            fmt::format("the server has made another value of it{}", now),
            "declare the value that the server has made of it, or one that it takes as it is",
            0,
            {}};
  }

  // What this server has just executed is more than what its replicas were to reach.
  Result<void> tell_replicas() {
    const bool caught_up = std::holds_alternative<CaughtUp>(step_.ensures.front());
    if (!caught_up || !board_.has_replicas(step_.server)) return {};
    auto moment = board_.coordinates_from_now(step_.server, provider_);
    if (!moment) return tl::unexpected(moment.error());
    board_.caught_up(step_.server, *moment);
    return {};
  }

  // A need that does not hold fails the step, with one exception, that an applier is at work on it: it may say that it
  // has read all there is before it has noticed the last that its receiver wrote, and its source may have got further
  // meanwhile.
  Result<void> settle(const Fact& need) {
    auto pause = patience_.first_pause;
    while (board_.judge(need, state_).verdict == Verdict::missing) {
      const bool comes = std::holds_alternative<Drained>(need) || std::holds_alternative<CaughtUp>(need);
      const Channel* channel = comes ? state_.channel(link_of(need)->channel) : nullptr;
      if (channel == nullptr || !channel->applier || clock_.now() >= deadline_)
        return fail(Trouble::stale, "no longer true: {}", describe(need));
      if (stop_.load()) return fail(Trouble::interrupted, "interrupted while waiting: {}", describe(need));
      clock_.sleep(pause);
      pause = std::min(pause * 2, patience_.longest_pause);
      if (auto read = look(); !read) return read;
    }
    return {};
  }

  // A fact that does not hold. What nothing can tell (a hash of an unknown kind) is left to the server's word.
  std::optional<std::pair<Fact, Judgement>> first_missing() const {
    for (const Fact& goal : step_.ensures)
      if (auto judgement = board_.judge(goal, state_); judgement.verdict == Verdict::missing)
        return std::pair{goal, std::move(judgement)};
    return std::nullopt;
  }

  Result<void> act() {
    auto done = provider_.perform(step_, board_.outputs(), state_);
    if (!done && done.error().trouble == Trouble::unreachable) {
      // Nobody knows whether it took effect: look, and only then decide. The next look connects anew.
      if (auto read = look(); !read) return read.error().trouble == Trouble::locked ? read : done;
      if (first_missing()) return done;
      return {};
    }
    if (!done) {
      // The connection was closed, and half a step may have been done: the next step of this server looks for itself.
      board_.forget_readings(step_.server);
      return done;
    }
    if (step_.kind == StepKind::capture_coordinates)
      if (auto noted = note_coordinates(); !noted) return noted;
    board_.put(step_.server, state_, reading_for(step_.kind), clock_.now());
    return {};
  }

  // The coordinates were read first and the contents after them: what was written in between is replicated,
  // what came before is seen here.
  Result<void> note_coordinates() {
    const auto& fact = std::get<CoordinatesNoted>(step_.ensures.front());
    const std::string& name = step_.server.text;
    if (fact.at && state_.coordinates != *fact.at)
      return tl::unexpected(
          Error{Trouble::stale,
                fmt::format("{}.coordinates: {} → {}", name, to_text(*fact.at), to_text(state_.coordinates)),
                "its replicas' data were declared identical at the coordinates that the plan showed; "
                "stop the writes, or give the backup's own coordinates with `at`",
                0,
                {}});
    if (!fact.at) {
      std::vector<std::string> written = board_.data_of(state_);
      const auto before = board_.get(step_.server).accounts;
      for (const AccountName& account : state_.accounts)
        if (std::find(before.begin(), before.end(), account) == before.end() &&
            !board_.is_replication(account))
          written.push_back(to_text(account));
      if (!written.empty())
        return tl::unexpected(Error{
            Trouble::unsafe,
            fmt::format("{} is no longer empty, its replicas would lack: {}", name, fmt::join(written, ", ")),
            "plan again: it names the ways on", 0, "replica.data-missing"});
    }
    board_.note(step_.server, moment_of(state_));
    return {};
  }

  Result<Effect> wait_for_it(bool waits) {
    auto pause = patience_.first_pause;
    Clock::Time error_since{};  // of a thread's error that stands since then; the clock's beginning: none
    for (;;) {
      const auto missing = first_missing();
      if (!missing) {
        if (waits) board_.forget_readings(step_.server);
        const auto told = tell_replicas();
        if (told) return Effect::made;
        if (told.error().trouble != Trouble::unreachable || stop_.load() || clock_.now() >= deadline_)
          return tl::unexpected(told.error());
        clock_.sleep(patience_.longest_pause);
        continue;
      }
      // SET has returned: what the server says now it will say in a minute, too.
      if (step_.kind == StepKind::set_variable) return tl::unexpected(made_another_value(*missing));
      if (const auto error = lasting_error(step_, state_); !error) {
        error_since = {};
      } else if (error_since == Clock::Time{}) {
        error_since = clock_.now();
      } else if (clock_.now() - error_since >= patience_.error_settles) {
        return tl::unexpected(*error);
      }
      if (stop_.load())
        return fail(Trouble::interrupted, "interrupted while waiting: {}", describe(missing->first));
      if (clock_.now() >= deadline_)
        return tl::unexpected(too_late(missing->first, missing->second, state_, patience_));
      // The server has answered, but not as it was told: a second look tells a slow server from a deaf one.
      clock_.sleep(pause);
      pause = std::min(pause * 2, patience_.longest_pause);
      if (auto read = look(); !read) {
        // A wait outlives a lost connection; a step that acted has to be looked at by the next run.
        if (!waits || read.error().trouble != Trouble::unreachable) return tl::unexpected(read.error());
      }
    }
  }

  const Step& step_;
  Board& board_;
  Provider& provider_;
  Clock& clock_;
  const Patience& patience_;
  const std::atomic<bool>& stop_;
  const Clock::Time deadline_;
  ServerState state_;
};

}  // namespace

Result<Effect> attempt(const Step& step, Board& board, Provider& provider, Clock& clock,
                       const Patience& patience, const std::atomic<bool>& stop) {
  return Attempt(step, board, provider, clock, patience, stop).run();
}

}  // namespace stemma
