#include "plans/topology_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <span>
#include <unordered_map>

#include "plans/observed.h"
#include "plans/topology_check.h"
#include "plans/topology_keys.h"
#include "plans/topology_values.h"

namespace stemma {
namespace {

// "localhost:3306" and "LOCALHOST:3306" are one server.
std::string folded(const Address& address) {
  std::string text = to_text(address);
  if (address.socket.empty()) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  }
  return text;
}

class Rules {
 public:
  Rules(const ParsedToml& parsed, const DecodedTopology& decoded, Diagnostics& diagnostics)
      : parsed_(parsed),
        servers_(decoded.topology.servers),
        nodes_(decoded.nodes),
        topology_(decoded.topology),
        diagnostics_(diagnostics) {
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      by_name_.emplace(servers_[i].name.text, i);
      names_.push_back(servers_[i].name.text);
    }
  }

  void check() {
    if (servers_.empty() && !parsed_.damaged) {
      // A `server` that is no table, or has keys instead of tables, was complained about.
      const Entry* server = parsed_.root.find("server");
      const bool empty =
          server == nullptr || (server->value.kind == Node::Kind::table && server->value.entries.empty());
      if (empty && !stands_misspelt(parsed_.root, Section::file, "server")) {
        diagnostics_.error({{1, 1}, 1}, "the file has no server",
                           "add one: [server.primary] and below it address = \"127.0.0.1:3306\"");
      }
    }
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      sources(i);
      channel_keys(i);
      provision(i);
      read_only(i);
      authorities(i);
    }
    if (!cycles())
      for (std::size_t i = 0; i < servers_.size(); ++i) diamonds(i);
    duplicates();
    replication();
    names();
  }

 private:
  void sources(std::size_t i) {
    const Server& server = servers_[i];
    for (std::size_t c = 0; c < server.channels.size(); ++c) {
      const std::string& name = server.channels[c].source.text;
      const Span& span = nodes_[i].sources[c]->value.span;
      source(server, name, span);
      const auto twin =
          std::find_if(server.channels.begin(), server.channels.begin() + static_cast<std::ptrdiff_t>(c),
                       [&](const DeclaredChannel& other) { return other.source.text == name; });
      if (twin != server.channels.begin() + static_cast<std::ptrdiff_t>(c))
        diagnostics_.error(span,
                           fmt::format("'{}' has two channels from '{}': everything would be applied twice",
                                       server.name.text, name),
                           "give each channel a source of its own");
    }
  }

  void source(const Server& server, const std::string& name, const Span& span) {
    if (name == server.name.text) {
      diagnostics_.error(span, fmt::format("'{}' names itself as its source", name),
                         "name the server that it replicates from, or take the line out to make it a root");
      return;
    }
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) {
      no_such_server("source", span, name);
      return;
    }
    const Server& above = servers_[found->second];
    const Entry* address = nodes_[found->second].find("address");
    if (!above.advertise.socket.empty() && address != nullptr && told_.emplace(name, true).second) {
      diagnostics_.error(address->value.span,
                         fmt::format("the replicas of '{}' can't reach it by a socket", name),
                         "add how they reach it: advertise = \"host:3306\"");
    }
  }

  // Keys of the default channel where there are only named ones.
  void channel_keys(std::size_t i) {
    if (servers_[i].is_root() || nodes_[i].source != nullptr || parsed_.damaged) return;
    for (const Entry& entry : nodes_[i].entry->value.entries)
      if (entry.key != "source" && find_key(Section::channel, entry.key) != nullptr)
        diagnostics_.error(
            entry.span,
            fmt::format("'{}' is of the channel that 'source' makes, and '{}' has only named ones", entry.key,
                        servers_[i].name.text),
            fmt::format("put it into [server.{}.channel.{}]; what holds for all channels stands "
                        "in [replication]",
                        servers_[i].name.text, servers_[i].channels.front().name));
  }

  // Several ways for the same writes.
  void diamonds(std::size_t i) {
    const Server& server = servers_[i];
    if (server.channels.size() < 2 || server.follows(server.name)) return;
    std::unordered_map<const Server*, std::size_t> first;  // the channel through which it came first
    for (std::size_t c = 0; c < server.channels.size(); ++c)
      for (const Server* above : topology_.upstream(server.channels[c].source)) {
        const auto [seen, fresh] = first.emplace(above, c);
        if (fresh || server.channels[seen->second].source == server.channels[c].source) continue;
        diagnostics_.error(
            nodes_[i].sources[c]->value.span,
            fmt::format("'{}' would get what '{}' writes twice: through '{}' and through '{}'",
                        server.name.text, above->name.text, server.channels[seen->second].source.text,
                        server.channels[c].source.text),
            "take one of the two sources out");
        return;
      }
  }

  void no_such_server(std::string_view key, const Span& span, const std::string& name) {
    if (parsed_.lost_header) return;
    // Thousands of replicas may name one misspelt source, or a wrong one each.
    constexpr std::size_t most_advised = 100;
    const auto [advice, fresh] = advice_.emplace(name, std::string());
    if (fresh) {
      const std::string_view near =
          advice_.size() > most_advised ? std::string_view() : nearest(name, names_);
      advice->second =
          near.empty() ? "the servers are " +
                             list_in_quotes(std::span(names_).first(std::min<std::size_t>(8, names_.size())))
                       : fmt::format("did you mean {}?", in_quotes(near));
    }
    diagnostics_.error(span, fmt::format("'{}' names no server of this file: {}", key, in_quotes(name)),
                       advice->second);
  }

  // Also one that could not be read.
  [[nodiscard]] bool has_source(std::size_t i) const {
    return nodes_[i].source != nullptr || !servers_[i].is_root() || nodes_[i].find("channel") != nullptr;
  }

  void provision(std::size_t i) {
    const Entry* provision = nodes_[i].own("provision");
    if (provision != nullptr && !has_source(i) && !parsed_.damaged) {
      diagnostics_.error(provision->span,
                         fmt::format("'{}' has no source to be provisioned from", servers_[i].name.text),
                         "add its source, or take the line out");
    }
    const Entry* at = has_source(i) ? nodes_[i].find("at") : nodes_[i].own("at");
    const Entry* effective = nodes_[i].find("provision");
    const bool readable =
        effective == nullptr || index_in(provision_words, effective->value.text).has_value();
    if (at != nullptr && servers_[i].channels.size() > 1 && parse_coordinates(at->value.text))
      diagnostics_.error(
          at->value.span,
          fmt::format("'{}' has several sources, and a file and position is a place of one only",
                      servers_[i].name.text),
          "write the GTID position of the backup");
    if (at == nullptr || servers_[i].provision == Provision::assume_identical || !readable) return;
    if (effective == nullptr && parsed_.damaged) return;
    diagnostics_.error(at->span, "'at' goes with provision = \"assume-identical\" only",
                       "add that line, or take this one out");
  }

  void read_only(std::size_t i) {
    const Entry* super = nodes_[i].find("super_read_only");
    if (super == nullptr || servers_[i].super_read_only != true || servers_[i].read_only) return;
    if (parsed_.damaged && nodes_[i].find("read_only") == nullptr) return;
    diagnostics_.error(
        super->span, fmt::format("super_read_only = true, but '{}' is not read_only", servers_[i].name.text),
        "set read_only = true as well, or take this line out");
  }

  // Who is to verify must be told with what. A channel that verifies the name, too, may do without: a new MariaDB has the
  // password prove who its source is.
  void authorities(std::size_t i) {
    const Server& server = servers_[i];
    const auto complain = [&](const std::string& key, std::string_view mode) {
      const auto own = server.places.find(key);
      const auto shared = topology_.places.find("replication." + key);
      if (parsed_.damaged || (own == server.places.end() && shared == topology_.places.end())) return;
      const Place& place = own != server.places.end() ? own->second : shared->second;
      if (!told_.emplace(fmt::format("{}:{}", place.line, place.column), true).second) return;
      diagnostics_.error({place, 3}, fmt::format("tls = \"{}\" has no authority to verify with", mode),
                         "add a line beside it: ca = \"/path/to/ca.pem\"");
    };
    const TlsMode admin = server.admin.tls.mode;
    if (admin >= TlsMode::verify_ca && server.admin.tls.ca.empty())
      complain("admin.tls", tls_words[static_cast<std::size_t>(admin)]);
    for (const DeclaredChannel& channel : server.channels)
      if (channel.options.tls == TlsMode::verify_ca && channel.options.ca.value_or("").empty())
        complain("tls", "verify-ca");
  }

  // Walks up from each server; who meets a server that is on its own way has gone round.
  bool cycles() {
    enum class Visit { not_yet, on_the_way, done };
    std::vector<Visit> visits(servers_.size(), Visit::not_yet);
    bool found = false;
    for (std::size_t start = 0; start < servers_.size(); ++start) {
      if (visits[start] != Visit::not_yet) continue;
      std::vector<Hop> way = {{start, 0}};
      visits[start] = Visit::on_the_way;
      while (!way.empty()) {
        Hop& at = way.back();
        const auto& channels = servers_[at.server].channels;
        if (at.channel == channels.size()) {
          visits[at.server] = Visit::done;
          way.pop_back();
          if (!way.empty()) ++way.back().channel;
          continue;
        }
        const auto above = by_name_.find(channels[at.channel].source.text);
        if (above == by_name_.end() || above->second == at.server || visits[above->second] == Visit::done) {
          ++at.channel;
        } else if (visits[above->second] == Visit::not_yet) {
          visits[above->second] = Visit::on_the_way;
          way.push_back({above->second, 0});
        } else {
          const auto begin = std::find_if(way.begin(), way.end(),
                                          [&](const Hop& hop) { return hop.server == above->second; });
          report_cycle({begin, way.end()});
          found = true;
          ++at.channel;
        }
      }
    }
    return found;
  }

  // A server on a way up, and by which of its channels the way goes on.
  struct Hop {
    std::size_t server, channel;
  };

  void report_cycle(std::vector<Hop> ring) {
    std::rotate(ring.begin(),
                std::min_element(ring.begin(), ring.end(),
                                 [](const Hop& a, const Hop& b) { return a.server < b.server; }),
                ring.end());
    std::string path;
    constexpr std::size_t shown = 12;
    for (std::size_t i = 0; i < std::min(ring.size(), shown); ++i)
      path += servers_[ring[i].server].name.text + " -> ";
    if (ring.size() > shown) path += "… -> ";
    diagnostics_.error(
        nodes_[ring.front().server].sources[ring.front().channel]->value.span,
        fmt::format("the sources go round in a circle: {}{}", path, servers_[ring.front().server].name.text),
        "one of them must be a root: take out its source");
  }

  void duplicates() {
    std::unordered_map<std::string, std::size_t> addresses, advertised;
    std::unordered_map<std::uint32_t, std::size_t> ids;
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      const Server& server = servers_[i];
      const bool has_address = !server.address.host.empty() || !server.address.socket.empty();
      const bool has_advertise = !server.advertise.host.empty();
      const auto same_address =
          has_address ? addresses.emplace(folded(server.address), i) : std::pair{addresses.end(), true};
      if (!same_address.second) duplicate("address", to_text(server.address), same_address.first->second, i);
      if (has_advertise) {
        const auto [first, fresh] = advertised.emplace(folded(server.advertise), i);
        if (!fresh && same_address.second)
          duplicate("advertise", to_text(server.advertise), first->second, i);
      }
      if (!server.server_id) continue;
      const auto [first, fresh] = ids.emplace(*server.server_id, i);
      if (!fresh) duplicate("server_id", std::to_string(*server.server_id), first->second, i);
    }
  }

  void duplicate(std::string_view key, const std::string& value, std::size_t first, std::size_t second) {
    const Entry* entry = nodes_[second].find(key);
    // The advertised name of the one may be the address of the other.
    if (entry == nullptr) entry = nodes_[first].find(key);
    if (entry == nullptr) entry = nodes_[second].entry;
    diagnostics_.error(entry->value.span,
                       fmt::format("'{}' and '{}' have the same {}: {}", servers_[first].name.text,
                                   servers_[second].name.text, key, value),
                       "each server needs its own");
  }

  void replication() {
    const auto first =
        std::find_if(nodes_.begin(), nodes_.end(), [](const ServerNodes& n) { return !n.sources.empty(); });
    if (first == nodes_.end() || parsed_.damaged) return;
    const Entry* section = parsed_.root.find("replication");
    if (section == nullptr) {
      if (stands_misspelt(parsed_.root, Section::file, "replication")) return;
      diagnostics_.error(
          first->sources.front()->value.span,
          fmt::format("'{}' has a source, but the file has no [replication]", first->entry->key),
          "add the account that replicas use: [replication] with user and password");
      return;
    }
    if (section->value.kind != Node::Kind::table) return;
    const Entry* user = section->value.find("user");
    for (const Server& server : servers_) {
      if (user == nullptr || !topology_.replication || topology_.replication->user != server.admin.user)
        continue;
      diagnostics_.error(
          user->value.span,
          fmt::format("{} is the account that stemma logs in with on '{}'",
                      in_quotes(topology_.replication->user), server.name.text),
          "give the replicas an account of their own: it gets another password and loses all other rights");
      break;
    }
    if (const Entry* plugin = section->value.find("plugin");
        plugin != nullptr && plugin->value.kind == Node::Kind::text &&
        plugin->value.text.find_first_not_of(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != std::string::npos)
      diagnostics_.error(
          plugin->value.span,
          fmt::format("'plugin' can't be {}: it is no plugin's name", in_quotes(plugin->value.text)),
          "write it like \"mysql_native_password\"");
    for (const auto& [key, example] :
         {std::pair{"user", "\"repl_user\""}, std::pair{"password", "{ env = \"REPL_PASSWORD\" }"}}) {
      if (section->value.find(key) != nullptr || stands_misspelt(section->value, Section::replication, key))
        continue;
      diagnostics_.error(section->value.span, fmt::format("[replication] has no '{}'", key),
                         fmt::format("add a line: {} = {}", key, example));
    }
  }

  void names() {
    const Entry* section = parsed_.root.find("topology");
    if (const Entry* name = section == nullptr ? nullptr : section->value.find("name");
        name != nullptr &&
        (name->value.text.find('/') != std::string::npos || name->value.text.front() == '.')) {
      diagnostics_.error(
          name->value.span,
          fmt::format("'name' can't be {}: journals are called by it", in_quotes(name->value.text)),
          "write a name without '/' and without a dot in front");
    }
    const Entry* verify = parsed_.root.find("verify");
    constexpr auto taken =
        std::to_array<std::string_view>({"mysql", "sys", "information_schema", "performance_schema"});
    if (const Entry* database = verify == nullptr ? nullptr : verify->value.find("database");
        database != nullptr && index_in(taken, topology_.verify.database)) {
      diagnostics_.error(
          database->value.span,
          fmt::format("the schema {} belongs to the server", in_quotes(topology_.verify.database)),
          "name a schema of the canary's own, as stemma_canary");
    }
    const Entry* ignores = parsed_.root.find("ignore");
    if (ignores == nullptr) return;
    for (const Node& node : ignores->value.items) {
      const Entry* server = node.find("server");
      if (server == nullptr || server->value.kind != Node::Kind::text ||
          by_name_.contains(server->value.text))
        continue;
      no_such_server("server", server->value.span, server->value.text);
    }
  }

  const ParsedToml& parsed_;
  const std::vector<Server>& servers_;
  const std::vector<ServerNodes>& nodes_;
  const Topology& topology_;
  Diagnostics& diagnostics_;
  std::unordered_map<std::string, std::size_t> by_name_;
  std::vector<std::string_view> names_;
  std::unordered_map<std::string, std::string> advice_;  // by a name that no server has
  std::unordered_map<std::string, bool> told_;           // sources whose socket was complained about
};

}  // namespace

void check_rules(const ParsedToml& parsed, const DecodedTopology& decoded, Diagnostics& diagnostics) {
  Rules(parsed, decoded, diagnostics).check();
}

}  // namespace stemma
