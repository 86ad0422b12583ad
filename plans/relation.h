// How a replica's history stands to its source's: may it go on from there? Pure, for both kinds of GTIDs.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "plans/gtid.h"
#include "plans/gtid_set.h"

namespace stemma {

enum class Relation {
  fresh,          // the replica has executed nothing, or on MariaDB nothing of another server
  identical,      // both have executed the same
  recoverable,    // the replica lacks transactions, and the source still has them
  irrecoverable,  // the replica lacks transactions that the source has purged
  diverged,       // the replica has executed what its source has not
  unknown,        // the servers' answers don't tell
};
std::string_view to_text(Relation);  // "new" for a fresh one

// A relation and what it was judged by. It is about histories only: whether a fresh replica has its source's
// data, GTIDs don't tell.
struct Related {
  Relation relation = Relation::unknown;
  std::string errant;  // what the replica has executed and the source has not; "" if nothing
  std::optional<std::uint64_t> missing;  // how many transactions the replica lacks; nullopt: not known
  bool purged = false;                   // the source can't send all of those, whatever the relation
  bool operator==(const Related&) const = default;
};

// MySQL's two histories. A source must be read after its replica, or what it writes in between looks errant.
struct ExecutedSets {
  GtidSet replica;        // gtid_executed
  GtidSet source;         // gtid_executed
  GtidSet source_purged;  // gtid_purged
  // UUIDs of the source and of servers above it, where that order could not be kept: what they wrote can only
  // have come from them and is never errant. This hides transactions that a source has lost in a crash.
  std::set<std::string> trusted;
};
Related relate(const ExecutedSets&);

// MariaDB's. They say less than sets do: the last transaction of each server, and nothing of gaps.
struct LoggedStates {
  std::uint32_t replica_id = 0;  // server_id
  GtidPosition replicated;       // the replica's gtid_slave_pos
  GtidState replica;             // its gtid_binlog_state; empty when it has no binlog
  GtidState source;              // the source's
  std::optional<GtidPosition>
      horizon;  // GTIDs before the source's oldest binlog; nullopt: not asked, none is gone
  std::set<std::uint32_t> trusted;  // server ids of the source and of servers above it, as for ExecutedSets
};
Related relate(const LoggedStates&);

}  // namespace stemma
