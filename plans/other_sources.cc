#include "plans/other_sources.h"

#include <algorithm>

namespace stemma {

bool OtherSources::explains(const Gtid& gtid) const {
  return ids.contains(gtid.server) || std::any_of(all.begin(), all.end(), [&](const ServerState* state) {
           return state->gtid_state.contains(gtid);
         });
}

GtidSet OtherSources::without_theirs(const GtidSet& set) const {
  GtidSet rest = set;
  for (const ServerState* state : all)
    if (state->mysql_gtids) rest = rest.subtract(state->mysql_gtids->executed);
  for (const std::string& uuid : uuids) rest = rest.without(uuid);
  return rest;
}

bool OtherSources::hold(const std::string& name) const {
  const auto dot = name.find('.');
  return std::any_of(direct.begin(), direct.end(), [&](const ServerState* state) {
    if (!state->schemas) return false;
    const auto schema = state->schemas->find(name.substr(0, dot));
    return schema != state->schemas->end() &&
           (dot == std::string::npos || schema->second.contains(name.substr(dot + 1)));
  });
}

OtherSources other_sources(const Scene& scene, const DeclaredLink& link) {
  OtherSources others;
  const ServerState* replica = scene.observed.find(link.replica.name);
  for (const DeclaredChannel& channel : link.replica.channels) {
    if (channel.name == link.channel.name) continue;
    for (const Server* above : scene.desired.upstream(channel.source))
      if (const ServerState* state = scene.observed.find(above->name)) {
        if (above->name == channel.source) others.direct.push_back(state);
        others.all.push_back(state);
        others.ids.insert(state->identity.server_id);
        if (!state->identity.uuid.empty()) others.uuids.insert(state->identity.uuid);
      }
    const Channel* theirs = replica == nullptr ? nullptr : replica->channel(channel.name);
    if (theirs == nullptr || scene.observed.find(channel.source) != nullptr) continue;
    if (theirs->source_server_id != 0) others.ids.insert(theirs->source_server_id);
    if (!theirs->source_uuid.empty()) others.uuids.insert(theirs->source_uuid);
  }
  return others;
}

}  // namespace stemma
