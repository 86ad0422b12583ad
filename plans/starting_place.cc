#include "plans/starting_place.h"

#include <algorithm>

namespace stemma {
namespace {

bool by_gtid(const Step& step) {
  const auto* follows = std::get_if<Follows>(&step.ensures.front());
  return follows != nullptr && follows->by_gtid;
}

// The noted place that a step starts from; nullopt: an earlier step should have brought it.
std::optional<Moment> noted_for(const Step& step, const Outputs& outputs) {
  std::optional<Moment> start;
  for (const ServerName& source : sources_of(step)) {
    const auto noted = outputs.noted.find(source);
    if (noted == outputs.noted.end()) return std::nullopt;
    if (start)
      start->gtid = start->gtid.with(noted->second.gtid);
    else
      start = noted->second;
  }
  return start;
}

// Each of several sources adds its own to what the server has.
StartingPlace told(const Step& step, const ServerState& state, const GtidPoint& noted) {
  if (!state.mysql_gtids) return {{}, GtidPoint(state.gtid_replicated).with(noted), false};
  const bool wiped =
      std::find(step.hazards.begin(), step.hazards.end(), Hazard::reset_binlog) != step.hazards.end();
  if (wiped || state.mysql_gtids->executed.empty()) return {{}, noted, false};
  const GtidSet more = noted.set.subtract(state.mysql_gtids->executed);
  if (more.empty()) return {};
  return {{}, GtidPoint(more), true};
}

// GTIDs are told to a replica that goes by file and position too: only then does it know its place in every
// domain, should it ever be moved to another server. One with GTIDs of its own may be refused (1947).
bool may_be_told(const Step& step, const Topology& desired, const ServerState& state, bool takes_more) {
  if (!state.no_channel_runs()) return false;
  if (!state.mysql_gtids) return state.gtid_state.empty();
  const bool several = desired.find(step.server)->channels.size() > 1;
  return state.has_gtids() && ((several && takes_more) || state.mysql_gtids->executed.empty());
}

Result<StartingPlace> from_noted(const Step& step, const Topology& desired, const ServerState& state,
                                 const Outputs& outputs, bool takes_more) {
  const auto start = noted_for(step, outputs);
  if (!start || !start->coordinates.known())
    return fail(Trouble::bug, "{} has no coordinates to start from", step.id);
  StartingPlace place = told(step, state, start->gtid);
  place.from = start->coordinates;
  const bool beside_position = step.kind != StepKind::adopt_position;
  if (beside_position &&
      (by_gtid(step) || start->gtid.empty() || !may_be_told(step, desired, state, takes_more)))
    place.gtid.reset();
  return place;
}

}  // namespace

Result<StartingPlace> starting_place(const Step& step, const Topology& desired, const ServerState& state,
                                     const Outputs& outputs, bool takes_more) {
  StartingPlace place;
  if (!step.origin) return place;
  if (std::holds_alternative<FromNoted>(*step.origin)) {
    auto noted = from_noted(step, desired, state, outputs, takes_more);
    if (!noted) return noted;
    place = std::move(*noted);
  } else if (const auto* at = std::get_if<FromCoordinates>(&*step.origin)) {
    place.from = at->at;
  } else if (const auto* gtid = std::get_if<FromGtid>(&*step.origin)) {
    if (step.kind == StepKind::adopt_position) place.gtid = gtid->at;
  } else if (const auto* first = std::get_if<FromFirstBinlog>(&*step.origin)) {
    place.from = {first->file, 4};  // the magic number of four bytes stands before the first event
  } else if (std::holds_alternative<FromExecuted>(*step.origin)) {
    const Link* link = link_of(step);
    const Channel* channel = link == nullptr ? nullptr : state.channel(link->channel);
    if (channel == nullptr || !channel->executed.known())
      return fail(Trouble::stale, "{} shows no executed position any more", step.server.text);
    place.from = channel->executed;
  }
  if (by_gtid(step)) place.from = {};
  return place;
}

}  // namespace stemma
