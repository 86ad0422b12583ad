#include "providers/simulated/fleet.h"

#include <fmt/format.h>

namespace stemma::simulated {
namespace {

constexpr int kAccessDenied = 1045, kFatalRead = 1236, kFatalReadSince80 = 13114, kSameServerId = 1593,
              kCantConnect = 2003;
// What a thread gets done in one round: replication lags, and a step may find it anywhere.
constexpr int kReceivesAtOnce = 3, kAppliesAtOnce = 2;

// The source's word for itself differs.
std::string doing(const Instance& instance, std::string_view before, std::string_view after = "") {
  return fmt::format("{}{}{}", before, instance.flavor == Flavor::mariadb ? "master" : "source", after);
}

void fail_to_connect(Instance& instance, Replication& replication, Clock::Time now, int number,
                     std::string error) {
  Channel& status = replication.status;
  status.receiver = ReceiverState::connecting;
  status.receiver_doing = doing(instance, "Reconnecting after a failed ", " event read");
  status.receiver_errno = number;
  status.receiver_error = std::move(error);
  replication.next_try = now + std::chrono::seconds(status.connect_retry);
}

// An error after which the server itself stops the receiver.
void end_receiver(Replication& replication, int number, std::string error) {
  Channel& status = replication.status;
  status.receiver = ReceiverState::off;
  status.receiver_doing.clear();
  status.receiver_errno = number;
  status.receiver_error = std::move(error);
  replication.connected = false;
}

// Whether the source can serve what this channel asks for by GTIDs.
std::string gtid_trouble(const Instance& replica, const Instance& source) {
  if (replica.flavor == Flavor::mysql) {
    if (!replica.executed.contains(source.purged()))
      return "the source has purged GTIDs that the replica requires";
    const GtidSet of_others = replica.executed.without(source.identity.uuid);
    if (!source.executed.contains(replica.executed.subtract(of_others)))
      return "the replica has more GTIDs than the source has, using the source's SERVER_UUID";
    return "";
  }
  const GtidState state = source.binlog.state();
  for (const auto& [domain, gtid] : replica.replicated.domains())
    if (state.highest(domain) != 0 && !state.contains(gtid))
      return fmt::format("requested position {} is not in the master's binlog", to_text(gtid));
  const GtidPosition horizon = source.binlog.horizon();
  for (const auto& [domain, gtid] : horizon.domains()) {
    const auto at = replica.replicated.domains().find(domain);
    if (at == replica.replicated.domains().end() || at->second.sequence < gtid.sequence)
      return "could not find GTID state requested by the slave in any binlog files";
  }
  return "";
}

}  // namespace

Instance& SimulatedFleet::add(const std::string& name, Flavor flavor, Version version) {
  const auto id = static_cast<std::uint32_t>(instances_.size() + 1);
  Identity identity{id, flavor == Flavor::mysql ? fmt::format("{:08}-0000-0000-0000-000000000000", id) : "",
                    name, 3306, "/data/" + name};
  Instance& instance = instances_.emplace(name, Instance(name, flavor, version, identity)).first->second;
  Account root;
  root.state.plugin = "unix_socket";
  root.state.grants = {{{"ALL PRIVILEGES"}, "*.*", true}};
  instance.data.accounts[{"root", "localhost"}] = root;
  return instance;
}

int SimulatedFleet::write(const std::string& server, const Change& change, bool privileged, bool logged) {
  Instance& instance = instances_.at(server);
  if (!instance.up) return kCantConnect;
  return instance.write(change, ++transactions_, now_, privileged, logged);
}

int SimulatedFleet::write_row(const std::string& server, bool privileged, bool logged) {
  Data& data = instances_.at(server).data;
  if (!data.rows.contains("app"))
    if (const int error = write(server, CreateSchema{"app"}, privileged, logged); error != 0) return error;
  if (!data.rows.at("app").contains("t"))
    if (const int error = write(server, CreateTable{"app", "t"}, privileged, logged); error != 0)
      return error;
  return write(server, InsertRow{"app", "t", ++rows_}, privileged, logged);
}

void SimulatedFleet::advance(std::chrono::microseconds time) {
  now_ += time;
  round();
}

void SimulatedFleet::settle(int rounds) {
  for (int quiet = 0; rounds > 0 && quiet < 3; --rounds) {
    now_ += std::chrono::seconds(1);
    round();
    quiet = busy_ ? 0 : quiet + 1;
  }
}

Instance* SimulatedFleet::find(const Channel& channel) {
  const auto found = instances_.find(channel.host);
  return found == instances_.end() || channel.port != 3306 ? nullptr : &found->second;
}

void SimulatedFleet::round() {
  busy_ = false;
  for (auto& [name, instance] : instances_) {
    if (!instance.up) continue;
    for (auto& [channel, replication] : instance.channels) {
      const auto before = std::tuple(replication.status, replication.relay_log.size());
      if (replication.status.receiver != ReceiverState::off) receive(instance, replication);
      if (replication.status.applier) apply(instance, replication);
      busy_ = busy_ || before != std::tuple(replication.status, replication.relay_log.size());
    }
  }
}

void SimulatedFleet::connect(Instance& instance, Replication& replication) {
  Channel& status = replication.status;
  Instance* source = find(status);
  const bool cut = source != nullptr && cut_links.contains({instance.name, source->name});
  if (source == nullptr || !source->up || cut)
    return fail_to_connect(instance, replication, now_, kCantConnect,
                           fmt::format("error connecting to '{}@{}:{}': can't connect to server", status.user,
                                       status.host, status.port));
  const auto account = source->data.accounts.find({status.user, "%"});
  if (account == source->data.accounts.end() || account->second.password != replication.password)
    return fail_to_connect(
        instance, replication, now_, kAccessDenied,
        fmt::format("error connecting to '{}@{}:{}': Access denied", status.user, status.host, status.port));
  if (source->identity.server_id == instance.identity.server_id)
    return end_receiver(replication, kSameServerId, "master and slave have equal MySQL server ids");
  if (!source->log_bin) return end_receiver(replication, kFatalRead, "Binary log is not open");
  const Coordinates first{source->binlog.files().front(), 4};
  if (status.gtid == ChannelGtid::no) {
    if (!status.read.known()) status.read = status.executed = first;
    if (!source->binlog.has(status.read))
      return end_receiver(replication, kFatalRead,
                          "Could not find first log file name in binary log index file");
    // MariaDB: to where the receiver stands, whatever of it is applied.
    if (instance.flavor == Flavor::mariadb)
      if (const auto place = source->binlog.position_at(status.read))
        instance.replicated = instance.replicated.with(*place);
  } else {
    if (std::string trouble = gtid_trouble(instance, *source); !trouble.empty())
      return end_receiver(replication,
                          instance.flavor == Flavor::mysql && instance.version >= Version{8, 0, 0}
                              ? kFatalReadSince80
                              : kFatalRead,
                          std::move(trouble));
    status.read = first;  // what it has already is left out as the dump goes on
    if (!status.executed.known()) status.executed = first;
    replication.skipped = false;
  }
  replication.dumped = status.read;
  status.source_server_id = source->identity.server_id;
  status.source_uuid = source->identity.uuid;
  status.receiver = ReceiverState::on;
  status.receiver_errno = 0;
  status.receiver_error.clear();
  status.receiver_doing = doing(instance, "Waiting for ", " to send event");
  replication.connected = true;
}

void SimulatedFleet::receive(Instance& instance, Replication& replication) {
  if (!replication.connected) {
    if (now_ >= replication.next_try) connect(instance, replication);
    return;
  }
  Channel& status = replication.status;
  Instance* source = find(status);
  if (source == nullptr || !source->up || cut_links.contains({instance.name, source->name})) {
    replication.connected = false;
    return fail_to_connect(instance, replication, now_, kCantConnect, "lost connection to server");
  }
  const auto received_already = [&](const Transaction& transaction) {
    for (const auto& received : replication.relay_log)
      if (received.transaction.number == transaction.number) return true;
    return false;
  };
  for (int left = kReceivesAtOnce; left > 0;) {
    const auto event = source->binlog.next(replication.dumped);
    if (!event) break;
    const Transaction& transaction = *event->transaction;
    replication.dumped = event->end;
    if (status.gtid != ChannelGtid::no &&
        (instance.has_executed(transaction) || received_already(transaction))) {
      replication.skipped = true;
      continue;
    }
    replication.skipped = false;
    status.read = event->end;
    if (transaction.gtid.server == instance.identity.server_id) continue;  // replicate_same_server_id = 0
    replication.relay_log.push_back({transaction, event->end});
    status.retrieved = status.retrieved.unite(set_of(transaction));
    --left;
  }
  // Ends of headers and rotations reach a replica, too. A MySQL source that has skipped transactions says nothing.
  const bool at_end = !source->binlog.next(replication.dumped);
  const bool silent = instance.flavor == Flavor::mysql && replication.skipped;
  if (at_end && !silent && reached(source->binlog.end(), replication.dumped))
    status.read = source->binlog.end();
}

void SimulatedFleet::apply(Instance& instance, Replication& replication) const {
  Channel& status = replication.status;
  status.seconds_behind.reset();
  for (int left = instance.slow ? 0 : kAppliesAtOnce; left > 0 && !replication.relay_log.empty(); --left) {
    const Replication::Received& next = replication.relay_log.front();
    if (now_ < next.transaction.written + std::chrono::seconds(status.delay)) break;
    const bool skipped = instance.flavor == Flavor::mysql && instance.has_executed(next.transaction);
    if (const int error = skipped ? 0 : instance.execute(next.transaction); error != 0) {
      status.applier = false;
      status.applier_doing.clear();
      status.applier_errno = error;
      status.applier_error = message_of(error);
      return;
    }
    if (instance.flavor == Flavor::mariadb)
      instance.replicated = instance.replicated.with(*GtidPosition::parse(to_text(next.transaction.gtid)));
    status.executed = next.end;
    replication.relay_log.pop_front();
  }
  const bool done = replication.relay_log.empty();
  // What the receiver has left out, the applier need not execute.
  if (done) status.executed = status.read;
  status.applier_doing =
      done ? "Slave has read all relay log; waiting for more updates" : "Reading event from the relay log";
  if (!done)
    status.seconds_behind =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(
                                       now_ - replication.relay_log.front().transaction.written)
                                       .count());
  else if (replication.connected)
    status.seconds_behind = 0;
}

}  // namespace stemma::simulated
