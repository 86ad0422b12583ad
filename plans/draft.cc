#include "plans/draft.h"

#include <fmt/format.h>

#include <algorithm>

#include "plans/plan_graph.h"

namespace stemma {
namespace {

std::size_t hash_of(const Fact& fact) {
  return std::hash<std::string>()(subject(fact).text) + 31 * fact.index();
}

}  // namespace

template <class Do>
void Draft::each_giver(const Fact& fact, Do action) const {
  for (auto [giver, end] = givers_.equal_range(hash_of(fact)); giver != end; ++giver) {
    const auto& ensures = steps_[giver->second].ensures;
    if (std::find(ensures.begin(), ensures.end(), fact) != ensures.end()) action(giver->second);
  }
}

Step& Draft::add(StepKind kind, const ServerName& server, std::vector<Fact> ensures, std::vector<Fact> needs,
                 std::string summary, std::string reason) {
  const StepIndex index = steps_.size();
  for (std::size_t i = 0; i < ensures.size(); ++i)
    if (const std::size_t hash = hash_of(ensures[i]); i == 0 || hash != hash_of(ensures[i - 1]))
      givers_.emplace(hash, index);
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
  bool given = false;
  each_giver(fact, [&](StepIndex) { given = true; });
  return given;
}

void Draft::need_also(const Fact& ensured, const Fact& need) {
  each_giver(ensured, [&](StepIndex giver) { steps_[giver].needs.push_back(need); });
}

void Draft::need_also_all_but(StepKind kind, const Fact& need) {
  for (Step& step : steps_)
    if (step.kind != kind) step.needs.push_back(need);
}

Result<void> Draft::finish(Plan& into) && {
  std::vector<std::vector<StepIndex>> after(steps_.size());
  for (StepIndex i = 0; i < steps_.size(); ++i) {
    for (const Fact& need : steps_[i].needs)
      each_giver(need, [&](StepIndex giver) {
        if (giver != i) after[i].push_back(giver);
      });
    std::sort(after[i].begin(), after[i].end());
    after[i].erase(std::unique(after[i].begin(), after[i].end()), after[i].end());
  }
  const auto shape = shape_of(after);
  if (!shape) return tl::unexpected(shape.error());

  std::vector<StepIndex> place(steps_.size());
  for (StepIndex i = 0; i < shape->order.size(); ++i) place[shape->order[i]] = i;
  std::unordered_map<std::string, int> used;
  into.steps.reserve(steps_.size());
  for (const StepIndex from : shape->order) {
    Step step = std::move(steps_[from]);
    for (const StepIndex before : after[from]) step.after.push_back(place[before]);
    std::sort(step.after.begin(), step.after.end());
    step.id = fmt::format("{}.{}", step.server.text, to_text(step.kind));
    if (!step.variable.empty()) step.id += "." + step.variable;
    if (const Link* link = link_of(step); link != nullptr && !link->channel.empty())
      step.id += "." + link->channel;
    if (const int times = ++used[step.id]; times > 1) step.id += fmt::format("-{}", times);
    into.steps.push_back(std::move(step));
  }
  for (const StepIndex i : shape->critical_path) into.critical_path.push_back(place[i]);
  return {};
}

}  // namespace stemma
