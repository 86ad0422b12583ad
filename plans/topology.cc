#include "plans/topology.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

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

std::string to_text(const Link& link) {
  return link.channel.empty() ? link.replica.text
                              : fmt::format("channel '{}' of {}", link.channel, link.replica.text);
}

bool Server::follows(const ServerName& source) const {
  return std::any_of(channels.begin(), channels.end(),
                     [&](const DeclaredChannel& channel) { return channel.source == source; });
}

const DeclaredChannel* Server::channel(std::string_view wanted) const {
  const auto found = std::find_if(channels.begin(), channels.end(),
                                  [&](const DeclaredChannel& channel) { return channel.name == wanted; });
  return found == channels.end() ? nullptr : &*found;
}

std::vector<DeclaredLink> links_of(const Server& server) {
  std::vector<DeclaredLink> links;
  links.reserve(server.channels.size());
  for (const DeclaredChannel& channel : server.channels) links.push_back({server, channel});
  return links;
}

void Topology::build_index() {
  index = {};
  for (std::size_t i = 0; i < servers.size(); ++i) {
    index.by_name.emplace(servers[i].name.text, i);
    for (const DeclaredChannel& channel : servers[i].channels) {
      auto& replicas = index.replicas[channel.source.text];
      if (replicas.empty() || replicas.back() != i) replicas.push_back(i);
    }
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
    if (server.follows(source)) replicas.push_back(&server);
  }
  return replicas;
}

bool Topology::replicates(const Server& server) const {
  return !server.is_root() || !replicas_of(server.name).empty();
}

std::vector<const Server*> Topology::below(const Server& top) const {
  std::vector<const Server*> found = replicas_of(top.name);
  std::unordered_set<const Server*> known(found.begin(), found.end());
  for (std::size_t i = 0; i < found.size(); ++i)
    for (const Server* replica : replicas_of(found[i]->name))
      if (known.insert(replica).second) found.push_back(replica);
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<const Server*> Topology::upstream(const ServerName& source) const {
  std::vector<const Server*> found;
  std::unordered_set<const Server*> known;
  const auto add = [&](const ServerName& wanted) {
    if (const Server* server = find(wanted); server != nullptr && known.insert(server).second)
      found.push_back(server);
  };
  add(source);
  for (std::size_t i = 0; i < found.size(); ++i)
    for (const DeclaredChannel& channel : found[i]->channels) add(channel.source);
  return found;
}

std::vector<const Server*> Topology::roots_of(const Server& server) const {
  std::vector<const Server*> roots = upstream(server.name);
  std::erase_if(roots, [](const Server* above) { return !above->is_root(); });
  return roots;
}

}  // namespace stemma
