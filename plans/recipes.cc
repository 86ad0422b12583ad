#include "plans/recipes.h"

#include <fmt/format.h>

#include <algorithm>

#include "plans/judge_parts.h"

namespace stemma {
namespace {

constexpr int kAccessDenied = 1045;

bool is_missing(const Fact& fact, const Scene& scene) {
  return judge(fact, scene).verdict == Verdict::missing;
}

std::string first_message(const Fact& fact, const Scene& scene) {
  const Judgement judgement = judge(fact, scene);
  for (const Finding& found : judgement.findings)
    if (found.weight == Weight::error) return found.message;
  return {};
}

void add_all(std::vector<Fact>& into, const std::vector<Fact>& more) {
  into.insert(into.end(), more.begin(), more.end());
}

// The transaction on which the applier stands still changes an account that this server does not have: it can
// go on only when the account is there.
bool waits_for_the_account(const Channel* channel) {
  if (channel == nullptr || channel->applier) return false;
  return channel->applier_errno == 1133 ||
         (channel->applier_errno == 1396 &&
          (channel->applier_error.find("ALTER USER") != std::string::npos ||
           channel->applier_error.find("SET PASSWORD") != std::string::npos ||
           channel->applier_error.find("DROP USER") != std::string::npos));
}

}  // namespace

void Recipes::run() {
  for (const Server& server : scene_.desired.servers) decide(server);
  for (const Server& server : scene_.desired.servers) {
    if (state(server.name) == nullptr) {
      plan_.notes.push_back(fmt::format(
          "{} could not be looked at: its steps, and those that need it, are left out", server.name.text));
      continue;
    }
    variables(server);
    account(server);
    fence(server);
    channel(server);
    note_unused_provision(server);
  }
  for (const Server& server : scene_.desired.servers) unfence(server);
  order_fresh_chains();
  hold_back_for_word();
}

void Recipes::decide(const Server& server) {
  if (!server.source) return;
  ChannelWork& work = work_[server.name];
  const ServerState* seen = state(server.name);
  const ServerState* source = state(*server.source);
  work.left_out = seen == nullptr || source == nullptr;
  if (work.left_out) return;
  const Channel* channel = seen->channel();
  const bool by_gtid = wants_gtid(scene_.desired, server, *seen);
  const bool in_order =
      judge(Follows{server.name, *server.source, by_gtid}, scene_).verdict == Verdict::holds;
  const bool threads_fine = in_order && thread_findings(server, *channel).empty();
  // A login that is refused may be the account's fault or the channel's: nothing can read the channel's
  // password on MariaDB, so it is said again.
  const bool login_refused = in_order && channel->receiver_errno == kAccessDenied;
  // The same when the account gets another password: a channel that still has the old one runs on until it has
  // to connect again.
  // Its own account is given the password last, so an apply that was cut short in between shows there.
  const bool rotated =
      in_order && account_can_change(*scene_.desired.find(*server.source)) &&
      ((source->replication_account &&
        is_missing(AccountIs{*server.source, AccountAspect::secret}, scene_)) ||
       (seen->replication_account && is_missing(AccountIs{server.name, AccountAspect::secret}, scene_)));
  // 1236: the source can't send what the replica asks for; starting it again would only fail again.
  const bool cannot_read = in_order && channel->receiver_errno == 1236;
  if (threads_fine && !rotated) return;
  // Even a mere start goes on from a place, which must be the replica's own.
  const bool start_only = in_order && !login_refused && !rotated;
  {
    AttachDecision decision = decide_attach(scene_, server, start_only && !cannot_read);
    if (decision.refusal) {
      plan_.refusals.push_back(std::move(*decision.refusal));
      work.left_out = work.refused = true;
      return;
    }
    if (!start_only || !decision.attach->in_place) work.attach = std::move(decision.attach);
  }
  work.restart = !work.attach;
  work.rounds = work.attach && work.attach->by_gtid_first ? 2 : 1;
}

// A server that replicates gets its account changed only after it has caught up; one that can't keeps the old one.
bool Recipes::account_can_change(const Server& server) const {
  if (!server.source) return true;
  const ServerState* seen = state(server.name);
  const Channel* channel = seen == nullptr ? nullptr : seen->channel();
  return state(*server.source) != nullptr && (channel == nullptr || channel->delay == 0) &&
         server.channel.delay.value_or(std::chrono::seconds{0}).count() == 0;
}

Fact Recipes::noted(const Server& replica) const {
  CoordinatesNoted fact{*replica.source, std::nullopt};
  if (replica.provision == Provision::assume_identical) fact.at = state(*replica.source)->coordinates;
  return fact;
}

std::vector<Fact> Recipes::account_ready(const ServerName& server) const {
  return {AccountIs{server, AccountAspect::exists}, AccountIs{server, AccountAspect::secret},
          AccountIs{server, AccountAspect::granted}};
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
  if (by_gtid && (from_notes || std::holds_alternative<FromGtid>(origin))) {
    Step& adopt = draft_.add(
        StepKind::adopt_position, server.name, {PositionAdopted{server.name}}, needs,
        fmt::format("set gtid_slave_pos of {} to where its data stand", server.name.text), attach.reason);
    adopt.origin = origin;
    needs.emplace_back(PositionAdopted{server.name});
  }
  Step& step = draft_.add(StepKind::configure_source, server.name,
                          {Follows{server.name, *server.source, by_gtid}}, std::move(needs),
                          fmt::format("follow {} at {}", server.source->text, to_text(source.advertise)),
                          attach.reason);
  step.origin = origin;
  step.hazards = attach.hazards;
}

void Recipes::start(const Server& server, int round, std::vector<Fact> needs) {
  if (server.read_only) needs.emplace_back(ReadOnly{server.name, true});
  add_all(needs, account_ready(*server.source));
  if (waits_for_the_account(state(server.name)->channel()))
    needs.emplace_back(AccountIs{server.name, AccountAspect::exists});
  draft_.add(StepKind::start_replica, server.name, {ChannelOn{server.name, round}}, std::move(needs),
             fmt::format("start both threads of {}", server.name.text),
             round == 1 ? "it is to replicate" : "it goes on by file and position");
  draft_.add(StepKind::await_running, server.name, {Flowing{server.name, *server.source, round}},
             {ChannelOn{server.name, round}},
             fmt::format("wait until both threads run and {} has received what {} had", server.name.text,
                         server.source->text),
             "running means that data flow");
}

void Recipes::channel(const Server& server) {
  const auto found = work_.find(server.name);
  if (found == work_.end() || found->second.left_out || found->second.rounds == 0) return;
  const ChannelWork& work = found->second;
  const Channel* now = state(server.name)->channel();
  if (work.restart) {
    std::vector<Fact> needs = {Follows{server.name, *server.source, now->gtid != ChannelGtid::no}};
    // A receiver that failed to connect sleeps for connect_retry; only a stop makes it try at once.
    if (now->receiver == ReceiverState::connecting) {
      draft_.add(StepKind::stop_replica, server.name, {ReceiverOff{server.name}},
                 account_ready(*server.source),
                 fmt::format("stop the receiver of {}, which waits before it tries again", server.name.text),
                 thread_findings(server, *now).front().message);
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
    if (!attach.fresh) before = account_ready(*server.source);
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
  const bool by_gtid = wants_gtid(scene_.desired, server, *state(server.name)) || attach.by_gtid_first;
  configure(server, attach, attach.origin, by_gtid, std::move(needs));
  start(server, 1, {Follows{server.name, *server.source, by_gtid}});
  if (!attach.by_gtid_first) return;
  stop(server, 2, {Flowing{server.name, *server.source, 1}}, true);
  Attach back;
  back.reason = "declared are file and position: those that it has executed by now";
  configure(server, back, FromExecuted{}, false, {ChannelOff{server.name, 2}});
  start(server, 2, {Follows{server.name, *server.source, false}});
}

bool Recipes::waits_for_catch_up(const Server& server) const {
  const auto found = work_.find(server.name);
  if (found == work_.end()) return false;
  const ChannelWork& work = found->second;
  const ServerState& seen = *state(server.name);
  if (work.attach && work.attach->fresh) {
    // Only a replay brings the account's own history; everything else starts behind it.
    const ServerState* source = state(*server.source);
    return std::holds_alternative<FromFirstBinlog>(work.attach->origin) && source != nullptr &&
           source->replication_account;
  }
  return !waits_for_the_account(seen.channel());
}

std::vector<Fact> Recipes::before_account(const Server& server, bool& wait_impossible) {
  wait_impossible = false;
  if (!server.source || !waits_for_catch_up(server)) return {};
  const ChannelWork& work = work_.at(server.name);
  const CaughtUp caught_up{server.name, *server.source};
  if (work.rounds == 0 && judge(caught_up, scene_).verdict == Verdict::holds) return {};
  const Channel* channel = state(server.name)->channel();
  const bool delayed = (channel != nullptr && channel->delay > 0) ||
                       server.channel.delay.value_or(std::chrono::seconds{0}).count() > 0;
  if (delayed || work.left_out) {
    wait_impossible = true;
    if (work.refused) return {};  // the refusal says enough about its server
    plan_.notes.push_back(
        fmt::format("the replication account on {} is left alone: {}", server.name.text,
                    delayed ? "it is delayed, and its source's own changes of the account must come first"
                            : "it can't catch up with its source now"));
    return {};
  }
  catch_up(server);
  return {caught_up};
}

void Recipes::catch_up(const Server& server) {
  const CaughtUp caught_up{server.name, *server.source};
  if (draft_.provides(caught_up)) return;
  std::vector<Fact> needs;
  if (const int rounds = work_.at(server.name).rounds; rounds > 0)
    needs.emplace_back(Flowing{server.name, *server.source, rounds});
  draft_.add(StepKind::await_caught_up, server.name, {caught_up}, std::move(needs),
             fmt::format("wait until {} has executed what {} had", server.name.text, server.source->text),
             "its source's own changes of the account must come first");
}

void Recipes::account(const Server& server) {
  const bool replicates = server.source || !scene_.desired.replicas_of(server.name).empty();
  if (!scene_.desired.replication || !replicates) return;
  const auto is = [&](AccountAspect aspect) { return AccountIs{server.name, aspect}; };
  const Fact exists = is(AccountAspect::exists), secret = is(AccountAspect::secret),
             granted = is(AccountAspect::granted), nothing_more = is(AccountAspect::nothing_more);
  const bool create = is_missing(exists, scene_);
  if (!create && !is_missing(secret, scene_) && !is_missing(granted, scene_) &&
      !is_missing(nothing_more, scene_))
    return;
  bool wait_impossible = false;
  const std::vector<Fact> needs = before_account(server, wait_impossible);
  if (wait_impossible) return;
  const std::string name =
      to_text(AccountName{scene_.desired.replication->user, scene_.desired.replication->host});
  const auto add = [&](StepKind kind, std::vector<Fact> ensures, std::string summary,
                       const Fact& why) -> Step& {
    return draft_.add(kind, server.name, std::move(ensures), needs, std::move(summary),
                      first_message(why, scene_));
  };
  if (create && server.source && waits_for_the_account(state(server.name)->channel())) {
    // The account lets the applier go on, which then replays its source's own changes of that account. What they
    // leave behind is mended after them.
    add(StepKind::create_user, {exists},
        fmt::format("create {} with REPLICATION SLAVE, outside the binlog", name), exists);
    const CaughtUp caught_up{server.name, *server.source};
    catch_up(server);
    draft_.add(StepKind::alter_user, server.name, {secret}, {caught_up, exists},
               fmt::format("give {} the declared plugin and password", name),
               "the replayed change may have undone it");
    return;
  }
  if (create) {
    add(StepKind::create_user, {exists, secret, granted, nothing_more},
        fmt::format("create {} with REPLICATION SLAVE, outside the binlog", name), exists);
    return;
  }
  if (is_missing(secret, scene_))
    add(StepKind::alter_user, {secret}, fmt::format("give {} the declared plugin and password", name),
        secret);
  if (is_missing(granted, scene_))
    add(StepKind::grant, {granted}, fmt::format("grant REPLICATION SLAVE to {}", name), granted);
  if (is_missing(nothing_more, scene_))
    add(StepKind::revoke, {nothing_more}, fmt::format("revoke all but REPLICATION SLAVE from {}", name),
        nothing_more)
        .hazards = {Hazard::revoke};
}

void Recipes::fence(const Server& server) {
  const ReadOnly fact{server.name, true};
  if (!server.read_only || !is_missing(fact, scene_)) return;
  std::vector<Fact> needs;
  const auto work = work_.find(server.name);
  // On a fresh replica the account comes before the fence; elsewhere the fence is not kept waiting.
  const bool fresh = work != work_.end() && work->second.attach && work->second.attach->fresh;
  if (fresh && !waits_for_catch_up(server))
    for (const Fact& ready : account_ready(server.name))
      if (draft_.provides(ready)) needs.push_back(ready);
  draft_.add(StepKind::fence, server.name, {fact}, std::move(needs),
             fmt::format("make {} read-only", server.name.text), first_message(fact, scene_));
  std::vector<std::string> through;
  for (const AccountName& account : state(server.name)->read_only_bypass)
    if (account.user != "mariadb.sys") through.push_back(to_text(account));
  if (!through.empty())
    plan_.notes.push_back(
        fmt::format("read_only on {} does not stop {} (READ_ONLY ADMIN), nor events that they define",
                    server.name.text, fmt::join(through, ", ")));
}

void Recipes::unfence(const Server& server) {
  const ReadOnly open{server.name, false};
  if (server.source || server.read_only || state(server.name) == nullptr || !is_missing(open, scene_)) return;
  if (!state(server.name)->channels.empty()) return;  // refused as source.has-channel
  std::vector<Fact> needs;
  for (const Server& other : scene_.desired.servers) {
    if (other.name == server.name || &scene_.desired.root_of(other) != &server) continue;
    if (state(other.name) == nullptr) {
      plan_.notes.push_back(
          fmt::format("{} stays read-only: {} could not be looked at, so nobody knows whether it is fenced",
                      server.name.text, other.name.text));
      return;
    }
    if (other.read_only) needs.emplace_back(ReadOnly{other.name, true});
  }
  draft_
      .add(StepKind::unfence, server.name, {open}, std::move(needs),
           fmt::format("open {} for writes", server.name.text), first_message(open, scene_))
      .hazards = {Hazard::unfence};
}

void Recipes::variables(const Server& server) {
  for (const auto& [name, value] : server.variables) {
    const VariableIs fact{server.name, name};
    if (!is_missing(fact, scene_)) continue;
    if (!state(server.name)->variables.contains(name)) {
      const Judgement judgement = judge(fact, scene_);
      plan_.refusals.insert(plan_.refusals.end(), judgement.findings.begin(), judgement.findings.end());
      continue;
    }
    draft_
        .add(StepKind::set_variable, server.name, {fact}, {}, fmt::format("set {} = {}", name, value),
             first_message(fact, scene_))
        .variable = name;
  }
}

// What a middle server writes into its binlog by replicating must come after its own replicas were told
// where to start.
void Recipes::order_fresh_chains() {
  for (const auto& [name, work] : work_) {
    if (!work.attach || !work.attach->fresh) continue;
    const Server* replica = scene_.desired.find(name);
    const bool by_gtid = wants_gtid(scene_.desired, *replica, *state(name)) || work.attach->by_gtid_first;
    const Fact configured = Follows{name, *replica->source, by_gtid};
    for (const Server* above = scene_.desired.find(*replica->source); above->source;
         above = scene_.desired.find(*above->source))
      draft_.need_also(
          [&](const Step& step) {
            return step.kind == StepKind::start_replica && step.server == above->name;
          },
          configured);
  }
}

// The file's word was given for coordinates that the plan showed. Should they have moved, nothing may have been
// changed: every other step waits for that check.
void Recipes::hold_back_for_word() {
  for (const auto& [name, work] : work_) {
    const Server* replica = scene_.desired.find(name);
    if (!work.attach || replica->provision != Provision::assume_identical ||
        !std::holds_alternative<FromNoted>(work.attach->origin))
      continue;
    draft_.need_also([](const Step& step) { return step.kind != StepKind::capture_coordinates; },
                     noted(*replica));
  }
}

void Recipes::note_unused_provision(const Server& server) {
  if (server.provision != Provision::assume_identical || is_fresh(*state(server.name))) return;
  plan_.notes.push_back(
      fmt::format("provision = \"assume-identical\" of {} is no longer used: it has replicated already. Take "
                  "it out of the file",
                  server.name.text));
}

}  // namespace stemma
