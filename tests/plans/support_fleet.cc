#include "tests/plans/support_fleet.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "plans/diff.h"
#include "plans/password_hash.h"
#include "plans/planner.h"
#include "plans/topology_file.h"
#include "tests/catch.h"
#include "tests/plans/support_words.h"

using namespace stemma;

namespace {

std::uint64_t number(const std::string& text) { return std::stoull(text); }

Grant grant(std::set<std::string> privileges, std::string object = "*.*", bool option = false) {
  return {std::move(privileges), std::move(object), option};
}

AccountState account_in_order() {
  return {"mysql_native_password",
          native_password_hash(Secret(kReplicationSecret)),
          false,
          {grant({"REPLICATION SLAVE"})}};
}

std::set<std::string> all_that_stemma_needs() {
  return {"BINLOG MONITOR",
          "SLAVE MONITOR",
          "REPLICATION MASTER ADMIN",
          "REPLICATION SLAVE ADMIN",
          "READ_ONLY ADMIN",
          "BINLOG ADMIN",
          "CREATE USER",
          "REPLICATION SLAVE",
          "SHOW DATABASES"};
}

Channel in_order(const Story& story, const DeclaredChannel& declared) {
  const Server& source = *story.topology.find(declared.source);
  Channel channel;
  channel.name = declared.name;
  channel.user = "repl";
  channel.host = source.advertise.host;
  channel.port = source.advertise.port;
  channel.receiver = ReceiverState::on;
  channel.applier = true;
  channel.receiver_doing = "Waiting for master to send event";
  channel.heartbeat = 30;
  channel.seconds_behind = 0;
  channel.read = channel.executed = at("mysql-bin.000002:1000");
  channel.source_server_id = 1;
  if (const ServerState* seen = story.fleet.find(declared.source)) {
    channel.source_server_id = seen->identity.server_id;
    channel.read = channel.executed = seen->coordinates;
  }
  if (declared.options.delay) channel.delay = static_cast<std::uint64_t>(declared.options.delay->count());
  if (story.topology.coordinates == CoordinatesMode::gtid) channel.gtid = ChannelGtid::slave_pos;
  return channel;
}

// A server as the file wants it: what it has replicated ends where its source stands.
ServerState in_order(const Story& story, const Server& server, std::uint32_t id) {
  ServerState state;
  state.version = {10, 11, 6};
  state.version_text = "10.11.6-MariaDB-log";
  state.identity = {server.server_id.value_or(id), "", server.name.text, server.address.port,
                    "/data/" + server.name.text};
  state.log_bin = state.log_updates = true;
  state.read_only = server.read_only;
  state.coordinates = at("mysql-bin.000002:1000");
  state.gtid_binlog = gtid("0-1-10");
  state.gtid_state = *GtidState::parse("0-1-10");
  state.accounts = {{"repl", "%"}, {"root", "localhost"}};
  state.replication_account = account_in_order();
  state.own_grants = {grant(all_that_stemma_needs(), "*.*", true)};
  for (const auto& [name, value] : server.variables) state.variables[name] = {value, true};
  state.schemas.emplace();
  state.binlogs = std::vector<std::string>{"mysql-bin.000001", "mysql-bin.000002"};
  if (server.is_root()) return state;

  state.gtid_replicated = gtid("0-1-10");
  for (const DeclaredChannel& channel : server.channels) state.channels.push_back(in_order(story, channel));
  return state;
}
ServerState just_installed(ServerState state) {
  state.channels.clear();
  state.read_only = false;
  state.coordinates = at("mysql-bin.000001:328");
  state.gtid_binlog = state.gtid_replicated = {};
  state.gtid_state = {};
  state.replication_account.reset();
  state.accounts = {{"root", "localhost"}};
  state.binlogs = std::vector<std::string>{"mysql-bin.000001"};
  return state;
}

using Apply = std::function<void(Story&, ServerState&, const std::string&)>;

Channel& channel_of(ServerState& state) {
  if (state.channels.empty()) FAIL("the story gives a channel's word to a server without one");
  return state.channels.front();
}

AccountState& account_of(ServerState& state) {
  if (!state.replication_account) state.replication_account = account_in_order();
  return *state.replication_account;
}

void error_of(int& into, std::string& text, const std::string& value) {
  into = static_cast<int>(number(value));
  text = "error " + value;
}

// What can be said of a server that is not in order.
const std::map<std::string, Apply>& words() {
  static const std::map<std::string, Apply> all = {
      {"fresh", [](Story&, ServerState& s, const std::string&) { s = just_installed(s); }},
      {"writable", [](Story&, ServerState& s, const std::string&) { s.read_only = false; }},
      {"fenced", [](Story&, ServerState& s, const std::string&) { s.read_only = true; }},
      {"unpersisted", [](Story&, ServerState& s, const std::string&) { s.read_only_persisted = false; }},
      {"id", [](Story&, ServerState& s, const std::string& v) { s.identity.server_id = static_cast<std::uint32_t>(number(v)); }},
      {"uuid", [](Story&, ServerState& s, const std::string& v) { s.identity.uuid = v; }},
      {"no-binlog", [](Story&, ServerState& s, const std::string&) { s.log_bin = false; s.coordinates = {}; s.binlogs.reset(); }},
      {"no-log-updates", [](Story&, ServerState& s, const std::string&) { s.log_updates = false; }},
      {"domain", [](Story&, ServerState& s, const std::string& v) { s.gtid_domain = static_cast<std::uint32_t>(number(v)); }},
      {"galera", [](Story&, ServerState& s, const std::string&) { s.managed_elsewhere = true; }},
      {"offers-tls", [](Story&, ServerState& s, const std::string&) { s.offers_tls = true; }},
      {"version", [](Story&, ServerState& s, const std::string& v) {
         const auto part = split(v, ".");
         s.version = {std::stoi(part[0]), std::stoi(part[1]), std::stoi(part[2])};
       }},
      {"attached", [](Story&, ServerState& s, const std::string& v) { s.attached_ids.insert(static_cast<std::uint32_t>(number(v))); }},
      {"poor", [](Story&, ServerState& s, const std::string&) { s.own_grants = {grant({"BINLOG MONITOR", "SLAVE MONITOR", "REPLICATION MASTER ADMIN", "SHOW DATABASES"})}; }},
      // the replication account, and others
      {"no-account", [](Story&, ServerState& s, const std::string&) { s.replication_account.reset(); }},
      {"password", [](Story&, ServerState& s, const std::string& v) { account_of(s).hash = native_password_hash(Secret(v)); }},
      {"plugin", [](Story&, ServerState& s, const std::string& v) { account_of(s).plugin = v; }},
      {"no-grant", [](Story&, ServerState& s, const std::string&) { account_of(s).grants = {grant({"USAGE"})}; }},
      // the replication account; ours may take it away
      {"may-also", [](Story&, ServerState& s, const std::string& v) { account_of(s).grants.push_back(grant({v})); s.own_grants.push_back(grant({v}, "*.*", true)); }},
      {"account", [](Story&, ServerState& s, const std::string& v) { s.accounts.push_back({split(v, "@")[0], split(v, "@")[1]}); }},
      {"bypass", [](Story&, ServerState& s, const std::string& v) { s.read_only_bypass.push_back({split(v, "@")[0], split(v, "@")[1]}); }},
      // its own binlog and data
      {"at", [](Story&, ServerState& s, const std::string& v) { s.coordinates = at(v); }},
      {"later-at", [](Story&, ServerState& s, const std::string& v) { s.later_coordinates = at(v); }},
      {"binlog-gtid", [](Story&, ServerState& s, const std::string& v) { s.gtid_binlog = gtid(v); }},
      {"state", [](Story&, ServerState& s, const std::string& v) { s.gtid_state = *GtidState::parse(v); }},
      {"binlogs", [](Story&, ServerState& s, const std::string& v) { s.binlogs = split(v, ","); }},
      {"horizon", [](Story&, ServerState& s, const std::string& v) { s.gtid_horizon = gtid(v); }},
      {"data", [](Story&, ServerState& s, const std::string& v) {
         for (const std::string& name : split(v, ",")) {
           const auto part = split(name, ".");
           SchemaContents& tables = (*s.schemas)[part[0]];
           if (part.size() > 1) tables.insert(part[1]);
         }
       }},
      {"unasked", [](Story&, ServerState& s, const std::string&) { s.schemas.reset(); s.binlogs.reset(); }},
      {"var", [](Story&, ServerState& s, const std::string& v) { s.variables[split(v, ":")[0]].value = split(v, ":")[1]; }},
      {"semi-sync", [](Story&, ServerState& s, const std::string& v) { s.semi_sync_active = v == "on"; }},
      {"runtime-only", [](Story&, ServerState& s, const std::string& v) { s.variables[v].persisted = false; }},
      {"no-var", [](Story&, ServerState& s, const std::string& v) { s.variables.erase(v); }},
      // its channel
      {"gone", [](Story&, ServerState& s, const std::string&) { s.channels.erase(s.channels.begin()); }},
      {"no-channel", [](Story&, ServerState& s, const std::string&) { s.channels.clear(); }},
      {"channel", [](Story&, ServerState& s, const std::string& v) { s.channels.emplace_back().host = v; s.channels.back().name = "other"; }},
      {"follows", [](Story& story, ServerState& s, const std::string& v) {
         if (s.channels.empty()) s.channels.emplace_back();
         Channel& channel = s.channels.front();
         const Server* source = story.topology.find({v});
         channel.host = source == nullptr ? v : source->advertise.host;
         channel.port = 3306;
         const auto place = source == nullptr ? 98 : source - story.topology.servers.data();
         channel.source_server_id = static_cast<std::uint32_t>(place + 1);
       }},
      {"named", [](Story&, ServerState& s, const std::string& v) { channel_of(s).host = v; }},
      {"from-id", [](Story&, ServerState& s, const std::string& v) { channel_of(s).source_server_id = static_cast<std::uint32_t>(number(v)); }},
      {"stopped", [](Story&, ServerState& s, const std::string&) { channel_of(s).receiver = ReceiverState::off; channel_of(s).applier = false; }},
      {"receiver-off", [](Story&, ServerState& s, const std::string&) { channel_of(s).receiver = ReceiverState::off; }},
      {"applier-off", [](Story&, ServerState& s, const std::string&) { channel_of(s).applier = false; }},
      {"connecting", [](Story&, ServerState& s, const std::string&) {
         channel_of(s).receiver = ReceiverState::connecting;
         channel_of(s).receiver_doing = "Connecting to master";
         channel_of(s).seconds_behind.reset();
       }},
      {"receiver-error", [](Story&, ServerState& s, const std::string& v) {
         channel_of(s).receiver = ReceiverState::off;
         error_of(channel_of(s).receiver_errno, channel_of(s).receiver_error, v);
       }},
      {"applier-error", [](Story&, ServerState& s, const std::string& v) {
         channel_of(s).applier = false;
         channel_of(s).seconds_behind.reset();
         error_of(channel_of(s).applier_errno, channel_of(s).applier_error, v);
       }},
      {"read", [](Story&, ServerState& s, const std::string& v) { channel_of(s).read = at(v); }},
      {"executed", [](Story&, ServerState& s, const std::string& v) { channel_of(s).executed = at(v); }},
      {"lost-place", [](Story&, ServerState& s, const std::string&) { channel_of(s).read = channel_of(s).executed = {}; }},
      {"slave-pos", [](Story&, ServerState& s, const std::string& v) { s.gtid_replicated = gtid(v); }},
      {"using", [](Story&, ServerState& s, const std::string& v) {
         channel_of(s).gtid = v == "slave_pos"     ? ChannelGtid::slave_pos
                              : v == "current_pos" ? ChannelGtid::current_pos
                                                   : ChannelGtid::no;
       }},
      {"lag", [](Story&, ServerState& s, const std::string& v) { channel_of(s).seconds_behind = number(v); }},
      {"delay", [](Story&, ServerState& s, const std::string& v) { channel_of(s).delay = number(v); }},
      {"user", [](Story&, ServerState& s, const std::string& v) { channel_of(s).user = v; }},
      {"retry", [](Story&, ServerState& s, const std::string& v) { channel_of(s).connect_retry = number(v); }},
      {"tls", [](Story&, ServerState& s, const std::string&) { channel_of(s).tls = true; }},
  };
  return all;
}

void observe(Story& story, const Server& server, std::uint32_t id, const std::vector<std::string>& said) {
  for (const char* code : {"server.unreachable", "server.login-refused"})
    if (std::find(said.begin(), said.end(),
                  code == std::string("server.unreachable") ? "silent" : "login-refused") != said.end()) {
      story.fleet.silent[server.name] = {
          code, Error{Trouble::unreachable, "connection refused", "start it", 2002, code}};
      return;
    }
  ServerState state = in_order(story, server, id);
  for (const std::string& word : said) {
    auto [key, value] = key_value(word);
    // "b:stopped" is said of the channel b.
    std::size_t place = 0;
    if (const auto colon = key.find(':'); colon != key.npos) {
      const Channel* channel = state.channel(key.substr(0, colon));
      if (channel == nullptr) FAIL("the story knows no such channel: " << word);
      place = static_cast<std::size_t>(channel - state.channels.data());
      key.erase(0, colon + 1);
    }
    const auto known = words().find(key);
    if (known == words().end()) FAIL("a word that no story knows: " << word);
    if (place > 0) std::swap(state.channels[0], state.channels[place]);
    known->second(story, state, value);
    if (place > 0 && place < state.channels.size()) std::swap(state.channels[0], state.channels[place]);
  }
  story.fleet.servers.emplace(server.name, std::move(state));
}

}  // namespace

