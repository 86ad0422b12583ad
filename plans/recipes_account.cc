#include "plans/recipes.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace stemma {

// Whether what its account lacks can be mended in this plan. A server that replicates gets it changed only after it
// has caught up; one that can't keeps the old one, and its replicas have to get along with that.
bool Recipes::account_can_change(const Server& server) const {
  if (server.is_root()) return true;
  if (state(server.name) == nullptr) return false;
  const auto links = links_of(server);
  return std::all_of(links.begin(), links.end(), [&](const DeclaredLink& link) {
    return !waits_for_catch_up(link) || has_caught_up(link) || !is_held_back(link);
  });
}

// Down the whole chain: what its source has still to apply is something that it lacks, too.
bool Recipes::has_caught_up(const DeclaredLink& link) const {
  if (judge(CaughtUp{link.name(), link.source()}, scene_).verdict != Verdict::holds) return false;
  const auto above = links_of(*scene_.desired.find(link.source()));
  return std::all_of(above.begin(), above.end(), [&](const DeclaredLink& one) {
    return is_held_back(one) || !waits_for_catch_up(one) || has_caught_up(one);
  });
}

// It stands behind its source and stays there: nothing that hangs on it can wait for it.
bool Recipes::is_held_back(const DeclaredLink& link) const {
  const auto found = work_.find(link.name());
  return found == work_.end() || found->second.left_out || is_delayed(link);
}

bool Recipes::is_delayed(const DeclaredLink& link) const {
  if (link.channel.options.delay) return link.channel.options.delay->count() > 0;
  const Channel* channel = state(link.replica.name)->channel(link.channel.name);
  return channel != nullptr && channel->delay > 0;
}

std::vector<Fact> Recipes::account_ready(const ServerName& server) const {
  return {AccountIs{server, AccountAspect::exists}, AccountIs{server, AccountAspect::secret},
          AccountIs{server, AccountAspect::granted}};
}

std::vector<Fact> Recipes::account_needed_by(const DeclaredLink& link) const {
  std::vector<Fact> needed = account_ready(link.source());
  // A channel that only goes on has the password that the account had, and still has if it is left alone.
  const ChannelWork& work = work_.at(link.name());
  if ((work.restart || work.pause) && !account_can_change(*scene_.desired.find(link.source())))
    std::erase_if(needed, [&](const Fact& fact) {
      return std::get<AccountIs>(fact).aspect == AccountAspect::secret && is_missing(fact);
    });
  return needed;
}

// What keeps a replica from logging in at its source, and will not be mended.
std::optional<Fact> Recipes::missing_account(const DeclaredLink& link) const {
  for (const Fact& fact : account_needed_by(link))
    if (is_missing(fact) && !account_can_change(*scene_.desired.find(link.source()))) return fact;
  return std::nullopt;
}

// The transaction on which the applier stands still changes an account that this server does not have: it can
// go on only when the account is there.
bool Recipes::waits_for_the_account(const DeclaredLink& link) const {
  const Channel* channel = state(link.replica.name)->channel(link.channel.name);
  if (channel == nullptr || channel->applier) return false;
  return channel->applier_errno == 1133 ||
         (channel->applier_errno == 1396 &&
          (channel->applier_error.find("ALTER USER") != std::string::npos ||
           channel->applier_error.find("SET PASSWORD") != std::string::npos ||
           channel->applier_error.find("DROP USER") != std::string::npos));
}

bool Recipes::waits_for_catch_up(const DeclaredLink& link) const {
  const auto found = work_.find(link.name());
  if (found == work_.end()) return false;
  const ChannelWork& work = found->second;
  if (work.attach && work.attach->fresh) {
    // Only a replay brings the account's own history; everything else starts behind it.
    const ServerState* source = state(link.source());
    return std::holds_alternative<FromFirstBinlog>(work.attach->origin) && source != nullptr &&
           source->replication_account;
  }
  return !waits_for_the_account(link);
}

// Whether what this server still has to apply may hold a change of its account: where its source's account is not as
// declared, somebody has changed it, and the binlog brings that change here, too.
bool Recipes::may_lose_account(const Server& server) const {
  if (state(server.name) == nullptr) return false;
  for (const DeclaredLink& link : links_of(server)) {
    if (!waits_for_catch_up(link) || has_caught_up(link)) continue;
    for (const AccountAspect aspect : {AccountAspect::exists, AccountAspect::secret, AccountAspect::granted})
      if (is_missing(AccountIs{link.source(), aspect})) return true;
    if (may_lose_account(*scene_.desired.find(link.source()))) return true;
  }
  return false;
}

