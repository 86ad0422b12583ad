#include "plans/source_reset.h"

#include <fmt/format.h>

#include "plans/attach_parts.h"
#include "plans/judge_parts.h"

namespace stemma {
namespace {

// The channel, if its receiver reads from that very server now.
const Channel* connected(const Scene& scene, const DeclaredLink& link, const ServerState& source) {
  const ServerState* state = scene.observed.find(link.replica.name);
  const Channel* channel = state == nullptr ? nullptr : state->channel(link.channel.name);
  if (channel == nullptr || channel->receiver != ReceiverState::on || !channel->read.known()) return nullptr;
  const bool same = channel->source_server_id != 0 && came_from(*channel, source);
  const bool named = follows_server(*channel, *scene.desired.find(link.source()), &source);
  return same && named ? channel : nullptr;
}

}  // namespace

bool is_ahead_of_source(const Scene& scene, const DeclaredLink& link) {
  const ServerState* source = scene.observed.find(link.source());
  if (source == nullptr || !source->coordinates.known()) return false;
  const Channel* channel = connected(scene, link, *source);
  return channel != nullptr &&
         !reached(source->later_coordinates.value_or(source->coordinates), channel->read);
}

std::optional<Finding> source_reset(const Scene& scene, const DeclaredLink& link) {
  const ServerState* source = scene.observed.find(link.source());
  if (source == nullptr || !source->later_coordinates || !is_ahead_of_source(scene, link))
    return std::nullopt;
  const std::string read = to_text(connected(scene, link, *source)->read);
  const std::string end = to_text(*source->later_coordinates);
  Finding found =
      finding("replica.diverged", link.replica.name, "channel.read", fmt::format("not beyond {}", end), read,
              fmt::format("has received up to {} of {}, which stands at {} only: its binlogs were begun anew "
                          "(RESET MASTER, or a crash), and what it writes does not arrive",
                          read, link.source().text, end));
  found.hint = provision_anew(link);
  found.place = link.channel.name.empty() ? link.replica.place : link.channel.place;
  return of_channel(std::move(found), link.name());
}

}  // namespace stemma
