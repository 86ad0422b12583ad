// A plan for people: text, Markdown, SQL.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "plans/diff.h"
#include "plans/render.h"

namespace stemma {
namespace {

std::string counted(std::size_t n, std::string_view one) {
  return fmt::format("{} {}{}", n, one, n == 1 ? "" : "s");
}

std::string role(const DeclaredChannel* channel) {
  return channel == nullptr ? "source" : fmt::format("follows {}", channel->source.text);
}

std::string flavor(const Fleet& fleet, const ServerName& name) {
  const ServerState* state = fleet.find(name);
  if (state == nullptr) return silence_text(fleet, name);
  return fmt::format("{} {}", state->flavor == Flavor::mysql ? "MySQL" : "MariaDB", to_text(state->version));
}

// What the plan does to one server, or to one of several channels of it: what is not about a channel stands with the
// first.
struct Change {
  std::size_t steps = 0;
  bool attach = false, repoint = false, refused = false, silent = false;
};

std::string to_text(const Change& change) {
  if (change.silent) return "not looked at";
  if (change.steps == 0) return change.refused ? "refused" : "unchanged";
  return fmt::format("{} {}",
                     change.repoint  ? "re-pointed,"
                     : change.attach ? "attached,"
                                     : "changed,",
                     counted(change.steps, "step"));
}

std::string plan_tree(const PlanView& view, const Palette& palette) {
  std::map<Link, Change> changes;
  const auto first_of = [](const Server& server) {
    return server.is_root() ? Link(server.name) : links_of(server).front().name();
  };
  for (const Step& step : view.plan.steps) {
    const Link* link = link_of(step);
    Change& change = changes[link == nullptr ? first_of(*view.scene.desired.find(step.server)) : *link];
    ++change.steps;
    // A replica that is configured anew on its old place is not attached: it was before.
    const ServerState* state = view.scene.observed.find(step.server);
    if (step.kind == StepKind::configure_source && state != nullptr &&
        state->channel(link_of(step)->channel) == nullptr)
      change.attach = true;
    for (const Hazard hazard : step.hazards) change.repoint = change.repoint || hazard == Hazard::repoint;
  }
  std::set<ServerName> refused;
  for (const Finding& refusal : view.plan.refusals) refused.insert(refusal.server);
  const TreeCells cells = [&](const Server& server, const DeclaredChannel* channel) {
    Change change = changes[channel == nullptr ? Link(server.name) : Link(server.name, channel->name)];
    change.silent = view.scene.observed.silent.contains(server.name);
    change.refused = refused.contains(server.name);
    return std::vector<std::string>{to_text(server.address), flavor(view.scene.observed, server.name),
                                    role(channel), to_text(change)};
  };
  return tree(view.scene.desired, {"address", "version", "role", "plan"}, cells, palette);
}

std::string numbers(const std::vector<StepIndex>& steps) {
  std::vector<std::string> list;
  for (const StepIndex step : steps) list.push_back(std::to_string(step + 1));
  return fmt::format("{}", fmt::join(list, ", "));
}

StepIndex giver_of(const Plan& plan, const Step& step, StepKind kind, const ServerName& server) {
  for (auto before = step.after.rbegin(); before != step.after.rend(); ++before)
    if (plan.steps[*before].kind == kind && plan.steps[*before].server == server) return *before;
  return plan.steps.size();
}

std::map<Hazard, std::vector<StepIndex>> hazards_of(const Plan& plan) {
  std::map<Hazard, std::vector<StepIndex>> hazards;
  for (StepIndex i = 0; i < plan.steps.size(); ++i)
    for (const Hazard hazard : plan.steps[i].hazards) hazards[hazard].push_back(i);
  return hazards;
}

std::string refusals_as_text(const Plan& plan, const Palette& palette) {
  std::string text = fmt::format("\n{} ({}, nothing can be applied until they are gone)\n",
                                 palette.paint(palette.bold, "Refusals"), plan.refusals.size());
  for (const Finding& found : plan.refusals) {
    text += fmt::format("  {}  {}  {}\n", palette.paint(palette.bad, "✗ " + found.code), found.server.text,
                        found.message);
    if (!found.hint.empty()) text += fmt::format("      {}\n", found.hint);
  }
  return text;
}

std::string steps_as_text(const PlanView& view, const Palette& palette, bool with_sql) {
  const Plan& plan = view.plan;
  std::size_t server_width = 0;
  std::vector<std::string> sentences;
  for (const Step& step : plan.steps) {
    server_width = std::max(server_width, step.server.text.size());
    sentences.push_back(step_sentence(plan, step));
  }
  const std::size_t number_width = std::to_string(plan.steps.size()).size();
  std::string text = fmt::format("\n{}\n", palette.paint(palette.bold, "Steps"));
  for (StepIndex i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    text += fmt::format(
        "  {:>{}}  {:<{}}  {:<19}  {}{}\n", i + 1, number_width, step.server.text, server_width,
        to_text(step.kind), sentences[i],
        step.after.empty() ? "" : palette.paint(palette.dim, fmt::format("  after {}", numbers(step.after))));
    const std::string indent(number_width + 6, ' ');
    if (with_sql) {
      for (const std::string& statement : view.preview(step))
        text += fmt::format("{}{}\n", indent,
                            palette.paint(palette.dim, statement + (statement.starts_with("--") ? "" : ";")));
      if (!step.reason.empty())
        text += fmt::format("{}{}\n", indent, palette.paint(palette.dim, "-- because: " + step.reason));
    }
  }
  return text;
}

}  // namespace

std::string step_sentence(const Plan& plan, const Step& step) {
  if (!step.origin) return step.summary;
  const auto known_after = [&](std::string_view what, const ServerName& of, StepKind kind) {
    const StepIndex giver = giver_of(plan, step, kind, of);
    return giver == plan.steps.size()
               ? fmt::format("({} of {})", what, of.text)
               : fmt::format("({} of {}, known after step {})", what, of.text, giver + 1);
  };
  const bool adopt = step.kind == StepKind::adopt_position;
  const auto* follows = std::get_if<Follows>(&step.ensures.front());
  const bool by_gtid = follows != nullptr && follows->by_gtid;
  std::string from;
  const Origin& origin = *step.origin;
  if (by_gtid && !adopt && !std::holds_alternative<FromFirstBinlog>(origin))
    from = "its own GTIDs";
  else if (std::holds_alternative<FromNoted>(origin))
    for (const ServerName& source : sources_of(step))
      from += (from.empty() ? "" : " and ") + known_after(adopt ? "GTID position" : "binlog coordinates",
                                                          source, StepKind::capture_coordinates);
  else if (const auto* at = std::get_if<FromCoordinates>(&origin))
    from = to_text(at->at);
  else if (const auto* gtid = std::get_if<FromGtid>(&origin))
    from = to_text(gtid->at);
  else if (const auto* first = std::get_if<FromFirstBinlog>(&origin))
    from = fmt::format("the very beginning, {}:4", first->file);
  else
    from = known_after("executed position", step.server, StepKind::stop_replica);
  return fmt::format("{}{} {}", step.summary, adopt ? ":" : ", from", from);
}

std::string plan_summary(const Plan& plan, const Scene& scene) {
  const std::size_t silent = scene.observed.silent.size();
  if (plan.steps.empty() && plan.refusals.empty()) {
    if (silent > 0)
      return fmt::format("Nothing planned: {} of {} could not be looked at.", silent,
                         counted(scene.desired.servers.size(), "server"));
    const bool differs = std::any_of(plan.differences.begin(), plan.differences.end(),
                                     [](const Finding& found) { return found.weight == Weight::error; });
    return differs ? "No step mends what differs." : "Nothing to do: the servers are what the file says.";
  }
  std::set<ServerName> servers;
  for (const Step& step : plan.steps) servers.insert(step.server);
  if (plan.steps.empty())
    return fmt::format("Plan: refused for {}.", counted(plan.refusals.size(), "reason"));
  std::string text =
      fmt::format("Plan: {} on {}", counted(plan.steps.size(), "step"), counted(servers.size(), "server"));
  if (!plan.steps.empty())
    text += fmt::format(", the longest chain is {}", counted(plan.critical_path.size(), "step"));
  if (silent > 0) text += fmt::format(", {} not looked at", counted(silent, "server"));
  if (!plan.refusals.empty()) text += fmt::format(", refused: {}", counted(plan.refusals.size(), "reason"));
  return text + ".";
}

std::string plan_as_text(const PlanView& view, const Palette& palette, bool with_sql) {
  const Plan& plan = view.plan;
  std::string text =
      fmt::format("{}  by {}\n\n", palette.paint(palette.bold, view.scene.desired.name),
                  plan.coordinates == CoordinatesMode::gtid ? "GTID" : "binlog file and position");
  text += plan_tree(view, palette);
  const bool differs = std::any_of(plan.differences.begin(), plan.differences.end(),
                                   [](const Finding& f) { return f.weight == Weight::error; });
  if (!plan.differences.empty())
    text += fmt::format("\n{}\n{}", palette.paint(palette.bold, differs ? "What differs" : "Good to know"),
                        findings_as_text(plan.differences, view.scene.desired, palette));
  if (!plan.steps.empty()) text += steps_as_text(view, palette, with_sql);
  if (const auto hazards = hazards_of(plan); !hazards.empty()) {
    text += fmt::format("\n{}\n", palette.paint(palette.bold, "Hazards"));
    for (const auto& [hazard, steps] : hazards)
      text += fmt::format("  {}  {} ({} {}){}\n",
                          palette.paint(palette.warn, fmt::format("! {}", to_text(hazard))), meaning(hazard),
                          steps.size() == 1 ? "step" : "steps", numbers(steps),
                          covered_by_yes(hazard) ? "" : fmt::format("; needs --allow {}", to_text(hazard)));
  }
  if (!plan.notes.empty()) {
    text += fmt::format("\n{}\n", palette.paint(palette.bold, "Notes"));
    for (const std::string& note : plan.notes)
      text += fmt::format("  {} {}\n", palette.paint(palette.warn, "!"), note);
  }
  if (!plan.refusals.empty()) text += refusals_as_text(plan, palette);
  return text + "\n" + plan_summary(plan, view.scene) + "\n";
}

std::string plan_as_markdown(const PlanView& view) {
  const Plan& plan = view.plan;
  const auto cell = [](std::string text) {
    for (auto at = text.find_first_of("|\n"); at != std::string::npos; at = text.find_first_of("|\n", at + 2))
      text.replace(at, 1, text[at] == '|' ? "\\|" : "  ");
    return text;
  };
  std::string text =
      fmt::format("### stemma plan: {}\n\n{}\n\n", view.scene.desired.name, plan_summary(plan, view.scene));
  if (!plan.refusals.empty()) {
    text += "#### Refusals\n\n";
    for (const Finding& found : plan.refusals)
      text += fmt::format("- **{}** `{}`: {}{}\n", found.server.text, found.code, found.message,
                          found.hint.empty() ? "" : fmt::format("<br>{}", found.hint));
    text += "\n";
  }
  std::vector<const Finding*> differences, warnings;
  for (const Finding& found : plan.differences) {
    if (found.weight == Weight::error) differences.push_back(&found);
    if (found.weight == Weight::warning) warnings.push_back(&found);
  }
  if (!differences.empty()) {
    text += "| server | code | what differs |\n|---|---|---|\n";
    for (const Finding* found : differences)
      text +=
          fmt::format("| {} | `{}` | {} |\n", cell(found->server.text), found->code, cell(found->message));
    text += "\n";
  }
  if (!plan.steps.empty()) {
    text += "| # | server | step | what happens | after |\n|---:|---|---|---|---|\n";
    for (StepIndex i = 0; i < plan.steps.size(); ++i) {
      const Step& step = plan.steps[i];
      text += fmt::format("| {} | {} | `{}` | {} | {} |\n", i + 1, cell(step.server.text), to_text(step.kind),
                          cell(step_sentence(plan, step)), numbers(step.after));
    }
    text += "\n<details><summary>SQL</summary>\n\n```sql\n" + plan_as_sql(view) + "```\n\n</details>\n\n";
  }
  const auto hazards = hazards_of(plan);
  if (!hazards.empty()) text += "#### Hazards\n\n";
  for (const auto& [hazard, steps] : hazards)
    text += fmt::format("- **{}**: {} (steps {}){}\n", to_text(hazard), meaning(hazard), numbers(steps),
                        covered_by_yes(hazard) ? "" : fmt::format("; needs `--allow {}`", to_text(hazard)));
  if (!hazards.empty()) text += "\n";
  if (!plan.notes.empty() || !warnings.empty()) text += "#### Good to know\n\n";
  for (const std::string& note : plan.notes) text += fmt::format("- {}\n", note);
  for (const Finding* found : warnings)
    text += fmt::format("- **{}** `{}`: {}{}\n", found->server.text, found->code, found->message,
                        found->hint.empty() ? "" : fmt::format("<br>{}", found->hint));
  if (!view.plan_id.empty()) text += fmt::format("\nplan `{}`\n", view.plan_id);
  return text;
}

std::string plan_as_sql(const PlanView& view) {
  std::string text;
  for (StepIndex i = 0; i < view.plan.steps.size(); ++i) {
    const Step& step = view.plan.steps[i];
    const Server& server = *view.scene.desired.find(step.server);
    text += fmt::format("-- {}. on {} ({}): {}{}\n", i + 1, step.server.text, to_text(server.address),
                        step_sentence(view.plan, step),
                        step.after.empty() ? "" : fmt::format(" [after {}]", numbers(step.after)));
    for (const std::string& statement : view.preview(step))
      text += statement + (statement.starts_with("--") ? "\n" : ";\n");
  }
  return text;
}

}  // namespace stemma
