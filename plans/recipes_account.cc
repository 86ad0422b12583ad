#include "plans/recipes.h"

#include <fmt/format.h>

namespace stemma {

// A server that replicates gets its account changed only after it has caught up; one that can't keeps the old one.
bool Recipes::account_can_change(const Server& server) const {
  if (!server.source) return true;
  const ServerState* seen = state(server.name);
  const Channel* channel = seen == nullptr ? nullptr : seen->channel();
  return state(*server.source) != nullptr && (channel == nullptr || channel->delay == 0) &&
         server.channel.delay.value_or(std::chrono::seconds{0}).count() == 0;
}

std::vector<Fact> Recipes::account_ready(const ServerName& server) const {
  return {AccountIs{server, AccountAspect::exists}, AccountIs{server, AccountAspect::secret},
          AccountIs{server, AccountAspect::granted}};
}

// The transaction on which the applier stands still changes an account that this server does not have: it can
// go on only when the account is there.
bool Recipes::waits_for_the_account(const Channel* channel) {
  if (channel == nullptr || channel->applier) return false;
  return channel->applier_errno == 1133 ||
         (channel->applier_errno == 1396 &&
          (channel->applier_error.find("ALTER USER") != std::string::npos ||
           channel->applier_error.find("SET PASSWORD") != std::string::npos ||
           channel->applier_error.find("DROP USER") != std::string::npos));
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

void Recipes::account(const Server& server) {
  const bool replicates = server.source || !scene_.desired.replicas_of(server.name).empty();
  if (!scene_.desired.replication || !replicates) return;
  const auto is = [&](AccountAspect aspect) { return AccountIs{server.name, aspect}; };
  const Fact exists = is(AccountAspect::exists), secret = is(AccountAspect::secret),
             granted = is(AccountAspect::granted), nothing_more = is(AccountAspect::nothing_more);
  const bool create = is_missing(exists);
  if (!create && !is_missing(secret) && !is_missing(granted) && !is_missing(nothing_more)) return;
  bool wait_impossible = false;
  const std::vector<Fact> needs = before_account(server, wait_impossible);
  if (wait_impossible) return;
  const std::string name =
      to_text(AccountName{scene_.desired.replication->user, scene_.desired.replication->host});
  const auto add = [&](StepKind kind, std::vector<Fact> ensures, std::string summary,
                       const Fact& why) -> Step& {
    return draft_.add(kind, server.name, std::move(ensures), needs, std::move(summary), first_message(why));
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
  if (is_missing(secret))
    add(StepKind::alter_user, {secret}, fmt::format("give {} the declared plugin and password", name),
        secret);
  if (is_missing(granted))
    add(StepKind::grant, {granted}, fmt::format("grant REPLICATION SLAVE to {}", name), granted);
  if (is_missing(nothing_more))
    add(StepKind::revoke, {nothing_more}, fmt::format("revoke all but REPLICATION SLAVE from {}", name),
        nothing_more)
        .hazards = {Hazard::revoke};
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

}  // namespace stemma
