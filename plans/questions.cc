#include "plans/questions.h"

#include <algorithm>

#include "plans/attach.h"
#include "plans/judge_parts.h"
#include "plans/source_reset.h"

namespace stemma {

namespace {

// What decides how a replica gets to its source, where it isn't there yet.
void ask_about(const DeclaredLink& link, const Scene& scene, std::map<ServerName, Questions>& questions) {
  const Server& server = link.replica;
  const ServerState* state = scene.observed.find(server.name);
  const ServerState* source = scene.observed.find(link.source());
  if (state == nullptr || source == nullptr) return;
  const Channel* channel = state->channel(link.channel.name);
  const bool by_gtid = wants_gtid(scene.desired, scene.observed, link);
  const bool in_order = channel != nullptr && channel->wanted_on() && channel->receiver_errno == 0 &&
                        judge(Follows{link.name(), link.source(), by_gtid}, scene).verdict == Verdict::holds;
  if (in_order) return;
  // Data are compared only where a replica may be attached anew; a channel that has brought something is never.
  const bool new_beside_others = channel == nullptr && server.channels.size() > 1;
  if (is_fresh(*state) || new_beside_others || (channel != nullptr && state->executed().empty())) {
    questions[server.name].schemas = true;
    questions[link.source()].schemas = true;
  }
  // A fresh replica that starts at its source's present coordinates needs no old binlog.
  const bool starts_at_present =
      is_fresh(*state) && server.provision != Provision::replay && !server.provision_at;
  if (source->log_bin && !starts_at_present) questions[link.source()].binlogs = true;
  const auto translate = [&](const Coordinates& at) {
    // MySQL has no function that tells.
    if (source->log_bin && !source->mysql_gtids && !source->gtid_at.contains(to_text(at)))
      questions[link.source()].gtid_at.push_back(at);
  };
  if (channel != nullptr && !channel->applier && channel->executed.known()) translate(channel->executed);
  if (server.provision_at)
    if (const auto at = parse_coordinates(*server.provision_at)) translate(*at);
}

}  // namespace

std::map<ServerName, Questions> questions_for(const Scene& scene) {
  std::map<ServerName, Questions> questions;
  for (const Server& server : scene.desired.servers) {
    for (const DeclaredLink& link : links_of(server)) {
      ask_about(link, scene, questions);
      if (is_ahead_of_source(scene, link)) questions[link.source()].coordinates = true;
      // Schemas that several sources of one replica have are worth a warning.
      if (server.channels.size() > 1 && scene.observed.find(link.source()) != nullptr)
        questions[link.source()].schemas = true;
    }
  }
  for (auto entry = questions.begin(); entry != questions.end();) {
    const ServerState& state = *scene.observed.find(entry->first);
    entry->second.schemas = entry->second.schemas && !state.schemas;
    entry->second.binlogs = entry->second.binlogs && !state.binlogs;
    entry->second.coordinates = entry->second.coordinates && !state.later_coordinates;
    entry = entry->second == Questions{} ? questions.erase(entry) : std::next(entry);
  }
  return questions;
}

}  // namespace stemma
