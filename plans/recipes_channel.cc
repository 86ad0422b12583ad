#include "plans/recipes.h"

#include <fmt/format.h>

#include <algorithm>

#include "plans/judge_parts.h"

namespace stemma {
namespace {

constexpr int kAccessDenied = 1045;

void add_all(std::vector<Fact>& into, const std::vector<Fact>& more) {
  into.insert(into.end(), more.begin(), more.end());
}

}  // namespace

// What happens to a replica depends on what happens to its source, wherever in the file that stands.
void Recipes::decide_from_above(const Server& server) {
  std::vector<const Server*> undecided;
  for (const Server* at = &server; at->source && !work_.contains(at->name);
       at = scene_.desired.find(*at->source))
    undecided.push_back(at);
  for (auto at = undecided.rbegin(); at != undecided.rend(); ++at) decide(**at);
}

void Recipes::decide(const Server& server) {
  ChannelWork& work = work_[server.name];
  const ServerState* seen = state(server.name);
  const ServerState* source = state(*server.source);
  work.left_out = seen == nullptr || source == nullptr;
  if (work.left_out) return;
  const Channel* channel = seen->channel();
  const bool by_gtid = wants_gtid(scene_.desired, scene_.observed, server);
  const bool in_order =
      judge(Follows{server.name, *server.source, by_gtid}, scene_).verdict == Verdict::holds;
  const bool threads_fine = in_order && thread_findings(server, *channel).empty();
  // A login that is refused may be the account's fault or the channel's: nothing can read the channel's
  // password on MariaDB, so it is said again.
  const bool login_refused = in_order && channel->receiver_errno == kAccessDenied;
  // The same when the account gets another password: a channel that still has the old one runs on until it has
  // to connect again.
  // Its own account is given the password last, so an apply that was cut short in between shows there.
  const auto another_password = [&](const ServerName& name) {
    return state(name)->replication_account && is_missing(AccountIs{name, AccountAspect::secret});
  };
  const bool rotated =
      in_order &&
      (another_password(*server.source) || (another_password(server.name) && account_can_change(server))) &&
      account_can_change(*scene_.desired.find(*server.source));
  // 1236: the source can't send what the replica asks for; starting it again would only fail again.
  const bool cannot_read = in_order && channel->receiver_errno == 1236;
  const bool semi_sync = in_order && semi_sync_changes(server);
  if (threads_fine && !rotated && !semi_sync) return;
  // Even a mere start goes on from a place, which must be the replica's own.
  const bool start_only = in_order && !login_refused && !rotated;
  AttachDecision decision = decide_attach(scene_, server, start_only && !cannot_read);
  if (decision.refusal) {
    plan_.refusals.push_back(std::move(*decision.refusal));
    work.left_out = work.refused = true;
    return;
  }
  if (!start_only || !decision.attach->in_place) work.attach = std::move(decision.attach);
  work.restart = !work.attach;
  work.reconnect = work.restart && (semi_sync || channel->receiver == ReceiverState::connecting);
  if (leave_out(server)) {
    work = {};
    work.left_out = true;
    return;
  }
  work.rounds = work.attach && work.attach->by_gtid_first ? 2 : 1;
}

// Steps that can only fail are not planned: what they wait for is told instead.
bool Recipes::leave_out(const Server& server) {
  const auto above = work_.find(*server.source);
  const bool source_stuck = above != work_.end() && above->second.left_out;
  std::optional<Fact> awaited = missing_account(server);
  if (const auto& attach = work_.at(server.name).attach;
      !awaited && attach && attach->source_lags && source_stuck)
    awaited = CaughtUp{*server.source, *scene_.desired.find(*server.source)->source};
  if (!awaited) return false;
  if (!source_stuck || !above->second.refused)
    plan_.notes.push_back(fmt::format("the channel of {} is left alone until this is so: {}",
                                      server.name.text, describe(*awaited)));
  return true;
}

void Recipes::channel(const Server& server) {
  const auto found = work_.find(server.name);
  if (found == work_.end() || found->second.left_out || found->second.rounds == 0) return;
  const ChannelWork& work = found->second;
  const Channel* now = state(server.name)->channel();
  if (work.restart) {
    std::vector<Fact> needs = {Follows{server.name, *server.source, now->gtid != ChannelGtid::no}};
    // A receiver that failed to connect sleeps for connect_retry; only a stop makes it try at once.
    if (work.reconnect && now->receiver != ReceiverState::off) {
      const bool waits = now->receiver == ReceiverState::connecting;
      draft_.add(StepKind::stop_replica, server.name, {ReceiverOff{server.name}}, account_needed_by(server),
                 fmt::format("stop the receiver of {}{}", server.name.text,
                             waits ? ", which waits before it tries again" : ""),
                 waits ? thread_findings(server, *now).front().message
                       : "semi-sync is agreed on when a receiver connects");
      needs.emplace_back(ReceiverOff{server.name});
    }
    start(server, 1, std::move(needs));
    return;
  }
  const Attach& attach = *work.attach;
  std::vector<Fact> needs;
  if (now != nullptr && (now->receiver != ReceiverState::off || now->applier)) {
    // Late: it serves readers until the account it will use is there.
    std::vector<Fact> before;
    if (!attach.fresh) before = account_needed_by(server);
    if (server.read_only) before.emplace_back(ReadOnly{server.name, true});
    // What it has received is applied first; a delayed replica gets it again from the same source instead.
    const bool drain = now->applier && (now->delay == 0 || !attach.hazards.empty());
    stop(server, 1, std::move(before), drain);
    needs.emplace_back(ChannelOff{server.name, 1});
  }
  if (attach.source_lags) {
    const Server& source = *scene_.desired.find(*server.source);
    if (source.source) {
      catch_up(source);
      needs.emplace_back(CaughtUp{source.name, *source.source});
    }
  }
  const bool by_gtid = wants_gtid(scene_.desired, scene_.observed, server) || attach.by_gtid_first;
  configure(server, attach, attach.origin, by_gtid, std::move(needs));
  start(server, 1, {Follows{server.name, *server.source, by_gtid}});
  if (!attach.by_gtid_first) return;
  stop(server, 2, {Flowing{server.name, *server.source, 1}}, true);
  Attach back;
  back.reason = "declared are file and position: those that it has executed by now";
  configure(server, back, FromExecuted{}, false, {ChannelOff{server.name, 2}});
  start(server, 2, {Follows{server.name, *server.source, false}});
}

void Recipes::stop(const Server& server, int round, std::vector<Fact> needs, bool drain) {
  const std::string& name = server.name.text;
  const std::string reason = "a channel that runs can't be changed";
  if (drain) {
    draft_.add(StepKind::stop_replica, server.name, {ReceiverOff{server.name, round}}, needs,
               fmt::format("stop the receiver of {}", name), reason);
    draft_.add(StepKind::await_caught_up, server.name, {Drained{server.name, round}},
               {ReceiverOff{server.name, round}},
               fmt::format("wait until {} has applied what it has received", name),
               "nothing that was received is thrown away");
    needs = {Drained{server.name, round}};
  }
  draft_.add(StepKind::stop_replica, server.name, {ChannelOff{server.name, round}}, std::move(needs),
             fmt::format("stop both threads of {}", name), reason);
}

void Recipes::configure(const Server& server, const Attach& attach, const Origin& origin, bool by_gtid,
                        std::vector<Fact> needs) {
  const Server& source = *scene_.desired.find(*server.source);
  if (server.read_only) needs.emplace_back(ReadOnly{server.name, true});
  const bool from_notes = std::holds_alternative<FromNoted>(origin);
  if (from_notes) {
    const Fact fact = noted(server);
    if (!draft_.provides(fact)) {
      const auto& at = std::get<CoordinatesNoted>(fact).at;
      draft_.add(
          StepKind::capture_coordinates, *server.source, {fact}, {},
          at ? fmt::format("check that {} still stands at {}", server.source->text, to_text(*at))
             : fmt::format("note the binlog coordinates of {}, then check that it is still empty",
                           server.source->text),
          at ? "the file's word holds for these coordinates only" : "its replicas start to read there");
    }
    needs.push_back(fact);
  }
  if ((by_gtid && (from_notes || std::holds_alternative<FromGtid>(origin))) || attach.resets_binlog) {
    Step& adopt =
        draft_.add(StepKind::adopt_position, server.name, {PositionAdopted{server.name}}, needs,
                   fmt::format("{}set {} of {} to where its data stand",
                               attach.resets_binlog ? "wipe the binlogs and GTIDs of its own set-up, " : "",
                               state(server.name)->flavor == Flavor::mysql ? "gtid_purged" : "gtid_slave_pos",
                               server.name.text),
                   attach.reason);
    adopt.origin = origin;
    if (attach.resets_binlog) adopt.hazards = {Hazard::reset_binlog};
    needs.emplace_back(PositionAdopted{server.name});
  }
  Step& step = draft_.add(StepKind::configure_source, server.name,
                          {Follows{server.name, *server.source, by_gtid}}, std::move(needs),
                          fmt::format("follow {} at {}", server.source->text, to_text(source.advertise)),
                          attach.reason);
  step.origin = origin;
  step.hazards = attach.hazards;
  std::erase(step.hazards, Hazard::reset_binlog);  // that is adopt-position's
}

void Recipes::start(const Server& server, int round, std::vector<Fact> needs) {
  if (server.read_only) needs.emplace_back(ReadOnly{server.name, true});
  add_all(needs, account_needed_by(server));
  if (waits_for_the_account(state(server.name)->channel()))
    needs.emplace_back(AccountIs{server.name, AccountAspect::exists});
  draft_.add(StepKind::start_replica, server.name, {ChannelOn{server.name, round}}, std::move(needs),
             fmt::format("start both threads of {}", server.name.text),
             round == 1 ? "it is to replicate" : "it goes on by file and position");
  std::vector<Fact> running = {Flowing{server.name, *server.source, round}};
  if (const auto semi_sync = semi_sync_to_reach(server)) running.emplace_back(*semi_sync);
  draft_.add(StepKind::await_running, server.name, std::move(running), {ChannelOn{server.name, round}},
             fmt::format("wait until both threads run and {} has received what {} had", server.name.text,
                         server.source->text),
             "running means that data flow");
}

Fact Recipes::noted(const Server& replica) const {
  CoordinatesNoted fact{*replica.source, std::nullopt};
  if (replica.provision == Provision::assume_identical) fact.at = state(*replica.source)->coordinates;
  return fact;
}

// What a middle server writes into its binlog by replicating must come after its own replicas were told
// where to start.
void Recipes::order_fresh_chains() {
  for (const auto& [name, work] : work_) {
    if (!work.attach || !work.attach->fresh) continue;
    const Server* replica = scene_.desired.find(name);
    const bool by_gtid = wants_gtid(scene_.desired, scene_.observed, *replica) || work.attach->by_gtid_first;
    const Fact configured = Follows{name, *replica->source, by_gtid};
    for (const Server* above = scene_.desired.find(*replica->source); above->source;
         above = scene_.desired.find(*above->source))
      for (const int round : {1, 2}) draft_.need_also(ChannelOn{above->name, round}, configured);
  }
}

// A MySQL server tells its own replicas what it has executed; they are to hear it after it was told itself.
void Recipes::order_adopted_chains() {
  for (const auto& [name, work] : work_) {
    const PositionAdopted adopted{name};
    if (state(name) == nullptr || state(name)->flavor != Flavor::mysql || !draft_.provides(adopted)) continue;
    // Not where the file's word is taken for coordinates that the plan showed: those are checked before anything else.
    draft_.need_also(CoordinatesNoted{name, std::nullopt}, adopted);
  }
}

// The file's word was given for coordinates that the plan showed. Should they have moved, nothing may have been
// changed: every other step waits for that check.
void Recipes::hold_back_for_word() {
  std::vector<Fact> checks;  // each once: many replicas may start at one source's coordinates
  for (const auto& [name, work] : work_) {
    const Server* replica = scene_.desired.find(name);
    if (!work.attach || replica->provision != Provision::assume_identical ||
        !std::holds_alternative<FromNoted>(work.attach->origin))
      continue;
    if (const Fact check = noted(*replica); std::find(checks.begin(), checks.end(), check) == checks.end())
      checks.push_back(check);
  }
  for (const Fact& check : checks) draft_.need_also_all_but(StepKind::capture_coordinates, check);
}

}  // namespace stemma
