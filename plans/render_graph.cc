// A plan's graph for Graphviz and Mermaid.
#include <fmt/format.h>

#include "plans/render.h"

namespace stemma {
namespace {

std::string escaped(std::string_view text, std::string_view quote_as) {
  std::string result;
  for (const char c : text) {
    if (c == '"')
      result += quote_as;
    else if (c == '\\')
      result += quote_as == "\\\"" ? "\\\\" : "\\";
    else
      result += c;
  }
  return result;
}

}  // namespace

std::string plan_as_dot(const Plan& plan) {
  std::string text = "digraph plan {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n";
  for (StepIndex i = 0; i < plan.steps.size(); ++i)
    text += fmt::format("  s{} [label=\"{}. {}\\n{}\"{}];\n", i + 1, i + 1,
                        escaped(plan.steps[i].server.text, "\\\""), to_text(plan.steps[i].kind),
                        plan.steps[i].hazards.empty() ? "" : ", color=red");
  for (StepIndex i = 0; i < plan.steps.size(); ++i)
    for (const StepIndex before : plan.steps[i].after)
      text += fmt::format("  s{} -> s{};\n", before + 1, i + 1);
  return text + "}\n";
}

std::string plan_as_mermaid(const Plan& plan) {
  std::string text = "flowchart LR\n";
  for (StepIndex i = 0; i < plan.steps.size(); ++i)
    text += fmt::format("  s{}[\"{}. {}<br>{}\"]\n", i + 1, i + 1,
                        escaped(plan.steps[i].server.text, "#quot;"), to_text(plan.steps[i].kind));
  for (StepIndex i = 0; i < plan.steps.size(); ++i)
    for (const StepIndex before : plan.steps[i].after)
      text += fmt::format("  s{} --> s{}\n", before + 1, i + 1);
  return text;
}

}  // namespace stemma
