#include "providers/simulated/reading.h"

#include <fmt/format.h>

namespace stemma::simulated {

void read_server(const Instance& instance, ServerState& state) {
  state.flavor = instance.flavor;
  state.version = instance.version;
  state.version_text = to_text(instance.version) + (instance.flavor == Flavor::mariadb ? "-MariaDB" : "");
  state.identity = instance.identity;
  state.log_bin = instance.log_bin;
  state.log_updates = instance.log_updates;
  state.gtid_strict = instance.gtid_strict;
  state.gtid_domain = static_cast<std::uint32_t>(std::stoul(instance.running.variables.at("gtid_domain_id")));
  state.offers_tls = instance.offers_tls;
  state.own_grants = instance.admin_grants;
  state.managed_elsewhere = instance.galera;
}

void read_settings(const Instance& instance, ServerState& state) {
  state.read_only = instance.running.read_only;
  state.read_only_persisted = instance.running.read_only == instance.option_file.read_only;
  if (instance.flavor == Flavor::mariadb) {
    state.gtid_binlog = instance.binlog.position();
    state.gtid_state = instance.binlog.state();
    state.gtid_replicated = instance.replicated;
    return;
  }
  state.super_read_only = instance.running.super_read_only;
  state.super_read_only_persisted = instance.running.super_read_only == instance.option_file.super_read_only;
  MysqlGtids gtids;
  gtids.mode = instance.gtid_mode ? "ON" : "OFF";
  gtids.executed = instance.executed;
  gtids.purged = instance.purged();
  if (state.mysql_gtids) gtids.at_coordinates = state.mysql_gtids->at_coordinates;
  state.mysql_gtids = std::move(gtids);
}

void read_coordinates(const Instance& instance, ServerState& state) {
  state.coordinates = instance.log_bin ? instance.binlog.end() : Coordinates{};
  if (instance.flavor == Flavor::mariadb) {
    state.gtid_binlog = instance.binlog.position();
  } else {
    if (!state.mysql_gtids) state.mysql_gtids.emplace();
    state.mysql_gtids->at_coordinates = instance.executed;
  }
}

void read_channels(const Instance& instance, ServerState& state) {
  state.channels.clear();
  state.semi_sync_active = false;
  for (const auto& [name, replication] : instance.channels) {
    state.channels.push_back(replication.status);
    if (replication.semi_sync && replication.connected) state.semi_sync_active = true;
  }
}

void read_attached(const Instance& instance, const SimulatedFleet& fleet, ServerState& state) {
  state.attached_ids.clear();
  for (const auto& [name, other] : fleet.all())
    for (const auto& [channel, replication] : other.channels)
      if (replication.connected && replication.status.host == instance.name)
        state.attached_ids.insert(other.identity.server_id);
}

void read_accounts(const Instance& instance, const ReplicationAccount* declared, ServerState& state) {
  state.accounts.clear();
  state.read_only_bypass.clear();
  state.replication_account.reset();
  for (const auto& [name, account] : instance.data.accounts) {
    state.accounts.push_back(name);
    if (account.state.grants.front().privileges.contains("ALL PRIVILEGES"))
      state.read_only_bypass.push_back(name);
    if (declared != nullptr && name == AccountName{declared->user, declared->host})
      state.replication_account = account.state;
  }
}

void read_variables(const Instance& instance, const Server& declared, ServerState& state) {
  for (const auto& [name, value] : declared.variables)
    if (const auto found = instance.running.variables.find(name); found != instance.running.variables.end())
      state.variables[name] = {found->second, instance.option_file.variables.at(name) == found->second};
}

void read_schemas(const Instance& instance, ServerState& state) {
  state.schemas.emplace();
  for (const auto& [schema, tables] : instance.data.rows)
    for (SchemaContents& names = (*state.schemas)[schema]; const auto& [table, rows] : tables)
      names.insert(table);
}

void read_binlogs(const Instance& instance, const Questions& questions, ServerState& state) {
  if (questions.binlogs) {
    state.binlogs = instance.binlog.files();
    if (instance.flavor == Flavor::mariadb) state.gtid_horizon = instance.binlog.horizon();
  }
  for (const Coordinates& at : questions.gtid_at)
    state.gtid_at[to_text(at)] = instance.binlog.position_at(at);
}

}  // namespace stemma::simulated
