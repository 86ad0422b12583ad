#include "plans/draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "plans/plan_graph.h"

namespace stemma {

Step& Draft::add(StepKind kind, const ServerName& server, std::vector<Fact> ensures, std::vector<Fact> needs,
                 std::string summary, std::string reason) {
  Step step;
  step.kind = kind;
  step.server = server;
  step.ensures = std::move(ensures);
  step.needs = std::move(needs);
  step.summary = std::move(summary);
  step.reason = std::move(reason);
  return steps_.emplace_back(std::move(step));
}

bool Draft::provides(const Fact& fact) const {
  return std::any_of(steps_.begin(), steps_.end(), [&](const Step& step) {
    return std::find(step.ensures.begin(), step.ensures.end(), fact) != step.ensures.end();
  });
}

Result<void> Draft::finish(Plan& into) && {
  // Facts are looked up by their sentence and server: linear in the size of the topology.
  const auto key = [](const Fact& fact) { return fmt::format("{}|{}", fact.index(), describe(fact)); };
  std::multimap<std::string, StepIndex> givers;
  for (StepIndex i = 0; i < steps_.size(); ++i)
    for (const Fact& fact : steps_[i].ensures) givers.emplace(key(fact), i);
  std::vector<std::vector<StepIndex>> after(steps_.size());
  for (StepIndex i = 0; i < steps_.size(); ++i) {
    for (const Fact& need : steps_[i].needs)
      for (auto [giver, end] = givers.equal_range(key(need)); giver != end; ++giver)
        if (giver->second != i) after[i].push_back(giver->second);
    std::sort(after[i].begin(), after[i].end());
    after[i].erase(std::unique(after[i].begin(), after[i].end()), after[i].end());
  }
  const auto shape = shape_of(after);
  if (!shape) return tl::unexpected(shape.error());

  std::vector<StepIndex> place(steps_.size());
  for (StepIndex i = 0; i < shape->order.size(); ++i) place[shape->order[i]] = i;
  std::map<std::string, int> used;
  for (const StepIndex from : shape->order) {
    Step step = std::move(steps_[from]);
    for (const StepIndex before : after[from]) step.after.push_back(place[before]);
    std::sort(step.after.begin(), step.after.end());
    step.id = fmt::format("{}.{}", step.server.text, to_text(step.kind));
    if (!step.variable.empty()) step.id += "." + step.variable;
    if (const int times = ++used[step.id]; times > 1) step.id += fmt::format("-{}", times);
    into.steps.push_back(std::move(step));
  }
  for (const StepIndex i : shape->critical_path) into.critical_path.push_back(place[i]);
  return {};
}

}  // namespace stemma
