// Which steps may run now. The one place where a step changes its state.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "plans/plan.h"

namespace stemma {

// A step moves down this list, one way only.
enum class StepState { waiting, ready, running, done, failed, not_tried };
// How it ended, for journals and reports: "done", "failed", "not-tried", or "left" when it never began or ended.
std::string_view to_text(StepState);

// Steps whose needs are done, one at a time on each server, the longest chain first. Not thread-safe: the
// executor's thread owns it.
class Schedule {
 public:
  // The plan must outlive the schedule.
  explicit Schedule(const Plan& plan);
  // The step to start next, if one may.
  [[nodiscard]] std::optional<StepIndex> next() const;
  void start(StepIndex);
  // On failure all that hangs on the step will not be tried.
  void finish(StepIndex, bool succeeded);
  [[nodiscard]] const std::vector<StepState>& states() const { return states_; }

 private:
  void move(StepIndex, StepState);

  const Plan& plan_;
  std::vector<StepState> states_;
  std::vector<std::size_t> waits_for_;  // by step: how many of its `after` are not done
  std::vector<std::vector<StepIndex>> followers_;
  std::vector<std::size_t> urgency_;  // by step: length of the longest chain that hangs on it
  std::set<std::pair<std::size_t, StepIndex>> ready_;  // (longest possible - urgency, step)
  std::set<ServerName> busy_;
};

}  // namespace stemma
