#include "plans/recipes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace stemma {

void Recipes::fence(const Server& server) {
  const ReadOnly fact{server.name, true};
  if (!server.read_only || !is_missing(fact)) return;
  std::vector<Fact> needs;
  // On a fresh replica the account comes before the fence; elsewhere the fence is not kept waiting.
  const auto links = links_of(server);
  const bool fresh = !links.empty() && std::all_of(links.begin(), links.end(), [&](const DeclaredLink& link) {
    const auto work = work_.find(link.name());
    return work != work_.end() && work->second.attach && work->second.attach->fresh &&
           !waits_for_catch_up(link);
  });
  if (fresh)
    for (const Fact& ready : account_ready(server.name))
      if (draft_.provides(ready)) needs.push_back(ready);
  draft_.add(StepKind::fence, server.name, {fact}, std::move(needs),
             fmt::format("make {} read-only", server.name.text), first_message(fact));
  if (state(server.name)->super_read_only && wants_super_read_only(server)) return;  // it stops everybody
  std::vector<std::string> through;
  for (const AccountName& account : state(server.name)->read_only_bypass)
    if (account.user != "mariadb.sys" && !account.user.starts_with("mysql."))
      through.push_back(to_text(account));
  if (!through.empty())
    plan_.notes.push_back(fmt::format(
        "read_only on {} does not stop {} ({}), nor events that they define", server.name.text,
        fmt::join(through, ", "),
        state(server.name)->flavor == Flavor::mysql ? "SUPER or CONNECTION_ADMIN" : "READ_ONLY ADMIN"));
}

void Recipes::unfence(const Server& server) {
  const ReadOnly open{server.name, false};
  if (!server.is_root() || server.read_only || state(server.name) == nullptr || !is_missing(open)) return;
  if (!state(server.name)->channels.empty()) return;  // refused as source.has-channel
  std::vector<Fact> needs;
  for (const Server* other : scene_.desired.below(server)) {
    if (state(other->name) == nullptr) {
      plan_.notes.push_back(
          fmt::format("{} stays read-only: {} could not be looked at, so nobody knows whether it is fenced",
                      server.name.text, other->name.text));
      return;
    }
    if (other->read_only) needs.emplace_back(ReadOnly{other->name, true});
  }
  draft_
      .add(StepKind::unfence, server.name, {open}, std::move(needs),
           fmt::format("open {} for writes", server.name.text), first_message(open))
      .hazards = {Hazard::unfence};
}

}  // namespace stemma
