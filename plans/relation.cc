#include "plans/relation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace stemma {
namespace {

Relation judged(bool diverged, bool missing, bool purged) {
  if (diverged) return Relation::diverged;
  if (!missing) return Relation::identical;
  return purged ? Relation::irrecoverable : Relation::recoverable;
}

// The transactions of its own set-up stay in a replica's binlog, and say nothing of its source.
bool replicated_nothing(const LoggedStates& states) {
  const auto& entries = states.replica.entries();
  return states.replicated.empty() && std::all_of(entries.begin(), entries.end(), [&](const auto& entry) {
           return entry.first.second == states.replica_id;
         });
}

// What the replica has replicated counts always. What it has logged counts when it is newer than all that the
// source has: older transactions of its own are from before it was attached, accounts made at its set-up.
std::vector<std::string> errant_in(const LoggedStates& states) {
  std::set<Gtid> errant;
  const auto lacks = [&](const Gtid& gtid) {
    return !states.trusted.contains(gtid.server) && !states.source.contains(gtid);
  };
  for (const auto& [domain, gtid] : states.replicated.domains())
    if (lacks(gtid)) errant.insert(gtid);
  for (const auto& [key, sequence] : states.replica.entries())
    if (const Gtid gtid{key.first, key.second, sequence};
        lacks(gtid) && sequence > states.source.highest(gtid.domain))
      errant.insert(gtid);
  std::vector<std::string> texts;
  for (const Gtid& gtid : errant) texts.push_back(to_text(gtid));
  return texts;
}

// By sequence numbers, which servers that write one after the other leave without gaps. nullopt: the source has
// a domain of which the replica knows nothing, not even that it has to start at its beginning.
std::optional<std::uint64_t> missing_in(const LoggedStates& states, bool fresh) {
  std::map<std::uint32_t, std::uint64_t> highest;
  for (const auto& [key, sequence] : states.source.entries())
    highest[key.first] = std::max(highest[key.first], sequence);
  std::uint64_t missing = 0;
  for (const auto& [domain, sequence] : highest) {
    const auto at = states.replicated.domains().find(domain);
    const bool known = at != states.replicated.domains().end();
    if (!known && !fresh) return std::nullopt;
    const std::uint64_t executed = known ? at->second.sequence : 0;
    const std::uint64_t more = sequence - std::min(sequence, executed);
    missing += std::min(more, std::numeric_limits<std::uint64_t>::max() - missing);
  }
  return missing;
}

}  // namespace

std::string_view to_text(Relation relation) {
  switch (relation) {
    case Relation::fresh: return "new";
    case Relation::identical: return "identical";
    case Relation::recoverable: return "recoverable";
    case Relation::irrecoverable: return "irrecoverable";
    case Relation::diverged: return "diverged";
    case Relation::unknown: break;
  }
  return "unknown";
}

Related relate(const ExecutedSets& sets) {
  GtidSet errant = sets.replica.subtract(sets.source);
  for (const std::string& uuid : sets.trusted) errant = errant.without(uuid);
  const GtidSet missing = sets.source.subtract(sets.replica);
  Related related;
  related.errant = to_text(errant);
  related.missing = missing.count();
  related.purged = !missing.intersect(sets.source_purged).empty();
  related.relation =
      sets.replica.empty() ? Relation::fresh : judged(!errant.empty(), !missing.empty(), related.purged);
  return related;
}

Related relate(const LoggedStates& states) {
  const bool fresh = replicated_nothing(states);
  Related related;
  // No binlog, or nothing written yet: that looks the same.
  if (states.source.empty()) {
    if (fresh) related.relation = Relation::fresh;
    return related;
  }
  related.missing = missing_in(states, fresh);
  related.purged = related.missing != 0 && states.horizon && !states.replicated.reached(*states.horizon);
  if (fresh) {
    related.relation = Relation::fresh;
    return related;
  }
  related.errant = fmt::format("{}", fmt::join(errant_in(states), ","));
  if (!related.errant.empty() || related.missing)
    related.relation = judged(!related.errant.empty(), related.missing != 0, related.purged);
  return related;
}

}  // namespace stemma
