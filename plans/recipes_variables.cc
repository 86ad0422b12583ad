// Declared variables, and those among them that are set, or take effect, only while no channel runs.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "plans/recipes.h"

namespace stemma {
namespace {

// MariaDB answers 1198 and MySQL 3017 while a thread runs, or the value waits for the next START without a word
// (replica_parallel_workers).
bool wants_channels_off(std::string_view variable) {
  std::string name(variable);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::tolower(c)); });
  if (name.starts_with("replica_")) name.replace(0, 8, "slave_");
  static constexpr std::array names = {"slave_parallel_threads",
                                       "slave_parallel_mode",
                                       "slave_parallel_max_queued",
                                       "slave_domain_parallel_threads",
                                       "slave_parallel_workers",
                                       "slave_parallel_type",
                                       "slave_preserve_commit_order",
                                       "slave_pending_jobs_size_max",
                                       "slave_run_triggers_for_rbr",
                                       "gtid_ignore_duplicates",
                                       "replicate_do_db",
                                       "replicate_ignore_db",
                                       "replicate_do_table",
                                       "replicate_ignore_table",
                                       "replicate_wild_do_table",
                                       "replicate_wild_ignore_table",
                                       "replicate_events_marked_for_skip"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void Recipes::variables(const Server& server) {
  for (const auto& [name, value] : server.variables) {
    const VariableIs fact{server.name, name};
    if (!is_missing(fact)) continue;
    if (!state(server.name)->variables.contains(name)) {
      const Judgement judgement = judge(fact, scene_);
      plan_.refusals.insert(plan_.refusals.end(), judgement.findings.begin(), judgement.findings.end());
      continue;
    }
    draft_
        .add(StepKind::set_variable, server.name, {fact}, {}, fmt::format("set {} = {}", name, value),
             first_message(fact))
        .variable = name;
  }
}

std::vector<Fact> Recipes::variables_before_start(const Server& server) const {
  std::vector<Fact> facts;
  if (server.is_root() || state(server.name) == nullptr) return facts;
  for (const auto& [name, value] : server.variables)
    if (const VariableIs fact{server.name, name};
        wants_channels_off(name) && state(server.name)->variables.contains(name) && is_missing(fact))
      facts.emplace_back(fact);
  return facts;
}

// Its channels that run are stopped for them, and started again.
void Recipes::pause_for_variables(const Server& server) {
  if (variables_before_start(server).empty()) return;
  for (const DeclaredLink& link : links_of(server)) {
    const auto found = work_.find(link.name());
    const Channel* now = state(server.name)->channel(link.channel.name);
    if (found == work_.end() || found->second.left_out || found->second.attach || now == nullptr ||
        (now->receiver == ReceiverState::off && !now->applier))
      continue;
    found->second.restart = found->second.reconnect = false;
    found->second.pause = true;
    found->second.rounds = 1;
  }
}

void Recipes::order_variables() {
  for (const Server& server : scene_.desired.servers)
    for (const Fact& fact : variables_before_start(server))
      for (const DeclaredLink& link : links_of(server)) {
        draft_.need_also(ChannelOn{link.name(), 1}, fact);
        if (const Fact off = ChannelOff{link.name(), 1}; draft_.provides(off)) draft_.need_also(fact, off);
      }
}

}  // namespace stemma
