#include "plans/recipes.h"

#include <fmt/format.h>

#include <algorithm>

#include "plans/judge_parts.h"
#include "plans/preflight.h"
#include "plans/thread_hints.h"

namespace stemma {
namespace {

constexpr int kAccessDenied = 1045;

void add_all(std::vector<Fact>& into, const std::vector<Fact>& more) {
  into.insert(into.end(), more.begin(), more.end());
}

// Whether the server must be told a GTID position before a channel may start from there.
bool needs_position(const Attach& attach, const Origin& origin, bool by_gtid) {
  return attach.resets_binlog ||
         (by_gtid && (std::holds_alternative<FromNoted>(origin) || std::holds_alternative<FromGtid>(origin)));
}

// Why a receiver has to be stopped before its replica is started; "" where it has not.
std::string why_reconnect(const DeclaredLink& link, const Channel& channel, bool semi_sync) {
  // One that failed to connect sleeps for connect_retry; only a stop makes it try at once.
  if (channel.receiver == ReceiverState::connecting) return thread_findings(link, channel).front().message;
  if (channel.relay_log_unreadable() && channel.fetches_anew()) return applier_hint(channel);
  return semi_sync ? "semi-sync is agreed on when a receiver connects" : "";
}

}  // namespace

// How the channel is configured first; one that is re-pointed by GTID may be brought back to file and position later.
bool Recipes::begins_by_gtid(const DeclaredLink& link, const Attach& attach) const {
  return attach.by_gtid_first || wants_gtid(scene_.desired, scene_.observed, link);
}

// What happens to a replica depends on what happens to its sources, wherever in the file those stand.
void Recipes::decide_from_above(const Server& server) {
  const auto undecided = [&](const Server& at) {
    return !at.is_root() && !work_.contains(links_of(at).front().name());
  };
  if (!undecided(server)) return;
  // Those above come first, and what stands above several ways comes once.
  std::vector<const Server*> path = {&server};
  while (!path.empty()) {
    const Server& at = *path.back();
    const Server* above = nullptr;
    for (const DeclaredChannel& channel : at.channels)
      if (const Server* source = scene_.desired.find(channel.source); undecided(*source)) above = source;
    if (above != nullptr) {
      path.push_back(above);
      continue;
    }
    path.pop_back();
    if (undecided(at))
      for (const DeclaredLink& link : links_of(at)) decide(link);
  }
}

void Recipes::decide(const DeclaredLink& link) {
  ChannelWork& work = work_[link.name()];
  const ServerState* seen = state(link.replica.name);
  const ServerState* source = state(link.source());
  work.left_out = seen == nullptr || source == nullptr;
  if (work.left_out) return;
  const Channel* channel = seen->channel(link.channel.name);
  const bool by_gtid = wants_gtid(scene_.desired, scene_.observed, link);
  const bool in_order = judge(Follows{link.name(), link.source(), by_gtid}, scene_).verdict == Verdict::holds;
  const bool threads_fine = in_order && thread_findings(link, *channel).empty();
  // A login that is refused may be the account's fault or the channel's: nothing can read the channel's
  // password on MariaDB, so it is said again.
  const bool login_refused = in_order && channel->receiver_errno == kAccessDenied;
  // The same when the account gets another password: a channel that still has the old one runs on until it has
  // to connect again.
  // Its own account is given the password last, so an apply that was cut short in between shows there.
  const auto another_password = [&](const ServerName& name) {
    return state(name)->replication_account && is_missing(AccountIs{name, AccountAspect::secret});
  };
  const bool rotated = in_order &&
                       (another_password(link.source()) ||
                        (another_password(link.replica.name) && account_can_change(link.replica))) &&
                       account_can_change(*scene_.desired.find(link.source()));
  // Starting it again would only fail again.
  const bool cannot_read = in_order && channel->source_lacks_binlog();
  const bool semi_sync = in_order && semi_sync_changes(link);
  if (threads_fine && !rotated && !semi_sync) return;
  // Even a mere start goes on from a place, which must be the replica's own.
  const bool start_only = in_order && !login_refused && !rotated;
  const std::string reconnect = in_order ? why_reconnect(link, *channel, semi_sync) : "";
  // Where that stops the last of both threads, the start after it throws the relay log away.
  const bool gives_up_log = !reconnect.empty() && !channel->applier && channel->fetches_anew();
  AttachDecision decision = decide_attach(scene_, link, start_only && !cannot_read && !gives_up_log);
  if (decision.refusal) {
    // Errant transactions of a channel that is there have been found before, with their own way out.
    const bool said =
        decision.refusal->code == "replica.errant-transactions" && errant_transactions(scene_, link);
    if (!said) plan_.refusals.push_back(std::move(*decision.refusal));
    work.left_out = work.refused = true;
    return;
  }
  if (!start_only || !decision.attach->in_place) work.attach = std::move(decision.attach);
  work.restart = !work.attach;
  if (work.restart) work.reconnect = reconnect;
  if (leave_out(link)) {
    work = {};
    work.left_out = true;
    return;
  }
  work.rounds = work.attach && work.attach->by_gtid_first ? 2 : 1;
}

// Steps that can only fail are not planned: what they wait for is told instead.
bool Recipes::leave_out(const DeclaredLink& link) {
  const DeclaredLink* stuck = nullptr;
  const auto above = links_of(*scene_.desired.find(link.source()));
  for (const DeclaredLink& one : above)
    if (const auto found = work_.find(one.name()); found != work_.end() && found->second.left_out)
      stuck = &one;
  std::optional<Fact> awaited = missing_account(link);
  if (const auto& attach = work_.at(link.name()).attach;
      !awaited && attach && attach->source_lags && stuck != nullptr)
    awaited = CaughtUp{stuck->name(), stuck->source()};
  if (!awaited) return false;
  if (stuck == nullptr || !work_.at(stuck->name()).refused)
    plan_.notes.push_back(fmt::format("{} is left alone until this is so: {}",
                                      link.channel.name.empty()
                                          ? fmt::format("the channel of {}", link.replica.name.text)
                                          : to_text(link.name()),
                                      describe(*awaited)));
  return true;
}

void Recipes::channel(const DeclaredLink& link) {
  const auto found = work_.find(link.name());
  if (found == work_.end() || found->second.left_out || found->second.rounds == 0) return;
  const ChannelWork& work = found->second;
  const Server& server = link.replica;
  const Channel* now = state(server.name)->channel(link.channel.name);
  if (work.restart) {
    std::vector<Fact> needs = {Follows{link.name(), link.source(), now->gtid != ChannelGtid::no}};
    if (!work.reconnect.empty() && now->receiver != ReceiverState::off) {
      const bool waits = now->receiver == ReceiverState::connecting;
      draft_.add(StepKind::stop_replica, server.name, {ReceiverOff{link.name()}}, account_needed_by(link),
                 fmt::format("stop the receiver of {}{}", to_text(link.name()),
                             waits ? ", which waits before it tries again" : ""),
                 work.reconnect);
      needs.emplace_back(ReceiverOff{link.name()});
    }
    start(link, 1, std::move(needs));
    return;
  }
  if (work.pause) {
    draft_.add(StepKind::stop_replica, server.name, {ChannelOff{link.name(), 1}}, {},
               fmt::format("stop both threads of {}", to_text(link.name())),
               "the server takes a GTID position for another channel only while none runs");
    start(link, 1, {ChannelOff{link.name(), 1}, PositionAdopted{server.name}});
    return;
  }
  const Attach& attach = *work.attach;
  std::vector<Fact> needs;
  if (now != nullptr && !now->is_off()) {
    // Late: it serves readers until the account it will use is there.
    std::vector<Fact> before;
    if (!attach.fresh) before = account_needed_by(link);
    if (server.read_only) before.emplace_back(ReadOnly{server.name, true});
    // What it has received is applied first; a delayed replica gets it again from the same source instead. But where it
    // leaves file and position: there gtid_slave_pos may count as executed what was only received (plans/attach.cc).
    const bool leaves_position =
        now->gtid == ChannelGtid::no && std::holds_alternative<FromOwnGtid>(attach.origin);
    const bool drain = now->applier && (now->delay == 0 || !attach.hazards.empty() || leaves_position);
    stop(link, 1, std::move(before), drain);
    needs.emplace_back(ChannelOff{link.name(), 1});
  }
  if (attach.source_lags) {
    for (const DeclaredLink& above : links_of(*scene_.desired.find(link.source()))) {
      catch_up(above, "a replica that is to hang on it has transactions that it still lacks");
      needs.emplace_back(CaughtUp{above.name(), above.source()});
    }
  }
  const bool by_gtid = begins_by_gtid(link, attach);
  configure(link, attach, attach.origin, by_gtid, std::move(needs));
  start(link, 1, {Follows{link.name(), link.source(), by_gtid}});
  if (!attach.by_gtid_first) return;
  stop(link, 2, {Flowing{link.name(), link.source(), 1}}, true);
  Attach back;
  back.reason = "declared are file and position: those that it has executed by now";
  configure(link, back, FromExecuted{}, false, {ChannelOff{link.name(), 2}});
  start(link, 2, {Follows{link.name(), link.source(), false}});
}

void Recipes::stop(const DeclaredLink& link, int round, std::vector<Fact> needs, bool drain) {
  const ServerName& server = link.replica.name;
  const std::string name = to_text(link.name());
  const std::string reason = "a channel that runs can't be changed";
  if (drain) {
    draft_.add(StepKind::stop_replica, server, {ReceiverOff{link.name(), round}}, needs,
               fmt::format("stop the receiver of {}", name), reason);
    draft_.add(StepKind::await_caught_up, server, {Drained{link.name(), round}},
               {ReceiverOff{link.name(), round}},
               fmt::format("wait until {} has applied what it has received", name),
               "nothing that was received is thrown away");
    needs = {Drained{link.name(), round}};
  }
  draft_.add(StepKind::stop_replica, server, {ChannelOff{link.name(), round}}, std::move(needs),
             fmt::format("stop both threads of {}", name), reason);
}

void Recipes::configure(const DeclaredLink& link, const Attach& attach, const Origin& origin, bool by_gtid,
                        std::vector<Fact> needs) {
  const Server& server = link.replica;
  const Server& source = *scene_.desired.find(link.source());
  if (server.read_only) needs.emplace_back(ReadOnly{server.name, true});
  // Several sources are told apart by their domains: those that the file gives them come first.
  if (server.channels.size() > 1)
    for (const Server* above : scene_.desired.upstream(link.source()))
      if (const VariableIs domain{above->name, "gtid_domain_id"};
          above->variables.contains(domain.name) && is_missing(domain))
        needs.emplace_back(domain);
  if (std::holds_alternative<FromNoted>(origin)) {
    const Fact fact = noted(link);
    if (!draft_.provides(fact)) {
      const auto& at = std::get<CoordinatesNoted>(fact).at;
      draft_.add(
          StepKind::capture_coordinates, link.source(), {fact}, {},
          at ? fmt::format("check that {} still stands at {}", link.source().text, to_text(*at))
             : fmt::format("note the binlog coordinates of {}, then check that it is still empty",
                           link.source().text),
          at ? "the file's word holds for these coordinates only" : "its replicas start to read there");
    }
    needs.push_back(fact);
  }
  if (needs_position(attach, origin, by_gtid)) {
    adopt(link, attach, origin, needs);
    needs.emplace_back(PositionAdopted{server.name});
  }
  Step& step = draft_.add(
      StepKind::configure_source, server.name, {Follows{link.name(), link.source(), by_gtid}},
      std::move(needs),
      fmt::format("{}follow {} at {}",
                  link.channel.name.empty() ? "" : fmt::format("channel '{}': ", link.channel.name),
                  link.source().text, to_text(source.advertise)),
      attach.reason);
  step.origin = origin;
  step.hazards = attach.hazards;
  std::erase(step.hazards, Hazard::reset_binlog);  // that is adopt-position's
}

bool Recipes::adopts(const DeclaredLink& link) const {
  const auto found = work_.find(link.name());
  if (found == work_.end() || found->second.left_out || !found->second.attach) return false;
  const Attach& attach = *found->second.attach;
  return needs_position(attach, attach.origin, begins_by_gtid(link, attach));
}

// A server has one GTID position for all its channels: it is told once, where the data of all of them stand.
void Recipes::adopt(const DeclaredLink& link, const Attach& attach, const Origin& origin,
                    const std::vector<Fact>& needs) {
  const ServerName& server = link.replica.name;
  const PositionAdopted adopted{server};
  if (draft_.provides(adopted)) {
    for (const Fact& need : needs)
      if (!std::holds_alternative<ReadOnly>(need)) draft_.need_also(adopted, need);  // the first has said it
    return;
  }
  Step& step = draft_.add(
      StepKind::adopt_position, server, {adopted}, needs,
      fmt::format("{}set {} of {} to where its data stand",
                  attach.resets_binlog ? "wipe the binlogs and GTIDs of its own set-up, " : "",
                  state(server)->flavor == Flavor::mysql ? "gtid_purged" : "gtid_slave_pos", server.text),
      attach.reason);
  step.origin = origin;
  if (attach.resets_binlog) step.hazards = {Hazard::reset_binlog};
}

// MariaDB takes a position only while none of its channels runs.
void Recipes::pause_siblings(const Server& server) {
  const auto links = links_of(server);
  if (links.size() < 2 ||
      std::none_of(links.begin(), links.end(), [&](const DeclaredLink& link) { return adopts(link); }))
    return;
  const ServerState& seen = *state(server.name);
  if (seen.flavor == Flavor::mysql) return;
  const auto runs = [&](const DeclaredLink& link) {
    const Channel* now = seen.channel(link.channel.name);
    return now != nullptr && !now->is_off();
  };
  const auto stuck = std::find_if(links.begin(), links.end(), [&](const DeclaredLink& link) {
    return work_.at(link.name()).left_out && runs(link);
  });
  for (const DeclaredLink& link : links) {
    ChannelWork& work = work_.at(link.name());
    if (stuck != links.end() && adopts(link)) {
      work = {};
      work.left_out = true;
      plan_.notes.push_back(
          fmt::format("{} is left alone: for its sake {} would have to stop, and nothing can be "
                      "done with that one now",
                      to_text(link.name()), to_text(stuck->name())));
    } else if (stuck == links.end() && work.rounds == 0 && !work.left_out && runs(link)) {
      work.pause = true;
      work.rounds = 1;
    }
  }
}

// No channel of a server starts before those that are new there know where.
void Recipes::order_siblings() {
  for (const Server& server : scene_.desired.servers) {
    if (server.channels.size() < 2) continue;
    for (const DeclaredLink& one : links_of(server)) {
      const auto found = work_.find(one.name());
      if (found == work_.end() || !found->second.attach || !found->second.attach->fresh) continue;
      const Fact configured = Follows{one.name(), one.source(), begins_by_gtid(one, *found->second.attach)};
      for (const DeclaredLink& other : links_of(server))
        if (other.channel.name != one.channel.name) draft_.need_also(ChannelOn{other.name(), 1}, configured);
    }
    const PositionAdopted adopted{server.name};
    if (!draft_.provides(adopted)) continue;
    for (const DeclaredLink& link : links_of(server)) {
      draft_.need_also(ChannelOn{link.name(), 1}, adopted);
      if (draft_.provides(ChannelOff{link.name(), 1})) draft_.need_also(adopted, ChannelOff{link.name(), 1});
    }
  }
}

void Recipes::start(const DeclaredLink& link, int round, std::vector<Fact> needs) {
  const Server& server = link.replica;
  const std::string name = to_text(link.name());
  if (server.read_only) needs.emplace_back(ReadOnly{server.name, true});
  add_all(needs, account_needed_by(link));
  if (waits_for_the_account(link)) needs.emplace_back(AccountIs{server.name, AccountAspect::exists});
  draft_.add(StepKind::start_replica, server.name, {ChannelOn{link.name(), round}}, std::move(needs),
             fmt::format("start both threads of {}", name),
             round == 1 ? "it is to replicate" : "it goes on by file and position");
  std::vector<Fact> running = {Flowing{link.name(), link.source(), round}};
  if (const auto semi_sync = semi_sync_to_reach(link)) running.emplace_back(*semi_sync);
  draft_.add(
      StepKind::await_running, server.name, std::move(running), {ChannelOn{link.name(), round}},
      fmt::format("wait until both threads run and {} has received what {} had", name, link.source().text),
      "running means that data flow");
}

Fact Recipes::noted(const DeclaredLink& link) const {
  CoordinatesNoted fact{link.source(), std::nullopt};
  if (link.replica.provision == Provision::assume_identical) fact.at = state(link.source())->coordinates;
  return fact;
}

DeclaredLink Recipes::declared(const Link& link) const {
  const Server& replica = *scene_.desired.find(link.replica);
  return {replica, *replica.channel(link.channel)};
}

// What a middle server writes into its binlog by replicating must come after its own replicas were told
// where to start.
void Recipes::order_fresh_chains() {
  for (const auto& [name, work] : work_) {
    if (!work.attach || !work.attach->fresh) continue;
    const DeclaredLink link = declared(name);
    const Fact configured = Follows{name, link.source(), begins_by_gtid(link, *work.attach)};
    for (const Server* above : scene_.desired.upstream(link.source()))
      for (const DeclaredLink& theirs : links_of(*above))
        for (const int round : {1, 2}) draft_.need_also(ChannelOn{theirs.name(), round}, configured);
  }
}

// A MySQL server tells its own replicas what it has executed; they are to hear it after it was told itself.
void Recipes::order_adopted_chains() {
  for (const auto& [name, work] : work_) {
    const PositionAdopted adopted{name.replica};
    const ServerState* replica = state(name.replica);
    if (replica == nullptr || replica->flavor != Flavor::mysql || !draft_.provides(adopted)) continue;
    // Not where the file's word is taken for coordinates that the plan showed: those are checked before anything else.
    draft_.need_also(CoordinatesNoted{name.replica, std::nullopt}, adopted);
  }
}

// The file's word was given for coordinates that the plan showed. Should they have moved, nothing may have been
// changed: every other step waits for that check.
void Recipes::hold_back_for_word() {
  std::vector<Fact> checks;  // each once: many replicas may start at one source's coordinates
  for (const auto& [name, work] : work_) {
    const DeclaredLink link = declared(name);
    if (!work.attach || link.replica.provision != Provision::assume_identical ||
        !std::holds_alternative<FromNoted>(work.attach->origin))
      continue;
    if (const Fact check = noted(link); std::find(checks.begin(), checks.end(), check) == checks.end())
      checks.push_back(check);
  }
  for (const Fact& check : checks) draft_.need_also_all_but(StepKind::capture_coordinates, check);
}

}  // namespace stemma