Story::Story(std::string_view text, const std::string& more) {
  std::string coordinates = "position", servers;
  std::vector<std::vector<std::string>> observed;
  for (const std::string& line : split(text, ";\n")) {
    const auto bar = std::min(line.find('|'), line.size());
    const auto declared = split(std::string_view(line).substr(0, bar), " ");
    if (declared.empty()) continue;
    if (declared[0] == "by") {
      coordinates = declared.at(1);
      continue;
    }
    servers += server_table(declared);
    observed.push_back(split(std::string_view(line).substr(std::min(bar + 1, line.size())), " "));
  }
  const std::string file = fmt::format(
      "[topology]\nname = \"tree\"\ncoordinates = \"{}\"\n[admin]\npassword = {{ env = \"ADMIN\" }}\n"
      "[replication]\nuser = \"repl\"\npassword = {{ env = \"REPL\" }}\n{}{}\n",
      coordinates, servers, more);
  auto read = read_topology(file, "tree.toml");
  if (!read) {
    std::string wrong;
    for (const Diagnostic& diagnostic : read.error()) wrong += render(diagnostic);
    FAIL(wrong);
  }
  topology = std::move(read->topology);
  secrets.replication = Secret(kReplicationSecret);
  for (std::size_t i = 0; i < topology.servers.size(); ++i)
    observe(*this, topology.servers[i], static_cast<std::uint32_t>(i + 1), observed[i]);
}

