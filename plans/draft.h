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

  // A need found out after the steps were drafted: of each step that brings `ensured` about, or of each step that
  // is not of that kind.
  void need_also(const Fact& ensured, const Fact& need);
  void need_also_all_but(StepKind, const Fact& need);

  // Links needs to the steps that give them, puts the steps in order, names them. A need that no step gives
  // is one that was true when the servers were observed; the executor judges it again.
  Result<void> finish(Plan& into) &&;

 private:
  // The steps that bring a fact about, in no order.
  template <class Do>
  void each_giver(const Fact&, Do) const;

  std::vector<Step> steps_;
  // By a hash of the fact's kind and server, so that thousands of servers take thousands of look-ups: each finds a
  // few steps, whose facts are compared.
  std::unordered_multimap<std::size_t, StepIndex> givers_;
};

}  // namespace stemma
