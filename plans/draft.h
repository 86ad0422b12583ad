// Collects steps in any order and works out which waits for which. Internal to plans.
#pragma once

#include <string>
#include <vector>

#include "plans/plan.h"

namespace stemma {

class Draft {
 public:
  // The step stays a draft: its `after` is worked out by finish(). Reference valid until the next add.
  Step& add(StepKind kind, const ServerName& server, std::vector<Fact> ensures, std::vector<Fact> needs,
            std::string summary, std::string reason);

  // Whether some drafted step brings this fact about.
  [[nodiscard]] bool provides(const Fact&) const;

  // Extra needs, found out after the step was drafted, for each step that `which` picks.
  template <class Which>
  void need_also(Which which, const Fact& fact) {
    for (Step& step : steps_)
      if (which(step)) step.needs.push_back(fact);
  }

  // Links needs to the steps that give them, puts the steps in order, names them. A need that no step gives
  // is one that was true when the servers were observed; the executor judges it again.
  Result<void> finish(Plan& into) &&;

 private:
  std::vector<Step> steps_;
};

}  // namespace stemma