const Server& Story::server(const std::string& name) const {
  const Server* found = topology.find({name});
  if (found == nullptr) FAIL("no server " << name);
  return *found;
}

ServerState& Story::state(const std::string& name) {
  const auto found = fleet.servers.find(ServerName{name});
  if (found == fleet.servers.end()) FAIL("nothing observed of " << name);
  return found->second;
}

Channel& Story::channel(const std::string& name) { return channel_of(state(name)); }

Plan Story::plan() const {
  auto made = make_plan(scene());
  if (!made) FAIL(made.error().message);
  const auto broken = broken_rules(*this, *made);
  for (const std::string& rule : broken) UNSCOPED_INFO(rule);
  if (!broken.empty()) FAIL("the plan breaks rules:\n" << fmt::format("{}", fmt::join(broken, "\n")));
  return std::move(*made);
}

Coordinates at(std::string_view text) {
  const auto parsed = parse_coordinates(text);
  if (!parsed) FAIL("no coordinates: " << text);
  return *parsed;
}

GtidPosition gtid(std::string_view text) {
  const auto parsed = GtidPosition::parse(text);
  if (!parsed) FAIL("no GTID position: " << text);
  return *parsed;
}

std::string steps(const Plan& plan) {
  std::string text;
  for (const Step& step : plan.steps) {
    text += step.id;
    std::vector<std::string> before;
    for (const StepIndex index : step.after) before.push_back(plan.steps[index].id);
    text += before.empty() ? "\n" : fmt::format(" after {}\n", fmt::join(before, ", "));
  }
  return text;
}

std::string refusals(const Plan& plan) {
  std::string text;
  for (const Finding& found : plan.refusals) text += fmt::format("{} {}\n", found.server.text, found.code);
  return text;
}

std::string told(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& found : findings)
    text += fmt::format("{}{} {} {} {}: {}, but {}\n", found.ignored ? "ignored " : "", to_text(found.weight),
                        found.server.text, found.code, found.attribute, found.desired, found.observed);
  return text;
}

std::string notes(const Plan& plan) { return fmt::format("{}", fmt::join(plan.notes, "\n")); }

std::string lines(std::string_view text) {
  std::string result;
  for (const std::string& line : split(text, "\n"))
    if (const auto begin = line.find_first_not_of(' '); begin != line.npos)
      result += line.substr(begin) + "\n";
  return result;
}
