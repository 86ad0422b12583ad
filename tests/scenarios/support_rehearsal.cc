#include "tests/scenarios/support_rehearsal.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>

#include "engine/survey.h"
#include "plans/password_hash.h"
#include "plans/planner.h"
#include "plans/topology_file.h"
#include "providers/simulated/steps.h"
#include "tests/catch.h"
#include "tests/plans/support_fleet.h"

namespace stemma::scenarios {
namespace {

using simulated::Instance;
using simulated::Replication;

constexpr const char* kAccount =
    "[admin]\npassword = { env = \"ADMIN\" }\n[replication]\nuser = \"repl\"\npassword = { env = \"REPL\" "
    "}\n";

bool says(const Command& command, std::string_view word) {
  return std::find(command.words.begin(), command.words.end(), word) != command.words.end();
}

std::set<std::uint64_t> rows_of(const Instance& instance) {
  const auto schema = instance.data.rows.find("app");
  if (schema == instance.data.rows.end()) return {};
  const auto table = schema->second.find("t");
  return table == schema->second.end() ? std::set<std::uint64_t>{} : table->second;
}

}  // namespace

std::string to_text(const Fault& fault) {
  static const char* const words[] = {"no fault",
                                      "connection lost before change",
                                      "connection lost after change",
                                      "stemma killed before change",
                                      "stemma killed after change",
                                      "server restarted after change"};
  return fmt::format("{} {}", words[static_cast<int>(fault.kind)], fault.at);
}

std::map<std::string, std::string> sections_of(const Plan& plan) {
  std::set<std::string> differs, warned;
  for (const Finding& found : plan.differences)
    if (found.weight != Weight::info && !found.ignored)
      (found.weight == Weight::error ? differs : warned)
          .insert(fmt::format("{} {}", found.server.text, found.code));
  std::map<std::string, std::string> sections;
  for (const std::string& line : differs) sections["differs"] += line + "\n";
  for (const std::string& line : warned) sections["warned"] += line + "\n";
  sections["plan"] = steps(plan);
  sections["refused"] = refusals(plan);
  return sections;
}

// Counts changes, and breaks one.
class Rehearsal::Faulty final : public Provider {
 public:
  Faulty(Rehearsal& rehearsal, Provider& real, const Fault& fault, std::atomic<bool>& stop)
      : rehearsal_(rehearsal), real_(real), fault_(fault), stop_(stop) {}

  [[nodiscard]] int changes() const { return changes_; }

  Result<ServerState> observe(const ServerName& name) override {
    if (dead_) return gone();
    return real_.observe(name);
  }
  Result<void> answer(const ServerName& name, const Questions& questions, ServerState& state) override {
    if (dead_) return gone();
    return real_.answer(name, questions, state);
  }
  Result<void> refresh(const ServerName& name, const Reading& reading, ServerState& state) override {
    if (dead_) return gone();
    return real_.refresh(name, reading, state);
  }
  Result<void> perform(const Step& step, const Outputs& outputs, ServerState& state) override {
    if (dead_) return gone();
    const bool here = ++changes_ == fault_.at;
    using enum Fault::Kind;
    if (here && fault_.kind == lost_before) return gone();
    if (here && fault_.kind == killed_before) return die();
    auto done = real_.perform(step, outputs, state);
    rehearsal_.look_at_invariants(step.id);
    if (!here) return done;
    if (fault_.kind == lost_after) return gone();
    if (fault_.kind == killed_after) return die();
    if (fault_.kind == restarted_after) {
      const std::lock_guard guard(rehearsal_.fleet.guard);
      rehearsal_.fleet.at(step.server.text).restart();
      rehearsal_.remember(step.server.text);  // what it has lost is not this apply's doing
    }
    return done;
  }
  Result<std::optional<LockHolder>> lock(const ServerName& name) override { return real_.lock(name); }
  void unlock_all() override { real_.unlock_all(); }

