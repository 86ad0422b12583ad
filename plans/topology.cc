#include "plans/topology.h"

#include <fmt/format.h>

#include <algorithm>

namespace stemma {

Tls below(const std::string& directory, Tls tls) {
  for (std::string* file : {&tls.ca, &tls.cert, &tls.key})
    if (!directory.empty() && !file->empty() && file->front() != '/') *file = directory + "/" + *file;
  return tls;
}

std::string to_text(const Address& address) {
  if (!address.socket.empty()) return "unix:" + address.socket;
  const bool ipv6 = address.host.find(':') != std::string::npos;
  return ipv6 ? fmt::format("[{}]:{}", address.host, address.port)
              : fmt::format("{}:{}", address.host, address.port);
}

void Topology::build_index() {
  index = {};
  for (std::size_t i = 0; i < servers.size(); ++i) {
    index.by_name.emplace(servers[i].name.text, i);
    if (servers[i].source) index.replicas[servers[i].source->text].push_back(i);
  }
}

const Server* Topology::find(const ServerName& wanted) const {
  if (const auto at = index.by_name.find(wanted.text);
      at != index.by_name.end() && at->second < servers.size() && servers[at->second].name == wanted)
    return &servers[at->second];
  const auto found = std::find_if(servers.begin(), servers.end(),
                                  [&](const Server& server) { return server.name == wanted; });
  return found == servers.end() ? nullptr : &*found;
}

std::vector<const Server*> Topology::replicas_of(const ServerName& source) const {
  std::vector<const Server*> replicas;
  if (index.by_name.size() == servers.size()) {
    if (const auto at = index.replicas.find(source.text); at != index.replicas.end())
      for (const std::size_t i : at->second) replicas.push_back(&servers[i]);
    return replicas;
  }
  for (const Server& server : servers) {
    if (server.source == source) replicas.push_back(&server);
  }
  return replicas;
}

std::vector<const Server*> Topology::below(const Server& top) const {
  std::vector<const Server*> found = replicas_of(top.name);
  // read_topology refuses cycles; the bound keeps a topology made by hand from hanging its caller.
  for (std::size_t i = 0; i < found.size() && found.size() < servers.size(); ++i)
    for (const Server* replica : replicas_of(found[i]->name)) found.push_back(replica);
  std::sort(found.begin(), found.end());
  return found;
}

const Server& Topology::root_of(const Server& server) const {
  const Server* at = &server;
  // read_topology refuses cycles; the bound keeps a topology made by hand from hanging its caller.
  for (std::size_t steps = 0; at->source && steps < servers.size(); ++steps) {
    const Server* above = find(*at->source);
    if (above == nullptr) break;
    at = above;
  }
  return *at;
}

}  // namespace stemma
