// The canonical JSON of a topology, out and in. What comes in goes through the check and the decoder of files.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "plans/topology_check.h"
#include "plans/topology_decode.h"
#include "plans/topology_diagnostics.h"
#include "plans/topology_file.h"
#include "plans/topology_rules.h"
#include "plans/topology_values.h"

namespace stemma {
namespace {

using nlohmann::json;

constexpr int deepest_json = 16;

Result<json> secret_json(const SecretRef& secret, const std::string& key) {
  if (const auto* from = std::get_if<FromEnv>(&secret)) return json{{"env", from->variable}};
  if (const auto* from = std::get_if<FromFile>(&secret)) return json{{"file", from->path}};
  if (const auto* from = std::get_if<FromCommand>(&secret)) return json{{"command", from->argv}};
  Error error{Trouble::input,
              fmt::format("{} stands in the file itself and can't be saved", key),
              "name where it is kept: { env = \"NAME\" }, { file = \"…\" } or { command = [\"…\"] }",
              0,
              {}};
  return tl::unexpected<Error>(std::move(error));
}

template <class T>
void put(json& to, const char* key, const std::optional<T>& value) {
  if (value) to[key] = *value;
}
void put(json& to, const char* key, const std::optional<TlsMode>& value) {
  if (value) to[key] = tls_words[static_cast<std::size_t>(*value)];
}
template <class Rep, class Period>
void put(json& to, const char* key, const std::optional<std::chrono::duration<Rep, Period>>& value) {
  if (value) to[key] = duration_text(*value);
}
void put_text(json& to, const char* key, const std::string& value) {
  if (!value.empty()) to[key] = value;
}

void put_channel(json& to, const ChannelOptions& channel) {
  put(to, "connect_retry", channel.connect_retry);
  put(to, "retry_count", channel.retry_count);
  put(to, "heartbeat", channel.heartbeat);
  put(to, "delay", channel.delay);
  put(to, "tls", channel.tls);
  put(to, "ca", channel.ca);
  put(to, "cert", channel.cert);
  put(to, "key", channel.key);
  put(to, "public_key", channel.public_key);
  put(to, "compression", channel.compression);
  put(to, "bind", channel.bind);
  put(to, "do_db", channel.do_db);
  put(to, "ignore_db", channel.ignore_db);
  put(to, "do_table", channel.do_table);
  put(to, "ignore_table", channel.ignore_table);
  put(to, "do_domain_ids", channel.do_domain_ids);
  put(to, "ignore_domain_ids", channel.ignore_domain_ids);
}

Result<json> login_json(const Login& login, const std::string& server) {
  json to = {{"user", login.user}, {"tls", tls_words[static_cast<std::size_t>(login.tls.mode)]}};
  put_text(to, "ca", login.tls.ca);
  put_text(to, "cert", login.tls.cert);
  put_text(to, "key", login.tls.key);
  if (login.password) {
    auto password = secret_json(*login.password, fmt::format("admin.password of {}", server));
    if (!password) return password;
    to["password"] = std::move(*password);
  }
  return to;
}

Result<json> server_json(const Server& server) {
  json to = {
      {"name", server.name.text}, {"address", to_text(server.address)}, {"read_only", server.read_only}};
  if (server.advertise != server.address) to["advertise"] = to_text(server.advertise);
  put(to, "server_id", server.server_id);
  put(to, "super_read_only", server.super_read_only);
  if (!server.is_root()) {
    to["provision"] = provision_words[static_cast<std::size_t>(server.provision)];
  }
  put(to, "at", server.provision_at);
  if (!server.variables.empty()) to["variables"] = server.variables;
  if (!server.tunnel.empty()) to["tunnel"] = server.tunnel;
  auto admin = login_json(server.admin, server.name.text);
  if (!admin) return admin;
  to["admin"] = std::move(*admin);
  for (const DeclaredChannel& channel : server.channels) {
    json& at = channel.name.empty() ? to : to["channel"][channel.name];
    at["source"] = channel.source.text;
    put_channel(at, channel.options);
  }
  return to;
}

json ignore_json(const Ignore& ignore) {
  json to = {{"code", ignore.code}, {"reason", ignore.reason}};
  if (ignore.server) to["server"] = ignore.server->text;
  put_text(to, "until", ignore.until);
  return to;
}

// The same tree as the parser of files makes, without places.
Result<Node> node_of(const json& from, int depth) {
  if (depth > deepest_json) return fail(Trouble::input, "the topology is nested too deeply");
  Node node;
  node.kind = Node::Kind::other;
  node.text = "nothing";
  if (from.is_object()) {
    node.kind = Node::Kind::table;
    for (const auto& [key, value] : from.items()) {
      auto below = node_of(value, depth + 1);
      if (!below) return below;
      node.entries.push_back({key, {}, std::move(*below)});
    }
  } else if (from.is_array()) {
    node.kind = Node::Kind::list;
    for (const json& item : from) {
      auto below = node_of(item, depth + 1);
      if (!below) return below;
      node.items.push_back(std::move(*below));
    }
  } else if (from.is_string()) {
    node.kind = Node::Kind::text;
    node.text = from.get<std::string>();
  } else if (from.is_boolean()) {
    node.kind = Node::Kind::boolean;
    node.boolean = from.get<bool>();
  } else if (from.is_number_unsigned() &&
             from.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
    node.text = "a number of that size";
  } else if (from.is_number_integer()) {
    node.kind = Node::Kind::integer;
    node.integer = from.get<std::int64_t>();
  } else if (from.is_number_float()) {
    node.kind = Node::Kind::number;
    node.number = from.get<double>();
  }
  return node;
}

// `servers`, a list that keeps the order of the file, to the tables [server.NAME].
Result<Node> named_servers(const Node& list) {
  if (list.kind != Node::Kind::list) return fail(Trouble::input, "'servers' must be a list");
  Node servers;
  std::vector<std::string_view> seen;
  for (const Node& item : list.items) {
    const Entry* name = item.find("name");
    if (name == nullptr || name->value.kind != Node::Kind::text) {
      return fail(Trouble::input, "each of 'servers' must be a table with a name");
    }
    seen.push_back(name->value.text);
    Node server = item;
    std::erase_if(server.entries, [](const Entry& entry) { return entry.key == "name"; });
    servers.entries.push_back({name->value.text, {}, std::move(server)});
  }
  std::sort(seen.begin(), seen.end());
  const auto twice = std::adjacent_find(seen.begin(), seen.end());
  if (twice != seen.end()) return fail(Trouble::input, "'servers' has {} twice", in_quotes(*twice));
  return servers;
}

}  // namespace

Result<json> to_json(const Topology& topology) {
  json to = {{"topology",
              {{"name", topology.name},
               {"coordinates", coordinates_words[static_cast<std::size_t>(topology.coordinates)]}}},
             {"limits", {{"step", duration_text(topology.limits.step)}}},
             {"verify", {{"database", topology.verify.database}}},
             {"servers", json::array()}};
  put(to["limits"], "lag", topology.limits.lag);
  if (topology.verify.read) to["verify"]["read"] = to_text(*topology.verify.read);
  if (const auto& account = topology.replication) {
    json& replication = to["replication"] = {{"user", account->user}, {"host", account->host}};
    put(replication, "plugin", account->plugin);
    if (account->password) {
      auto password = secret_json(*account->password, "replication.password");
      if (!password) return password;
      replication["password"] = std::move(*password);
    }
  }
  for (const Server& server : topology.servers) {
    auto one = server_json(server);
    if (!one) return one;
    to["servers"].push_back(std::move(*one));
  }
  for (const Ignore& ignore : topology.ignores) to["ignore"].push_back(ignore_json(ignore));
  return to;
}

Result<Topology> topology_from_json(const json& from) {
  auto root = node_of(from, 0);
  if (!root) return tl::unexpected(root.error());
  if (root->kind != Node::Kind::table) return fail(Trouble::input, "a topology must be a JSON object");
  if (root->find("server") != nullptr) return fail(Trouble::input, "in JSON the servers stand in 'servers'");
  for (Entry& entry : root->entries) {
    if (entry.key != "servers") continue;
    auto servers = named_servers(entry.value);
    if (!servers) return tl::unexpected(servers.error());
    entry = {"server", {}, std::move(*servers)};
  }

  const SourceText no_source;
  Diagnostics diagnostics("", no_source);
  const ParsedToml parsed{.root = std::move(*root)};
  check_values(parsed.root, parsed.damaged, diagnostics);
  DecodedTopology decoded = decode(parsed.root);
  if (decoded.topology.name.empty()) decoded.topology.name = "topology";
  check_rules(parsed, decoded, diagnostics);
  if (!diagnostics.failed()) return std::move(decoded.topology);

  for (const Diagnostic& diagnostic : diagnostics.sorted()) {
    if (diagnostic.severity != Severity::error) continue;
    return tl::unexpected(Error{Trouble::input, "topology: " + diagnostic.message, diagnostic.help, 0, {}});
  }
  return fail(Trouble::bug, "topology: a mistake without a message");
}

}  // namespace stemma
