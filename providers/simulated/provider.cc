#include "providers/simulated/provider.h"

#include <fmt/format.h>

#include "providers/simulated/reading.h"
#include "providers/simulated/steps.h"

namespace stemma::simulated {
namespace {

constexpr std::chrono::microseconds kRoundTrip{500};

const ReplicationAccount* account_of(const Topology& topology) {
  return topology.replication ? &*topology.replication : nullptr;
}

}  // namespace

// The guard must be held.
Result<Instance*> SimulatedProvider::reach(const ServerName& name) {
  fleet_.advance(kRoundTrip);
  if (fleet_.meanwhile) fleet_.meanwhile(fleet_);
  Instance& instance = fleet_.at(name.text);
  if (!instance.up)
    return tl::unexpected(Error{Trouble::unreachable, "can't connect to server", "is it running?", 2003, {}});
  if (instance.refuses_logins)
    return tl::unexpected(
        Error{Trouble::denied, "Access denied for user 'stemma'", "check user and password", 1045, {}});
  // A connection breaks when it is used; the next call has another.
  const std::uint64_t before = connected_.try_emplace(name, instance.starts).first->second;
  connected_[name] = instance.starts;
  if (before != instance.starts)
    return tl::unexpected(Error{Trouble::unreachable, "lost connection to server", "", 2013, {}});
  const auto known = identities_.find(name);
  if (known != identities_.end() && known->second != instance.identity)
    return tl::unexpected(Error{
        Trouble::stale, fmt::format("{} is another server than before", name.text), "plan again", 0, {}});
  return &instance;
}

Result<ServerState> SimulatedProvider::observe(const ServerName& name) {
  const std::lock_guard guard(fleet_.guard);
  const auto instance = reach(name);
  if (!instance) return tl::unexpected(instance.error());
  ServerState state;
  read_server(**instance, state);
  read_coordinates(**instance, state);
  read_settings(**instance, state);
  read_channels(**instance, state);
  read_attached(**instance, fleet_, state);
  read_accounts(**instance, account_of(topology_), state);
  read_variables(**instance, *topology_.find(name), state);
  identities_[name] = state.identity;
  return state;
}

Result<void> SimulatedProvider::answer(const ServerName& name, const Questions& questions,
                                       ServerState& state) {
  const std::lock_guard guard(fleet_.guard);
  const auto instance = reach(name);
  if (!instance) return tl::unexpected(instance.error());
  if (questions.coordinates) state.later_coordinates = (*instance)->binlog.end();
  if (questions.schemas) read_schemas(**instance, state);
  read_binlogs(**instance, questions, state);
  return {};
}

Result<void> SimulatedProvider::read_back(Instance& instance, const Reading& reading,
                                          ServerState& state) const {
  if (locked_.contains({instance.name}) && instance.lock != this)
    return tl::unexpected(
        Error{Trouble::locked,
              fmt::format("the apply lock on {} was lost: its connection is gone", instance.name),
              "nothing more was started; run apply again to go on",
              0,
              {}});
  if (reading.coordinates) read_coordinates(instance, state);
  if (reading.channel) read_channels(instance, state);
  read_settings(instance, state);
  if (reading.variables) read_variables(instance, *topology_.find({instance.name}), state);
  if (reading.contents) read_schemas(instance, state);
  if (reading.contents || reading.account) read_accounts(instance, account_of(topology_), state);
  return {};
}

Result<void> SimulatedProvider::refresh(const ServerName& name, const Reading& reading, ServerState& state) {
  const std::lock_guard guard(fleet_.guard);
  const auto instance = reach(name);
  if (!instance) return tl::unexpected(instance.error());
  return read_back(**instance, reading, state);
}

Result<void> SimulatedProvider::perform(const Step& step, const Outputs& outputs, ServerState& state) {
  const std::lock_guard guard(fleet_.guard);
  const auto instance = reach(step.server);
  if (!instance) return tl::unexpected(instance.error());
  if (auto done = carry_out(step, {topology_, secrets_, state, outputs}, fleet_, **instance); !done)
    return done;
  return read_back(**instance, reading_for(step.kind), state);
}

Result<std::optional<LockHolder>> SimulatedProvider::lock(const ServerName& name) {
  const std::lock_guard guard(fleet_.guard);
  const auto instance = reach(name);
  if (!instance) return tl::unexpected(instance.error());
  const void*& holder = (*instance)->lock;
  if (holder != nullptr && holder != this) return std::optional(LockHolder{name, "stemma", "localhost", 1});
  holder = this;
  locked_.insert(name);
  return std::optional<LockHolder>{};
}

void SimulatedProvider::unlock_all() {
  const std::lock_guard guard(fleet_.guard);
  for (const ServerName& name : locked_)
    if (Instance& instance = fleet_.at(name.text); instance.lock == this) instance.lock = nullptr;
  locked_.clear();
}

}  // namespace stemma::simulated
