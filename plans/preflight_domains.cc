#include "plans/preflight_domains.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <set>

#include "plans/judge_parts.h"

namespace stemma {
namespace {

// The domain in which a server will write: the declared one is set before anything of it is replicated.
std::uint32_t domain_of(const Server& server, const ServerState& state) {
  const auto declared = server.variables.find("gtid_domain_id");
  if (declared == server.variables.end()) return state.gtid_domain;
  std::uint32_t domain = state.gtid_domain;
  std::from_chars(declared->second.data(), declared->second.data() + declared->second.size(), domain);
  return domain;
}

// The domains in which what comes from a source is written now, each with its root.
std::map<std::uint32_t, const Server*> written_domains(const Scene& scene, const ServerName& source) {
  std::map<std::uint32_t, const Server*> domains;
  for (const Server* above : scene.desired.upstream(source))
    if (const ServerState* state = scene.observed.find(above->name); state != nullptr && above->is_root())
      domains.emplace(domain_of(*above, *state), above);
  return domains;
}

// A number that no server of the fleet writes under.
std::uint32_t free_domain(const Scene& scene) {
  std::set<std::uint32_t> taken;
  for (const auto& [name, state] : scene.observed.servers) {
    taken.insert(state.gtid_domain);
    for (const auto& [key, sequence] : state.gtid_state.entries()) taken.insert(key.first);
  }
  for (const Server& server : scene.desired.servers)
    if (const ServerState* state = scene.observed.find(server.name)) taken.insert(domain_of(server, *state));
  std::uint32_t domain = 1;
  while (taken.contains(domain)) ++domain;
  return domain;
}

}  // namespace

void check_domains(const Scene& scene, const Server& server, const ServerState& state,
                   std::vector<Finding>& findings) {
  if (state.mysql_gtids) return;
  const auto links = links_of(server);
  for (std::size_t b = 1; b < links.size(); ++b)
    for (std::size_t a = 0; a < b; ++a) {
      const ServerState* one = scene.observed.find(links[a].source());
      const ServerState* other = scene.observed.find(links[b].source());
      if (one == nullptr || other == nullptr) continue;
      const std::string from = fmt::format("{} and {}", links[a].source().text, links[b].source().text);
      std::string message, hint;
      std::uint32_t domain = 0;
      const auto now = written_domains(scene, links[a].source());
      for (const auto& [shared, root] : written_domains(scene, links[b].source())) {
        if (!now.contains(shared)) continue;
        domain = shared;
        message = fmt::format("{} write GTIDs of one domain, {}", from, domain);
        hint = fmt::format(
            "put this into the option file of {0} and restart it: [mysqld] gtid_domain_id = {1}; "
            "or declare it: [server.{0}.variables] gtid_domain_id = {1}",
            root->name.text, free_domain(scene));
        break;
      }
      if (message.empty())
        for (const auto& [shared, gtid] : one->gtid_binlog.domains()) {
          const auto& theirs = other->gtid_binlog.domains();
          const auto there = theirs.find(shared);
          if (there == theirs.end() || there->second == gtid) continue;
          domain = shared;
          message = fmt::format("{} have both written GTIDs of domain {} before: {} and {}", from, domain,
                                to_text(gtid), to_text(there->second));
          hint = "RESET MASTER on a server without replicas forgets them";
          break;
        }
      if (message.empty()) continue;
      const bool by_gtid = wants_gtid(scene.desired, scene.observed, links[a]) ||
                           wants_gtid(scene.desired, scene.observed, links[b]);
      Finding found = finding("gtid.domain-shared", server.name, "gtid_domain_id", "distinct at its sources",
                              std::to_string(domain), std::move(message));
      found.weight = by_gtid || state.gtid_strict ? Weight::error : Weight::warning;
      found.hint = std::move(hint);
      if (by_gtid) found.hint += "; or declare coordinates = \"position\"";
      found.place = links[b].channel.place;
      findings.push_back(of_channel(std::move(found), links[b].name()));
    }
}

}  // namespace stemma
