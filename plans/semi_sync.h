// Semi-synchronous replication as a topology file declares it: by the variables of its two ends, under whichever names
// the servers know them. What such a variable says takes effect when the receiver connects, not when it is set. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plans/observed.h"
#include "plans/topology.h"

namespace stemma {

enum class SemiSyncEnd { source, replica };

// The end that this variable switches: rpl_semi_sync_master_enabled and rpl_semi_sync_source_enabled (MySQL 8.0.26 and
// later) are the source's. nullopt: it switches neither.
std::optional<SemiSyncEnd> semi_sync_end(std::string_view variable);

// The variable by which the file declares that end of this server; nullptr: by none. Borrowed from the server.
const std::string* semi_sync_variable(const Server&, SemiSyncEnd);

// Whether this channel is to be semi-synchronous. nullopt: nothing can be asked of it, because the file
// does not declare both ends.
std::optional<bool> wants_semi_sync(const Topology&, const DeclaredLink&);

// What to do about a variable of these that a server does not know; "" for any other variable.
std::string semi_sync_hint(std::string_view variable, const ServerState&);

}  // namespace stemma
