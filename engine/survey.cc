#include "engine/survey.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

namespace stemma {

Silence silence_of(const Error& error) {
  if (!error.code.empty()) return {error.code, error};
  return {error.trouble == Trouble::denied ? "server.login-refused" : "server.unreachable", error};
}

void side_by_side(const std::vector<ServerName>& names, std::size_t at_once,
                  const std::function<void(const ServerName&)>& work) {
  std::atomic<std::size_t> next{0};
  const auto run = [&] {
    for (std::size_t i = next++; i < names.size(); i = next++) work(names[i]);
  };
  std::vector<std::jthread> threads;
  // This thread works too, so a fleet of one needs no other.
  for (std::size_t i = 1; i < std::min(at_once, names.size()); ++i) threads.emplace_back(run);
  run();
}

std::vector<ServerName> names_of(const Topology& topology) {
  std::vector<ServerName> names;
  names.reserve(topology.servers.size());
  for (const Server& server : topology.servers) names.push_back(server.name);
  return names;
}

Fleet survey(Provider& provider, const Topology& topology, const Secrets& secrets, std::size_t at_once) {
  Fleet fleet;
  std::mutex guard;
  side_by_side(names_of(topology), at_once, [&](const ServerName& name) {
    auto state = provider.observe(name);
    const std::lock_guard lock(guard);
    if (state)
      fleet.servers.emplace(name, std::move(*state));
    else
      fleet.silent.emplace(name, silence_of(state.error()));
  });

  const Outputs nothing_yet;
  const auto questions = questions_for(Scene{topology, fleet, secrets, nothing_yet});
  std::vector<ServerName> asked;
  for (const auto& [name, what] : questions) asked.push_back(name);
  side_by_side(asked, at_once, [&](const ServerName& name) {
    ServerState& state = fleet.servers.at(name);  // each thread has its own; the map itself stays as it is
    auto answered = provider.answer(name, questions.at(name), state);
    if (answered) return;
    const std::lock_guard lock(guard);
    fleet.silent.emplace(name, silence_of(answered.error()));
  });
  for (const auto& [name, silent] : fleet.silent) fleet.servers.erase(name);
  return fleet;
}

}  // namespace stemma
