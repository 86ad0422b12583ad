// Collects steps in any order and works out which waits for which. Internal to plans.
#pragma once

#include <string>
#include <unordered_map>
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

  // A need found out after the steps were drafted: of each step of that kind on that server, or of each step
  // that is not of that kind.
  void need_also(const ServerName&, StepKind, const Fact&);
  void need_also_all_but(StepKind, const Fact&);

  // Links needs to the steps that give them, puts the steps in order, names them. A need that no step gives
  // is one that was true when the servers were observed; the executor judges it again.
  Result<void> finish(Plan& into) &&;

 private:
  // The steps that bring a fact about, in no order.
  template <class Do>
  void each_giver(const Fact&, Do) const;

  std::vector<Step> steps_;
  // By the fact's kind and server, so that thousands of servers take thousands of look-ups: a few steps each,
  // to be compared with the fact itself.
  std::unordered_multimap<std::string, StepIndex> givers_;
  std::unordered_multimap<std::string, StepIndex> by_server_;
};

}  // namespace stemma
