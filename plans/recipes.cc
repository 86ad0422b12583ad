#include "plans/recipes.h"

#include <fmt/format.h>

namespace stemma {

void Recipes::run() {
  for (const Server& server : scene_.desired.servers) decide_from_above(server);
  for (const Server& server : scene_.desired.servers) pause_siblings(server);
  for (const Server& server : scene_.desired.servers) {
    if (state(server.name) == nullptr) {
      plan_.notes.push_back(fmt::format(
          "{} could not be looked at: its steps, and those that need it, are left out", server.name.text));
      continue;
    }
    variables(server);
    account(server);
    fence(server);
    for (const DeclaredLink& link : links_of(server)) channel(link);
    note_unused_provision(server);
  }
  for (const Server& server : scene_.desired.servers) unfence(server);
  order_siblings();
  order_fresh_chains();
  order_adopted_chains();
  order_semi_sync();
  order_variables();
  hold_back_for_word();
}

bool Recipes::is_missing(const Fact& fact) const { return judge(fact, scene_).verdict == Verdict::missing; }

std::string Recipes::first_message(const Fact& fact) const {
  const Judgement judgement = judge(fact, scene_);
  for (const Finding& found : judgement.findings)
    if (found.weight == Weight::error) return found.message;
  return {};
}

void Recipes::note_unused_provision(const Server& server) {
  if (server.provision != Provision::assume_identical || is_fresh(*state(server.name))) return;
  plan_.notes.push_back(
      fmt::format("provision = \"assume-identical\" of {} is no longer used: it has replicated already. Take "
                  "it out of the file",
                  server.name.text));
}

}  // namespace stemma
