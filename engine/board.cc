#include "engine/board.h"

#include <algorithm>

#include "plans/attach.h"

namespace stemma {

Board::Board(const Topology& topology, const Secrets& secrets, Fleet observed, Clock::Time when)
    : topology_(topology), secrets_(secrets), fleet_(std::move(observed)) {
  for (const auto& [name, state] : fleet_.servers) {
    times_[name] = {when, when, when, when, when};
    outputs_.sources[name] = moment_of(state);
    for (const Channel& channel : state.channels)
      if (!channel.applier && channel.applier_errno != 0)
        outputs_.failed[Link{name, channel.name}] = {channel, state.executed()};
  }
}

ServerState Board::get(const ServerName& name) const {
  const std::lock_guard lock(guard_);
  return fleet_.servers.at(name);
}

Clock::Time Board::read_at(const ServerName& name, const Reading& parts) const {
  const std::lock_guard lock(guard_);
  const ReadTimes& times = times_.at(name);
  auto oldest = Clock::Time::max();
  if (parts.channel) oldest = std::min(oldest, times.channel);
  if (parts.account) oldest = std::min(oldest, times.account);
  if (parts.coordinates) oldest = std::min(oldest, times.coordinates);
  if (parts.contents) oldest = std::min(oldest, times.contents);
  if (parts.variables) oldest = std::min(oldest, times.variables);
  return oldest;
}

void Board::put(const ServerName& name, ServerState state, const Reading& parts, Clock::Time when) {
  const std::lock_guard lock(guard_);
  fleet_.servers[name] = std::move(state);
  ReadTimes& times = times_[name];
  if (parts.channel) times.channel = when;
  if (parts.account) times.account = when;
  if (parts.coordinates) times.coordinates = when;
  if (parts.contents) times.contents = when;
  if (parts.variables) times.variables = when;
}

void Board::forget_readings(const ServerName& name) {
  const std::lock_guard lock(guard_);
  times_[name] = {};
}

Judgement Board::judge(const Fact& fact, const ServerState& own) const {
  // Only the fact's server and its sources can matter: a small scene of their own instead of the fleet.
  Fleet scene;
  Outputs outputs;
  const ServerName& name = subject(fact);
  scene.servers.emplace(name, own);
  const Server* server = topology_.find(name);
  {
    const std::lock_guard lock(guard_);
    const auto copy = [](const auto& from, auto& to, const auto& key) {
      if (const auto found = from.find(key); found != from.end()) to.insert(*found);
    };
    copy(outputs_.noted, outputs.noted, name);
    if (const Link* link = link_of(fact)) {
      copy(outputs_.after_start, outputs.after_start, *link);
      copy(outputs_.failed, outputs.failed, *link);
    }
    if (server != nullptr)
      for (const DeclaredChannel& channel : server->channels) {
        copy(fleet_.servers, scene.servers, channel.source);
        copy(outputs_.noted, outputs.noted, channel.source);
        copy(outputs_.sources, outputs.sources, channel.source);
      }
  }
  return stemma::judge(fact, Scene{topology_, scene, secrets_, outputs});
}

std::vector<std::string> Board::data_of(const ServerState& state) const {
  return stemma::data_of(state, topology_);
}

bool Board::is_replication(const AccountName& account) const {
  return topology_.replication && account.user == topology_.replication->user &&
         account.host == topology_.replication->host;
}

bool Board::has_replicas(const ServerName& name) const { return !topology_.replicas_of(name).empty(); }

void Board::note(const ServerName& source, const Moment& moment) {
  const std::lock_guard lock(guard_);
  outputs_.noted[source] = moment;
}

void Board::after_start(const Link& link, const Moment& moment) {
  const std::lock_guard lock(guard_);
  outputs_.after_start[link] = moment;
}

void Board::caught_up(const ServerName& source, const Moment& moment) {
  const std::lock_guard lock(guard_);
  outputs_.sources[source] = moment;
}

Outputs Board::outputs() const {
  const std::lock_guard lock(guard_);
  return outputs_;
}

Result<Moment> Board::coordinates_from_now(const ServerName& source, Provider& provider) {
  std::unique_lock lock(guard_);
  SharedRead& shared = reads_[source];  // stays where it is: map nodes don't move
  // A reading that runs already may have begun too early; the one after it serves everybody who waits now.
  const std::uint64_t wanted = shared.started + 1;
  while (shared.finished < wanted) {
    if (shared.running) {
      read_done_.wait(lock);
      continue;
    }
    shared.running = true;
    ++shared.started;
    ServerState state = fleet_.servers.at(source);
    lock.unlock();
    auto read = provider.refresh(source, Reading{.coordinates = true}, state);
    lock.lock();
    shared.running = false;
    ++shared.finished;
    if (read) {
      // The source's own steps may have read more of it meanwhile: only what was asked is put back.
      ServerState& known = fleet_.servers.at(source);
      known.coordinates = state.coordinates;
      known.gtid_binlog = state.gtid_binlog;
      if (known.mysql_gtids && state.mysql_gtids)
        known.mysql_gtids->at_coordinates = state.mysql_gtids->at_coordinates;
      shared.last = moment_of(state);
    } else {
      shared.last = tl::unexpected(read.error());
    }
    read_done_.notify_all();
  }
  return shared.last;
}

}  // namespace stemma
