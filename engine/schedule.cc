#include "engine/schedule.h"

#include <algorithm>

namespace stemma {

std::string_view to_text(StepState state) {
  switch (state) {
    case StepState::done: return "done";
    case StepState::failed: return "failed";
    case StepState::not_tried: return "not-tried";
    case StepState::waiting:
    case StepState::ready:
    case StepState::running: break;
  }
  return "left";
}

Schedule::Schedule(const Plan& plan)
    : plan_(plan),
      states_(plan.steps.size(), StepState::waiting),
      waits_for_(plan.steps.size(), 0),
      followers_(plan.steps.size()),
      urgency_(plan.steps.size(), 1) {
  // Steps stand after those they need, so one pass from the back sees every follower first.
  for (StepIndex i = plan.steps.size(); i-- > 0;) {
    waits_for_[i] = plan.steps[i].after.size();
    for (const StepIndex before : plan.steps[i].after) {
      followers_[before].push_back(i);
      urgency_[before] = std::max(urgency_[before], urgency_[i] + 1);
    }
  }
  for (StepIndex i = 0; i < plan.steps.size(); ++i)
    if (waits_for_[i] == 0) move(i, StepState::ready);
}

void Schedule::move(StepIndex step, StepState to) {
  const std::pair key{plan_.steps.size() - urgency_[step], step};
  if (states_[step] == StepState::ready) ready_.erase(key);
  if (states_[step] == StepState::running) busy_.erase(plan_.steps[step].server);
  states_[step] = to;
  if (to == StepState::ready) ready_.insert(key);
  if (to == StepState::running) busy_.insert(plan_.steps[step].server);
}

std::optional<StepIndex> Schedule::next() const {
  for (const auto& [urgency, step] : ready_)
    if (!busy_.contains(plan_.steps[step].server)) return step;
  return std::nullopt;
}

void Schedule::start(StepIndex step) { move(step, StepState::running); }

void Schedule::finish(StepIndex step, bool succeeded) {
  move(step, succeeded ? StepState::done : StepState::failed);
  if (succeeded) {
    for (const StepIndex follower : followers_[step])
      if (--waits_for_[follower] == 0 && states_[follower] == StepState::waiting)
        move(follower, StepState::ready);
    return;
  }
  std::vector<StepIndex> lost = followers_[step];
  while (!lost.empty()) {
    const StepIndex next = lost.back();
    lost.pop_back();
    if (states_[next] != StepState::waiting) continue;
    move(next, StepState::not_tried);
    lost.insert(lost.end(), followers_[next].begin(), followers_[next].end());
  }
}

}  // namespace stemma
