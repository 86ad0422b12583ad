// What must hold for every plan.
#include <algorithm>
#include <map>
#include <set>

#include "plans/attach.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;

std::vector<std::string> broken_rules(const Story& story, const Plan& plan) {
  std::vector<std::string> broken;
  std::set<std::string> ids;
  // By step: all that surely come before it.
  std::vector<std::set<StepIndex>> before(plan.steps.size());
  std::map<std::string, StepIndex> giver;
  for (StepIndex i = 0; i < plan.steps.size(); ++i)
    for (const Fact& fact : plan.steps[i].ensures) giver.emplace(describe(fact), i);
  const auto comes_before = [&](StepIndex step, StepIndex earlier) { return before[step].contains(earlier); };
  for (StepIndex i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    const auto complain = [&](const std::string& what) {
      broken.push_back(fmt::format("{}: {}", step.id, what));
    };
    if (!ids.insert(step.id).second) complain("its id is used twice");
    if (step.ensures.empty()) complain("ensures nothing");
    for (const StepIndex earlier : step.after) {
      if (earlier >= i) {
        complain("stands before a step that it waits for");
        continue;
      }
      before[i].insert(earlier);
      before[i].insert(before[earlier].begin(), before[earlier].end());
    }
    for (const Fact& need : step.needs) {
      const auto given = giver.find(describe(need));
      if (given != giver.end() && !comes_before(i, given->second))
        complain("does not wait for: " + describe(need));
      // (Needs of other servers are tried in a test of their own.)
      if (given == giver.end() && subject(need) == step.server &&
          judge(need, story.scene()).verdict == Verdict::missing)
        complain("needs what nothing brings about: " + describe(need));
    }
    const Server& server = story.server(step.server.text);
    const ServerState* state = story.fleet.find(step.server);
    if (state == nullptr) {
      complain("touches a silent server");
      continue;
    }
    const bool builds = step.kind == StepKind::configure_source || step.kind == StepKind::start_replica;
    if (builds && server.read_only && !state->read_only) {
      const auto fenced = giver.find(describe(ReadOnly{step.server, true}));
      if (fenced == giver.end() || !comes_before(i, fenced->second))
        complain("a writable replica is built on");
    }
    if (step.kind == StepKind::unfence && (!server.is_root() || !state->channels.empty()))
      complain("opens a server that replicates");
    if (step.kind == StepKind::unfence)
      for (const Server& other : story.topology.servers) {
        const auto roots = story.topology.roots_of(other);
        const bool below = std::find(roots.begin(), roots.end(), &server) != roots.end();
        if (!below || &other == &server || !other.read_only) continue;
        const ServerState* seen = story.fleet.find(other.name);
        const auto fenced = giver.find(describe(ReadOnly{other.name, true}));
        if (seen == nullptr ||
            (!seen->read_only && (fenced == giver.end() || !comes_before(i, fenced->second))))
          complain("a second writer: " + other.name.text);
      }
    if (step.origin && std::holds_alternative<FromNoted>(*step.origin))
      for (const ServerName& source : sources_of(step))
        for (const auto& [domain, gtid] : state->gtid_replicated.domains())
          if (server.channels.size() == 1 || story.fleet.find(source)->gtid_state.contains(gtid))
            complain("coordinates of its source for a replica that has executed something of it");
  }
  const bool is_told = !plan.refusals.empty() || !story.fleet.silent.empty() ||
                       notes(plan).find("is left alone until") != std::string::npos;
  if (is_told) return broken;
  for (const Server& server : story.topology.servers)
    for (const DeclaredLink& link : links_of(server)) {
      const bool by_gtid = wants_gtid(story.topology, story.fleet, link);
      const bool in_order =
          judge(Follows{link.name(), link.source(), by_gtid}, story.scene()).verdict == Verdict::holds &&
          judge(ChannelOn{link.name()}, story.scene()).verdict == Verdict::holds;
      if (!in_order && !giver.contains(describe(ChannelOn{link.name()})))
        broken.push_back(to_text(link.name()) + ": is left as it is without a word");
    }
  return broken;
}