void Recipes::account(const Server& server) {
  if (!scene_.desired.replication || !scene_.desired.replicates(server)) return;
  const auto is = [&](AccountAspect aspect) { return AccountIs{server.name, aspect}; };
  const Fact exists = is(AccountAspect::exists), secret = is(AccountAspect::secret),
             granted = is(AccountAspect::granted), nothing_more = is(AccountAspect::nothing_more);
  const bool create = is_missing(exists);
  const bool in_order = !create && !is_missing(secret) && !is_missing(granted) && !is_missing(nothing_more);
  if (in_order) {
    if (!account_can_change(server) || !may_lose_account(server)) return;
    draft_.add(
        StepKind::create_user, server.name, {exists, secret, granted}, before_account(server),
        fmt::format("make sure of {}, outside the binlog",
                    to_text(AccountName{scene_.desired.replication->user, scene_.desired.replication->host})),
        "what it has still to apply may undo it, as it did at its source");
    return;
  }
  const auto links = links_of(server);
  if (!account_can_change(server)) {
    const auto any = [&](auto holds) { return std::any_of(links.begin(), links.end(), holds); };
    // A refusal says enough about its server.
    if (any([&](const DeclaredLink& link) { return work_.at(link.name()).refused; })) return;
    plan_.notes.push_back(
        fmt::format("the replication account on {} is left alone: {}", server.name.text,
                    any([&](const DeclaredLink& link) { return is_delayed(link); })
                        ? "it is delayed, and its source's own changes of the account must come first; "
                          "with delay = \"0s\" in the file they do"
                        : "it can't catch up with its source now; apply again when it can"));
    return;
  }
  const std::vector<Fact> needs = before_account(server);
  const std::string name =
      to_text(AccountName{scene_.desired.replication->user, scene_.desired.replication->host});
  const auto add = [&](StepKind kind, std::vector<Fact> ensures, std::string summary,
                       const Fact& why) -> Step& {
    return draft_.add(kind, server.name, std::move(ensures), needs, std::move(summary), first_message(why));
  };
  std::vector<DeclaredLink> waiting;
  std::copy_if(links.begin(), links.end(), std::back_inserter(waiting),
               [&](const DeclaredLink& link) { return waits_for_the_account(link); });
  if (create && !waiting.empty()) {
    // The account lets the applier go on, which then replays its source's own changes of that account. What they
    // leave behind is mended after them.
    add(StepKind::create_user, {exists, granted},
        fmt::format("create {} with REPLICATION SLAVE, outside the binlog", name), exists);
    std::vector<Fact> after;
    for (const DeclaredLink& link : waiting) {
      catch_up(link, "its source's own changes of the account must come first");
      after.emplace_back(CaughtUp{link.name(), link.source()});
    }
    after.push_back(exists);
    draft_.add(StepKind::alter_user, server.name, {secret}, std::move(after),
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

std::vector<Fact> Recipes::before_account(const Server& server) {
  std::vector<Fact> before;
  for (const DeclaredLink& link : links_of(server)) {
    if (!waits_for_catch_up(link)) continue;
    // What happens to its channel comes first in any case: see decide().
    if (work_.at(link.name()).rounds == 0 && has_caught_up(link)) continue;
    catch_up(link, "its source's own changes of the account must come first");
    before.emplace_back(CaughtUp{link.name(), link.source()});
  }
  return before;
}

void Recipes::catch_up(const DeclaredLink& link, std::string why) {
  const CaughtUp caught_up{link.name(), link.source()};
  if (draft_.provides(caught_up)) return;
  std::vector<Fact> needs;
  if (const int rounds = work_.at(link.name()).rounds; rounds > 0)
    needs.emplace_back(Flowing{link.name(), link.source(), rounds});
  // What its source has still to apply comes here after it.
  for (const DeclaredLink& above : links_of(*scene_.desired.find(link.source()))) {
    if (is_held_back(above) || !waits_for_catch_up(above)) continue;
    if (work_.at(above.name()).rounds == 0 && has_caught_up(above)) continue;
    catch_up(above, fmt::format("{} follows it, and must have executed as much", link.replica.name.text));
    needs.emplace_back(CaughtUp{above.name(), above.source()});
  }
  draft_.add(StepKind::await_caught_up, link.replica.name, {caught_up}, std::move(needs),
             fmt::format("wait until {} has executed what {} had", to_text(link.name()), link.source().text),
             std::move(why));
}

}  // namespace stemma
