#include "plans/topology_decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "plans/topology_values.h"

namespace stemma {
namespace {

// One overload for each type of the model: false if the node can't be one.
bool convert(const Node& node, std::string& to) {
  if (node.kind != Node::Kind::text) return false;
  to = node.text;
  return true;
}

bool convert(const Node& node, bool& to) {
  if (node.kind != Node::Kind::boolean) return false;
  to = node.boolean;
  return true;
}

template <class Integer>
requires std::is_integral_v<Integer>
bool convert(const Node& node, Integer& to) {
  if (node.kind != Node::Kind::integer || node.integer < 0) return false;
  if (static_cast<std::uint64_t>(node.integer) > std::numeric_limits<Integer>::max()) return false;
  to = static_cast<Integer>(node.integer);
  return true;
}

template <class Period>
bool convert(const Node& node, std::chrono::duration<std::int64_t, Period>& to) {
  const auto duration = parse_duration(node.text);
  if (!duration) return false;
  to = std::chrono::duration_cast<std::chrono::duration<std::int64_t, Period>>(*duration);
  return true;
}

bool convert(const Node& node, Address& to) {
  const auto address = parse_address(node.text);
  if (address) to = *address;
  return address.has_value();
}

bool convert(const Node& node, ServerName& to) { return convert(node, to.text); }

template <class Enum, std::size_t N>
bool convert_word(const Node& node, const std::array<std::string_view, N>& words, Enum& to) {
  const auto index = index_in(words, node.text);
  if (index) to = static_cast<Enum>(*index);
  return index.has_value();
}
bool convert(const Node& node, TlsMode& to) { return convert_word(node, tls_words, to); }
bool convert(const Node& node, Provision& to) { return convert_word(node, provision_words, to); }
bool convert(const Node& node, CoordinatesMode& to) { return convert_word(node, coordinates_words, to); }

template <class T>
bool convert(const Node& node, std::vector<T>& to) {
  std::vector<T> list;
  for (const Node& item : node.items) {
    if (!convert(item, list.emplace_back())) return false;
  }
  to = std::move(list);
  return node.kind == Node::Kind::list;
}

bool convert(const Node& node, SecretRef& to) {
  if (node.kind == Node::Kind::text) {
    to = FromLiteral{Secret(node.text)};
    return true;
  }
  if (node.entries.size() != 1) return false;
  const Entry& part = node.entries.front();
  if (part.key == "env")
    to = FromEnv{part.value.text};
  else if (part.key == "file")
    to = FromFile{part.value.text};
  else if (FromCommand command; convert(part.value, command.argv))
    to = std::move(command);
  else
    return false;
  return true;
}

// What the server calls the value, for `variables`.
std::string variable_text(const Node& node) {
  switch (node.kind) {
    case Node::Kind::integer: return std::to_string(node.integer);
    case Node::Kind::number: return fmt::format("{}", node.number);
    case Node::Kind::boolean: return node.boolean ? "ON" : "OFF";
    default: return node.text;
  }
}

// Reads keys from tables laid over each other, the first that has a key wins, and notes where it stood.
class Reader {
 public:
  Reader(std::vector<const Node*> layers, std::string prefix, std::map<std::string, Place>& places)
      : layers_(std::move(layers)), prefix_(std::move(prefix)), places_(places) {
    std::erase(layers_, nullptr);
  }

  template <class T>
  void operator()(std::string_view key, T& to) const {
    for (const Node* layer : layers_) {
      const Entry* entry = layer->find(key);
      if (entry == nullptr) continue;
      note(*entry);
      convert(entry->value, to);
      return;
    }
  }
  template <class T>
  void operator()(std::string_view key, std::optional<T>& to) const {
    T value{};
    for (const Node* layer : layers_) {
      const Entry* entry = layer->find(key);
      if (entry == nullptr) continue;
      note(*entry);
      if (convert(entry->value, value)) to = std::move(value);
      return;
    }
  }

  // The tables of that name in the same layers; null where a layer has none.
  [[nodiscard]] std::vector<const Node*> below(std::string_view key) const {
    std::vector<const Node*> tables;
    for (const Node* layer : layers_) {
      const Entry* entry = layer->find(key);
      if (entry != nullptr) tables.push_back(&entry->value);
    }
    return tables;
  }

  void note(const Entry& entry) const {
    if (entry.span.place.line > 0) places_.emplace(prefix_ + entry.key, entry.span.place);
  }

