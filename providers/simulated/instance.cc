#include "providers/simulated/instance.h"

#include <fmt/format.h>

#include <algorithm>

namespace stemma::simulated {
namespace {

constexpr int kReadOnly = 1290, kUnknownVariable = 1193, kChannelRuns = 1198, kNoChannel = 1617,
              kGtidPurgedNotEmpty = 1840, kBinlogOff = 1186;

}  // namespace

Instance::Instance(std::string called, Flavor its_flavor, Version its_version, Identity its_identity)
    : name(std::move(called)),
      flavor(its_flavor),
      version(its_version),
      identity(std::move(its_identity)),
      gtid_mode(its_flavor == Flavor::mariadb),
      binlog(its_flavor) {
  option_file.variables = {{"sync_binlog", flavor == Flavor::mysql ? "1" : "0"},
                           {"max_connections", "151"},
                           {"slave_parallel_threads", "0"},
                           {"gtid_domain_id", "0"},
                           {"rpl_semi_sync_master_enabled", "OFF"},
                           {"rpl_semi_sync_slave_enabled", "OFF"}};
  running = option_file;
}

bool Instance::takes_writes(bool privileged) const {
  return !running.super_read_only && (privileged || !running.read_only);
}

void Instance::log(const Transaction& transaction) {
  if (log_bin) binlog.append(transaction);
}

int Instance::write(const Change& change, std::uint64_t number, Clock::Time now, bool privileged,
                    bool logged) {
  if (!takes_writes(privileged)) return kReadOnly;
  if (const int error = data.apply(change); error != 0) return error;
  ++executions[number];
  if (!logged || !log_bin) return 0;
  Transaction transaction{number, {0, identity.server_id, 0}, {}, change, now};
  if (flavor == Flavor::mariadb) {
    transaction.gtid.domain = static_cast<std::uint32_t>(std::stoul(running.variables.at("gtid_domain_id")));
    transaction.gtid.sequence = binlog.state().highest(transaction.gtid.domain) + 1;
  } else if (gtid_mode) {
    // The first number of its own that is free: those that a set has as told are not.
    transaction.uuid = identity.uuid;
    const auto own = executed.sources().find({identity.uuid, ""});
    const bool from_one = own != executed.sources().end() && own->second.front().first == 1;
    transaction.gtid.sequence = from_one ? own->second.front().last + 1 : 1;
    executed = executed.unite(set_of(transaction));
  }
  log(transaction);
  return 0;
}

int Instance::execute(const Transaction& transaction) {
  // Once more than once, whether it fails or not; what had failed before may be tried again.
  if (const auto before = executions.find(transaction.number); before != executions.end()) ++before->second;
  if (const int error = data.apply(transaction.change); error != 0) return error;
  executions.emplace(transaction.number, 1);
  executed = executed.unite(set_of(transaction));
  if (log_updates) log(transaction);
  return 0;
}

bool Instance::has_executed(const Transaction& transaction) const {
  if (flavor == Flavor::mysql) {
    const GtidSet own = set_of(transaction);
    return !own.empty() && executed.contains(own);
  }
  const auto at = replicated.domains().find(transaction.gtid.domain);
  return at != replicated.domains().end() && at->second.sequence >= transaction.gtid.sequence;
}

bool Instance::any_channel_runs() const {
  return std::any_of(channels.begin(), channels.end(),
                     [](const auto& entry) { return !entry.second.status.is_off(); });
}

int Instance::set_variable(const std::string& variable, const std::string& value) {
  if (!running.variables.contains(variable)) return kUnknownVariable;
  if (variable == "slave_parallel_threads" && any_channel_runs()) return kChannelRuns;
  running.variables[variable] = value;
  if (flavor == Flavor::mysql && version >= Version{8, 0, 0}) option_file.variables[variable] = value;
  return 0;
}

void Instance::set_read_only(bool on, bool super_on) {
  running.read_only = on;
  running.super_read_only = super_on && flavor == Flavor::mysql;
  if (flavor != Flavor::mysql || version < Version{8, 0, 0}) return;
  option_file.read_only = running.read_only;
  option_file.super_read_only = running.super_read_only;
}

int Instance::start(const std::string& channel) {
  const auto found = channels.find(channel);
  if (found == channels.end()) return kNoChannel;
  Channel& status = found->second.status;
  if (status.receiver == ReceiverState::off) {
    status.receiver = ReceiverState::connecting;
    status.receiver_errno = 0;
    status.receiver_error.clear();
    found->second.next_try = {};
    found->second.semi_sync = running.variables.at("rpl_semi_sync_slave_enabled") == "ON";
  }
  if (!status.applier) {
    status.applier = true;
    status.applier_errno = 0;
    status.applier_error.clear();
  }
  return 0;
}

int Instance::stop(const std::string& channel, bool receiver_only) {
  const auto found = channels.find(channel);
  if (found == channels.end()) return 0;  // a warning
  Channel& status = found->second.status;
  status.receiver = ReceiverState::off;
  status.receiver_doing.clear();
  found->second.connected = false;
  if (!receiver_only) {
    status.applier = false;
    status.applier_doing.clear();
  }
  return 0;
}

int Instance::change_source(const std::string& channel, const ChangeSource& change) {
  Replication& replication = channels[channel];
  Channel& status = replication.status;
  if (!status.is_off()) return kChannelRuns;
  const Channel before = status;
  status = change.options;
  status.name = channel;
  status.source_server_id = before.source_server_id;  // until it connects
  status.source_uuid = before.source_uuid;
  status.read = status.executed = change.from;
  status.retrieved = {};
  status.receiver_errno = status.applier_errno = 0;
  status.receiver_error = status.applier_error = {};
  replication.password = change.password;
  replication.relay_log.clear();  // what it held and had not executed is gone
  return 0;
}

int Instance::set_position(const GtidPoint& point, bool adds) {
  if (flavor == Flavor::mariadb) {
    if (any_channel_runs()) return kChannelRuns;
    replicated = point.position;
    return 0;
  }
  if (!adds && !executed.empty()) return kGtidPurgedNotEmpty;
  executed = executed.unite(point.set);
  adopted = adopted.unite(point.set);
  return 0;
}

int Instance::reset_binlog() {
  if (!log_bin) return kBinlogOff;
  binlog.reset();
  executed = adopted = {};
  return 0;
}

void Instance::restart() {
  running = option_file;
  lock = nullptr;
  ++starts;
  if (log_bin) binlog.rotate();
  for (auto& [channel, replication] : channels) {
    // Both threads start with their server, whoever had stopped them.
    replication.connected = false;
    replication.next_try = {};
    replication.semi_sync = running.variables.at("rpl_semi_sync_slave_enabled") == "ON";
    replication.status.receiver = ReceiverState::connecting;
    replication.status.applier = true;
    replication.status.applier_errno = 0;
    replication.status.applier_error.clear();
  }
  up = true;
}

}  // namespace stemma::simulated
