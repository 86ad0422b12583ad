// What a simulated server answers when Stemma asks.
#pragma once

#include "plans/observed.h"
#include "plans/questions.h"
#include "providers/simulated/fleet.h"

namespace stemma::simulated {

void read_server(const Instance&, ServerState&);    // version, identity, settings that are fixed
void read_settings(const Instance&, ServerState&);  // read_only, GTID positions
void read_coordinates(const Instance&, ServerState&);
void read_channels(const Instance&, ServerState&);
void read_attached(const Instance&, const SimulatedFleet&, ServerState&);
void read_accounts(const Instance&, const ReplicationAccount*, ServerState&);
void read_variables(const Instance&, const Server& declared, ServerState&);
void read_schemas(const Instance&, ServerState&);
void read_binlogs(const Instance&, const Questions&, ServerState&);

}  // namespace stemma::simulated
