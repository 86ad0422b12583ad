#include "plans/planner.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>
#include <string_view>
#include <unordered_set>

#include "plans/attach.h"
#include "plans/diff.h"
#include "plans/draft.h"
#include "plans/judge_parts.h"
#include "plans/preflight.h"
#include "plans/privileges.h"
#include "plans/recipes.h"

namespace stemma {
namespace {

bool is_refusal(const Finding& found) { return found.weight == Weight::error && !leaves_verdict_open(found); }

void refuse_missing_privileges(const Scene& scene, Plan& plan) {
  std::unordered_set<std::string_view> changed, revoking;
  std::map<std::string_view, std::set<std::string_view>> variables;  // those that are set, by server
  for (const Step& step : plan.steps) {
    changed.insert(step.server.text);
    if (step.kind == StepKind::revoke) revoking.insert(step.server.text);
    if (!step.variable.empty()) variables[step.server.text].insert(step.variable);
  }
  for (const Server& server : scene.desired.servers) {
    const ServerState* state = scene.observed.find(server.name);
    if (state == nullptr || !changed.contains(server.name.text)) continue;
    auto missing = missing_privileges(*state, true);
    if (revoking.contains(server.name.text) && state->replication_account)
      for (const PrivilegeNeed& need : missing_to_revoke(*state, *state->replication_account))
        missing.push_back(need);
    for (const PrivilegeNeed& need : missing_to_set(*state, variables[server.name.text]))
      missing.push_back(need);
    if (missing.empty()) continue;
    std::vector<std::string> names;
    for (const PrivilegeNeed& need : missing)
      names.push_back(fmt::format("{}{}{}", need.name,
                                  need.object == "*.*" ? "" : fmt::format(" on {}", need.object),
                                  need.grantable ? " … WITH GRANT OPTION" : ""));
    Finding found =
        finding("server.privilege-missing", server.name, "privileges", "granted", "missing",
                fmt::format("stemma's account '{}' lacks {}", server.admin.user, fmt::join(names, ", ")));
    found.hint = privilege_hint(server.admin.user, missing);
    found.place = server.place;
    plan.refusals.push_back(std::move(found));
  }
}

// MariaDB takes filters by GTID domain only where a channel uses GTIDs (1201): those of the file, and those that somebody
// has set and that would stay.
void refuse_domain_filters_by_position(const Scene& scene, Plan& plan) {
  if (plan.coordinates != CoordinatesMode::position) return;
  for (const Server& server : scene.desired.servers) {
    const ServerState* state = scene.observed.find(server.name);
    if (state == nullptr || state->flavor != Flavor::mariadb) continue;
    for (const DeclaredLink& link : links_of(server)) {
      const Channel* channel = state->channel(link.name().channel);
      const auto refuse = [&](const std::string& key,
                              const std::optional<std::vector<std::uint32_t>>& declared,
                              const std::string& observed) {
        if (declared ? declared->empty() : observed.empty()) return;
        Finding found = finding("channel.option-unsupported", server.name, fmt::format("channel.{}", key),
                                declared ? "declared" : observed, "by position",
                                fmt::format("{} filters only where channels use GTIDs{}", key,
                                            declared ? "" : fmt::format(", and it is set: {}", observed)));
        found.hint = declared ? "set coordinates = \"gtid\", or take it out"
                              : fmt::format("set coordinates = \"gtid\"; or declare {} = [] to drop it", key);
        found.place = place_of(scene.desired, link, key);
        plan.refusals.push_back(of_channel(std::move(found), link.name()));
      };
      const ChannelOptions& options = link.channel.options;
      refuse("do_domain_ids", options.do_domain_ids, channel ? channel->do_domain_ids : "");
      refuse("ignore_domain_ids", options.ignore_domain_ids, channel ? channel->ignore_domain_ids : "");
    }
  }
}

void note_unknown_versions(const Scene& scene, Plan& plan) {
  for (const Server& server : scene.desired.servers)
    if (const ServerState* state = scene.observed.find(server.name);
        state != nullptr && state->version > newest_known(state->flavor))
      plan.notes.push_back(
          fmt::format("{} runs {} {}, newer than any that this version of stemma was tried on; it is "
                      "spoken to like the newest known",
                      server.name.text, to_text(state->flavor), to_text(state->version)));
}

CoordinatesMode mode_of(const Scene& scene) {
  for (const Server& server : scene.desired.servers)
    for (const DeclaredLink& link : links_of(server))
      if (wants_gtid(scene.desired, scene.observed, link)) return CoordinatesMode::gtid;
  return scene.desired.coordinates == CoordinatesMode::gtid ? CoordinatesMode::gtid
                                                            : CoordinatesMode::position;
}

}  // namespace

Result<Plan> make_plan(const Scene& scene) {
  Plan plan;
  plan.coordinates = mode_of(scene);
  const auto checks = preflight(scene);
  plan.differences = diff(scene, checks);
  for (const Finding& found : checks)
    if (is_refusal(found)) plan.refusals.push_back(found);

  Draft draft;
  Recipes recipes(scene, draft, plan);
  recipes.run();
  if (auto finished = std::move(draft).finish(plan); !finished) return tl::unexpected(finished.error());
  refuse_missing_privileges(scene, plan);
  refuse_domain_filters_by_position(scene, plan);
  note_unknown_versions(scene, plan);
  return plan;
}

}  // namespace stemma