 private:
  static tl::unexpected<Error> gone() { return fail(Trouble::unreachable, "lost connection to server"); }
  tl::unexpected<Error> die() {
    dead_ = true;
    stop_ = true;
    return gone();
  }
  Rehearsal& rehearsal_;
  Provider& real_;
  const Fault fault_;
  std::atomic<bool>& stop_;
  std::atomic<int> changes_{0};
  std::atomic<bool> dead_{false};
};

Rehearsal::Rehearsal(const Scenario& scenario) : scenario_(scenario) {
  for (const FleetServer& server : scenario.fleet) {
    Instance& instance = fleet.add(server.name, server.flavor, server.version);
    for (const std::string& word : server.words) {
      if (word == "gtid")
        instance.gtid_mode = true;
      else if (word == "no-binlog")
        instance.log_bin = false;
      else if (word == "no-log-updates")
        instance.log_updates = false;
      else if (word == "tls")
        instance.offers_tls = true;
      else if (word == "galera")
        instance.galera = true;
      else if (word.starts_with("uuid-of="))
        instance.identity.uuid = fleet.at(word.substr(8)).identity.uuid;
      else if (word.starts_with("id="))
        instance.identity.server_id = static_cast<std::uint32_t>(std::stoul(word.substr(3)));
      else
        throw std::runtime_error("a word that no server of a fleet knows: " + word);
    }
  }
  auto read = read_topology(topology_text(scenario, {}, kAccount), "scenario.toml");
  if (!read) {
    std::string wrong;
    for (const Diagnostic& diagnostic : read.error()) wrong += render(diagnostic);
    throw std::runtime_error(wrong);
  }
  topology = std::move(read->topology);
  secrets.replication = Secret(kReplicationSecret);
  for (const Command& command : scenario.before) {
    try {
      perform(command);
    } catch (const std::exception& error) {
      throw std::runtime_error(fmt::format("{}: {}", command.text, error.what()));
    }
  }
}

void Rehearsal::perform(const Command& command) {
  const std::string& what = command.words.at(0);
  const auto must = [&](int error) {
    const bool refused = says(command, "refused");
    if ((error != 0) != refused) throw std::runtime_error(fmt::format("the server says {}", error));
  };
  if (what == "settle") return fleet.settle();
  if (what == "pass") return fleet.advance(std::chrono::seconds(std::stoi(command.words.at(1))));
  Instance& instance = fleet.at(command.server);
  const bool privileged = says(command, "root"), logged = !says(command, "unlogged");
  const std::string channel = says(command, "channel") ? command.words.back() : "";
  if (what == "write") {
    for (int left = std::stoi(command.words.at(1)); left > 0; --left)
      must(fleet.write_row(instance.name, privileged, logged));
  } else if (what == "row") {  // one with that key, as somebody writes it at the wrong place
    must(fleet.write(instance.name, simulated::InsertRow{"app", "t", std::stoull(command.words.at(1))},
                     privileged, logged));
  } else if (what == "delete-row") {  // outside the binlog
    instance.data.rows.at("app").at("t").erase(std::stoull(command.words.at(1)));
  } else if (what == "restore") {  // a backup of that server's data, outside the binlog
    instance.data.rows = fleet.at(command.words.at(1)).data.rows;
  } else if (what == "schema") {
    must(fleet.write(instance.name, simulated::CreateSchema{command.words.at(1)}, privileged, logged));
  } else if (
      what ==
      "account") {  // account [PASSWORD] [unlogged]; by hand it is in the binlog, unless said otherwise
    const bool has_password = command.words.size() > 1 && command.words[1] != "unlogged";
    const Secret password(has_password ? command.words[1] : kReplicationSecret);
    must(fleet.write(
        instance.name,
        simulated::CreateAccount{{"repl", "%"},
                                 simulated::replication_account(*topology.replication, password,
                                                                instance.flavor, instance.version)},
        true, logged));
  } else if (what == "drop-account") {
    must(fleet.write(instance.name, simulated::DropAccount{{"repl", "%"}}, true, logged));
  } else if (what == "no-grant") {
    instance.data.accounts.at({"repl", "%"}).state.grants = {{{"USAGE"}, "*.*", false}};
  } else if (what == "may-also") {
    instance.data.accounts.at({"repl", "%"}).state.grants.push_back({{command.words.at(1)}, "*.*", false});
  } else if (what == "follow") {  // follow SOURCE [from-start|by-gtid] [delay=N] [retry=N] [channel NAME]
    const Instance& source = fleet.at(command.words.at(1));
    Channel options;
    const bool by_gtid = says(command, "by-gtid");
    options.host = source.name;
    options.port = 3306;
    options.user = "repl";
    if (by_gtid)
      options.gtid = instance.flavor == Flavor::mariadb ? ChannelGtid::slave_pos : ChannelGtid::auto_position;
    for (const std::string& word : command.words) {
      if (word.starts_with("delay=")) options.delay = std::stoull(word.substr(6));
      if (word.starts_with("retry=")) options.connect_retry = std::stoull(word.substr(6));
    }
    Coordinates from =
        says(command, "from-start") ? Coordinates{source.binlog.files().front(), 4} : source.binlog.end();
    if (by_gtid) from = {};
    must(instance.change_source(channel, {options, kReplicationSecret, from}));
    must(instance.start(channel));
  } else if (what == "stop") {
    const auto found = instance.channels.find(channel);
    if (found == instance.channels.end()) throw std::runtime_error("there is no such channel");
    if (says(command, "applier"))
      found->second.status.applier = false;
    else
      must(instance.stop(channel, says(command, "receiver")));
  } else if (what == "start") {
    const auto found = instance.channels.find(channel);
    const bool applier = found != instance.channels.end() && found->second.status.applier;
    must(instance.start(channel));
    if (says(command, "receiver")) found->second.status.applier = applier;
  } else if (what == "forget") {
    instance.channels.erase(channel);
  } else if (what == "read-only") {
    instance.running.read_only = true;
  } else if (what == "super-read-only") {
    instance.running.read_only = instance.running.super_read_only = true;
  } else if (what == "writable") {
    instance.running.read_only = instance.running.super_read_only = false;
  } else if (what == "set") {
    must(instance.set_variable(command.words.at(1), command.words.at(2)));
  } else if (what == "gtid-position") {  // SET GLOBAL gtid_slave_pos
    must(instance.set_position(GtidPoint(gtid(command.words.size() > 1 ? command.words[1] : "")), false));
  } else if (what == "rotate") {
    instance.binlog.rotate();
  } else if (what == "purge") {
    instance.binlog.rotate();
    instance.binlog.purge();
  } else if (what == "reset-binlog") {
    must(instance.reset_binlog());
  } else if (what == "plugin") {
    instance.data.accounts.at({"repl", "%"}).state.plugin = command.words.at(1);
  } else if (what == "refuse-logins") {
    instance.refuses_logins = true;
  } else if (what == "admin-may") {  // and no more
    instance.admin_grants = {{{}, "*.*", false}};
    for (std::size_t i = 1; i < command.words.size(); ++i) {
      std::string privilege = command.words[i];
      std::replace(privilege.begin(), privilege.end(), '-', ' ');
      instance.admin_grants.front().privileges.insert(privilege);
    }
  } else if (what == "slow") {
    instance.slow = true;
  } else if (what == "shut-down") {
    instance.up = false;
  } else if (what == "restart") {
    instance.restart();
  } else {
    throw std::runtime_error("a word that no scenario knows");
  }
}

void Rehearsal::settle() {
  const std::lock_guard guard(fleet.guard);
  fleet.meanwhile = nullptr;
  fleet.settle();
  look_for_doubled("the end");
}

void Rehearsal::look_for_doubled(const std::string& after) {
  for (const auto& [name, instance] : fleet.all())
    for (const auto& [number, times] : instance.executions)
      if (times > 1)
        broken_.push_back(fmt::format("after {}: {} has executed a transaction twice", after, name));
}

void Rehearsal::write_all_the_while(bool also_where_no_data) {
  std::vector<std::string> roots;
  for (const Server& server : topology.servers)
    if (server.is_root() &&
        (!rows_of(fleet.at(server.name.text)).empty() || (also_where_no_data && roots.empty())))
      roots.push_back(server.name.text);
  fleet.meanwhile = [this, roots](simulated::SimulatedFleet& running) {
    if (++asked_ % 2 != 0) return;
    for (const std::string& root : roots) running.write_row(root);  // refused where it is down or read-only
  };
}

Plan Rehearsal::plan() {
  simulated::SimulatedProvider provider(fleet, topology, secrets);
  const Fleet observed = survey(provider, topology, secrets, 1);
  const Outputs nothing_yet;
  auto made = make_plan(Scene{topology, observed, secrets, nothing_yet});
  if (!made) throw std::runtime_error(made.error().message);
  return std::move(*made);
}

Rehearsal::Run Rehearsal::apply(std::size_t parallelism, const Fault& fault,
                                const std::function<void(Plan&)>& reorder) {
  if (before_.empty())
    for (const auto& [name, instance] : fleet.all()) remember(name);
  Run run;
  std::atomic<bool> stop{false};
  simulated::SimulatedProvider real(fleet, topology, secrets);
  Faulty provider(*this, real, fault, stop);
  const ApplyTo to{topology, secrets, provider, clock_, stop};
  auto prepared = prepare_apply(to, std::chrono::milliseconds(0));
  if (!prepared) throw std::runtime_error(prepared.error().message);
  if (reorder) reorder(prepared->plan);
  run.plan = prepared->plan;
  if (!run.plan.refusals.empty()) {
    run.ending = Ending::refused;
    return run;
  }
  const Directory journals;
  auto journal = Journal::create(journals.path, "scenario", run.plan);
  if (!journal) throw std::runtime_error(journal.error().message);
  ApplyOptions options;
  options.parallelism = parallelism;
  auto applied = carry_out(*prepared, to, *journal, options);
  if (!applied) throw std::runtime_error(applied.error().message);
  run.ending = applied->ending;
  run.changes = provider.changes();
  for (std::size_t i = 0; i < applied->outcome.errors.size(); ++i)
    if (const auto& error = applied->outcome.errors[i])
      run.trouble += fmt::format("{}: {}\n", run.plan.steps[i].id, error->message);
  return run;
}

void Rehearsal::remember(const std::string& server) {
  const Instance& instance = fleet.at(server);
  Remembered& then = before_[server];
  then.writable = instance.takes_writes(false);
  for (const auto& [channel, replication] : instance.channels) then.channels[channel] = replication.status;
}

void Rehearsal::look_at_invariants(const std::string& after) {
  const std::lock_guard guard(fleet.guard);
  const auto break_rule = [&](const std::string& what) {
    broken_.push_back(fmt::format("after {}: {}", after, what));
  };
  const std::string changed = after.substr(0, after.find('.'));
  look_for_doubled(after);
  for (const auto& [name, instance] : fleet.all()) {
    const Remembered& then = before_.at(name);
    const Server* declared = topology.find({name});
    if (declared == nullptr || name != changed) continue;
    const bool writable = instance.takes_writes(false);
    if (declared->read_only && writable && !then.writable) break_rule(fmt::format("{} takes writes", name));
    for (const auto& [channel, replication] : instance.channels) {
      const auto had = then.channels.find(channel);
      const bool ran = had != then.channels.end() && had->second.applier;
      if (declared->read_only && writable && replication.status.applier && !ran)
        break_rule(fmt::format("{} replicates while it takes writes", name));
      const DeclaredChannel* wanted = declared->channel(channel);
      if (had == then.channels.end() || wanted == nullptr) continue;
      const Channel &now = replication.status, &old = had->second;
      if (!wanted->options.delay && now.delay != old.delay)
        break_rule(fmt::format("{} has lost its delay", name));
      if (!wanted->options.connect_retry && now.connect_retry != old.connect_retry)
        break_rule(fmt::format("{} has lost its connect_retry", name));
      if (!wanted->options.tls && now.tls != old.tls) break_rule(fmt::format("{} has lost its TLS", name));
    }
  }
}

std::string Rehearsal::end(bool counts) const {
  std::map<std::string, Standing> standings;
  for (const auto& [name, instance] : fleet.all()) {
    Standing& standing = standings[name];
    standing = {
        instance.up, instance.running.read_only, instance.running.super_read_only, {}, rows_of(instance)};
    for (const auto& [channel, replication] : instance.channels)
      standing.channels.push_back(words_of(replication.status, replication.status.host));
  }
  return end_text(standings, scenario_, counts);
}

std::string Rehearsal::everything() const {
  std::string text = end();
  for (const auto& [name, instance] : fleet.all()) {
    text +=
        fmt::format("{} {} {} {} {}\n", name, to_text(instance.binlog.end()), to_text(instance.replicated),
                    to_text(instance.executed), instance.data.accounts.size());
    for (const auto& [channel, replication] : instance.channels)
      text += fmt::format("  {} {} {} {} {}\n", to_text(replication.status.read),
                          to_text(replication.status.executed), replication.status.delay,
                          replication.status.connect_retry, replication.relay_log.size());
    for (const auto& [variable, value] : instance.running.variables)
      text += fmt::format("  {}={}\n", variable, value);
  }
  return text;
}

}  // namespace stemma::scenarios
