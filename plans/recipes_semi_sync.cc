// Semi-synchronous replication: what its variables say takes effect when a receiver connects, and the order of the two
// ends decides whether commits hang. A source that waits for acknowledgements which nobody is there to give stalls
// every commit for rpl_semi_sync_*_timeout, so replicas take it up first and give it up last.
#include "plans/recipes.h"
#include "plans/semi_sync.h"

namespace stemma {

// What the receiver will say once it has connected again. nullopt: nothing can tell, as where the server has no such
// variable.
std::optional<SemiSync> Recipes::semi_sync_to_reach(const DeclaredLink& link) const {
  const auto wanted = wants_semi_sync(scene_.desired, link);
  if (!wanted || !state(link.replica.name)->semi_sync_active) return std::nullopt;
  return SemiSync{link.name(), *wanted};
}

bool Recipes::semi_sync_changes(const DeclaredLink& link) const {
  const Server& server = link.replica;
  const auto goal = semi_sync_to_reach(link);
  if (!goal || state(server.name)->channel(link.channel.name)->receiver != ReceiverState::on) return false;
  return is_missing(VariableIs{server.name, *semi_sync_variable(server, SemiSyncEnd::replica)}) ||
         is_missing(*goal);
}

void Recipes::order_semi_sync() {
  for (const Server& server : scene_.desired.servers) {
    const std::string* here = semi_sync_variable(server, SemiSyncEnd::replica);
    if (here == nullptr) continue;
    for (const DeclaredLink& link : links_of(server)) {
      const Fact set = VariableIs{server.name, *here}, stopped = ReceiverOff{link.name()};
      if (draft_.provides(set)) {
        if (draft_.provides(stopped)) draft_.need_also(set, stopped);
        for (const int round : {1, 2}) draft_.need_also(ChannelOn{link.name(), round}, set);
      }
      const Server& source = *scene_.desired.find(link.source());
      const std::string* there = semi_sync_variable(source, SemiSyncEnd::source);
      const auto wanted = wants_semi_sync(scene_.desired, link);
      if (there == nullptr || !wanted) continue;
      const Fact set_at_source = VariableIs{source.name, *there};
      if (!draft_.provides(set_at_source)) continue;
      if (const Fact taken_up = SemiSync{link.name(), true}; *wanted && draft_.provides(taken_up))
        draft_.need_also(set_at_source, taken_up);
      if (!*wanted)
        for (const Fact& giving_up : {set, stopped}) draft_.need_also(giving_up, set_at_source);
    }
  }
}

}  // namespace stemma
