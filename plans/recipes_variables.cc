// Declared variables, and those among them that are set, or take effect, only while no channel runs.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plans/recipes.h"

namespace stemma {
namespace {

// MariaDB answers 1198 and MySQL 3017 while a thread runs, or the value waits for the next START without a word
// (replica_parallel_workers).
bool wants_channels_off(const std::string& variable) {  // in small letters
  const bool new_word = variable.starts_with("replica_");
  const std::string name = new_word ? "slave_" + variable.substr(8) : variable;
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

// What STOP and START are told: MariaDB means the channel without a name where it is told no more.
std::string_view all_channels(const ServerState& state) {
  const bool named = std::any_of(state.channels.begin(), state.channels.end(),
                                 [](const Channel& channel) { return !channel.name.empty(); });
  return named && state.flavor == Flavor::mariadb ? "ALL SLAVES" : replica_word(state);
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
    // Stopping one that runs is a person's decision: should the server not take the value, it would stay stopped.
    if (wants_channels_off(name) && !state(server.name)->no_channel_runs()) {
      plan_.notes.push_back(
          fmt::format("{0} of {1} is left alone: it is set only while no channel runs. On {1}: STOP {2}; SET "
                      "GLOBAL {0} = {3}; START {2}",
                      name, server.name.text, all_channels(*state(server.name)), value));
      continue;
    }
    draft_
        .add(StepKind::set_variable, server.name, {fact}, {}, fmt::format("set {} = {}", name, value),
             first_message(fact))
        .variable = name;
  }
}

// A channel starts with them.
void Recipes::order_variables() {
  for (const Server& server : scene_.desired.servers)
    for (const auto& [name, value] : server.variables)
      if (const Fact fact = VariableIs{server.name, name}; wants_channels_off(name) && draft_.provides(fact))
        for (const DeclaredLink& link : links_of(server)) draft_.need_also(ChannelOn{link.name(), 1}, fact);
}

}  // namespace stemma