 private:
  std::vector<const Node*> layers_;
  std::string prefix_;
  std::map<std::string, Place>& places_;
};

void read_login(const Reader& read, Login& login) {
  read("user", login.user);
  read("password", login.password);
  read("tls", login.tls.mode);
  read("ca", login.tls.ca);
  read("cert", login.tls.cert);
  read("key", login.tls.key);
}

void read_channel(const Reader& read, ChannelOptions& channel) {
  read("connect_retry", channel.connect_retry);
  read("retry_count", channel.retry_count);
  read("heartbeat", channel.heartbeat);
  read("delay", channel.delay);
  read("tls", channel.tls);
  read("ca", channel.ca);
  read("cert", channel.cert);
  read("key", channel.key);
  read("public_key", channel.public_key);
  read("compression", channel.compression);
  read("bind", channel.bind);
  read("do_db", channel.do_db);
  read("ignore_db", channel.ignore_db);
  read("do_table", channel.do_table);
  read("ignore_table", channel.ignore_table);
  read("do_domain_ids", channel.do_domain_ids);
  read("ignore_domain_ids", channel.ignore_domain_ids);
}

const Node* section(const Node& root, std::string_view name) {
  const Entry* entry = root.find(name);
  return entry == nullptr ? nullptr : &entry->value;
}

void read_variables(const std::vector<const Node*>& layers, Server& server) {
  for (const Node* layer : layers) {
    for (const Entry& entry : layer->entries) {
      std::string name = entry.key;  // the server does not tell small from capital letters
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      if (!server.variables.emplace(name, variable_text(entry.value)).second) continue;
      if (entry.span.place.line > 0) server.places.emplace("variables." + name, entry.span.place);
    }
  }
}

// By their names: a server has no order of channels.
void read_further_channels(const Node& own, ServerNodes& nodes, const Node* replication, Server& server) {
  std::map<std::string, std::vector<const Node*>> tables;
  for (const Node* layer : {&own, nodes.defaults}) {
    const Entry* channels = layer == nullptr ? nullptr : layer->find("channel");
    if (channels == nullptr) continue;
    for (const Entry& entry : channels->value.entries) {
      // A channel in [defaults] is every server's but that of its source.
      const Entry* source = entry.value.find("source");
      if (layer == &own || source == nullptr || source->value.text != server.name.text)
        tables[entry.key].push_back(&entry.value);
    }
  }
  for (auto& [name, layers] : tables) {
    DeclaredChannel channel;
    channel.name = name;
    const Entry* source = nullptr;
    for (const Node* layer : layers)
      if (source == nullptr) source = layer->find("source");
    if (source == nullptr || !convert(source->value, channel.source)) continue;  // the check has complained
    channel.place = source->span.place;
    layers.push_back(replication);
    const Reader read(std::move(layers), fmt::format("channel.{}.", name), server.places);
    read.note(*source);
    read_channel(read, channel.options);
    server.channels.push_back(std::move(channel));
    nodes.sources.push_back(source);
  }
}

Server read_server(const Node& root, ServerNodes& nodes) {
  const Node* admin = section(root, "admin");
  const Node* replication = section(root, "replication");
  const Node& own = nodes.entry->value;
  Server server;
  server.name.text = nodes.entry->key;
  server.place = own.span.place;
  const Reader read({&own, nodes.defaults}, "", server.places);

  read("address", server.address);
  server.advertise = server.address;
  read("advertise", server.advertise);
  read("server_id", server.server_id);

  // A source in [defaults] is every server's but its own.
  nodes.source = nodes.find("source");
  if (nodes.source != nullptr && nodes.source != nodes.own("source") &&
      nodes.source->value.text == server.name.text) {
    nodes.source = nullptr;
  }
  if (ServerName source; nodes.source != nullptr && convert(nodes.source->value, source)) {
    DeclaredChannel& channel = server.channels.emplace_back();
    channel.source = source;
    channel.place = nodes.source->span.place;
    nodes.sources.push_back(nodes.source);
    read.note(*nodes.source);
    read_channel(Reader({&own, nodes.defaults, replication}, "", server.places), channel.options);
  }
  read_further_channels(own, nodes, replication, server);
  server.read_only = !server.is_root();
  read("read_only", server.read_only);
  read("super_read_only", server.super_read_only);
  // Roots have nothing to be provisioned from: what [defaults] says about it is not meant for them.
  const Reader provisioning({&own, server.is_root() ? nullptr : nodes.defaults}, "", server.places);
  provisioning("provision", server.provision);
  provisioning("at", server.provision_at);

  read("tunnel", server.tunnel);
  read_variables(read.below("variables"), server);
  std::vector<const Node*> logins = read.below("admin");
  logins.push_back(admin);
  read_login(Reader(std::move(logins), "admin.", server.places), server.admin);
  return server;
}

}  // namespace

DecodedTopology decode(const Node& root) {
  DecodedTopology decoded;
  Topology& topology = decoded.topology;
  for (const Entry& entry : root.entries) {
    if (entry.key == "server" || entry.key == "defaults" || entry.key == "ignore") continue;
    if (entry.span.place.line > 0) topology.places.emplace(entry.key, entry.span.place);
    for (const Entry& key : entry.value.entries) {
      if (key.span.place.line > 0) topology.places.emplace(entry.key + "." + key.key, key.span.place);
    }
  }
  std::map<std::string, Place> noted_already;
  const auto reader = [&](std::string_view name) { return Reader({section(root, name)}, "", noted_already); };

  reader("topology")("name", topology.name);
  reader("topology")("coordinates", topology.coordinates);
  reader("limits")("lag", topology.limits.lag);
  reader("limits")("step", topology.limits.step);
  reader("verify")("read", topology.verify.read);
  reader("verify")("database", topology.verify.database);
  if (const Node* replication = section(root, "replication");
      replication != nullptr && replication->find("user") != nullptr) {
    ReplicationAccount account;
    reader("replication")("user", account.user);
    reader("replication")("host", account.host);
    reader("replication")("password", account.password);
    reader("replication")("plugin", account.plugin);
    topology.replication = std::move(account);
  }
  if (const Node* ignores = section(root, "ignore")) {
    for (const Node& node : ignores->items) {
      Ignore& ignore = topology.ignores.emplace_back();
      ignore.place = node.span.place;
      std::map<std::string, Place> unused;
      const Reader read({&node}, "", unused);
      read("code", ignore.code);
      read("server", ignore.server);
      read("reason", ignore.reason);
      if (const Entry* until = node.find("until")) ignore.until = until->value.text;
    }
  }
  if (const Node* servers = section(root, "server")) {
    for (const Entry& entry : servers->entries) {
      if (entry.value.kind != Node::Kind::table) continue;
      ServerNodes& nodes =
          decoded.nodes.emplace_back(ServerNodes{&entry, section(root, "defaults"), nullptr, {}});
      topology.servers.push_back(read_server(root, nodes));
    }
  }
  topology.build_index();
  return decoded;
}

}  // namespace stemma
