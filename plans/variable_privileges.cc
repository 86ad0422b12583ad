// Which privilege SET GLOBAL takes on MariaDB, variable by variable. From the servers themselves: an account without any was
// refused each of them by 10.5.29, 10.11.19 and 11.8.9, and error 1227 names the privilege. The three agree wherever they
// have the variable.
#include <algorithm>

#include "plans/privileges.h"

namespace stemma {
namespace {

// By BINLOG ADMIN, REPLICATION MASTER ADMIN, REPLICATION SLAVE ADMIN or READ_ONLY ADMIN, all of which an apply has anyhow.
constexpr std::string_view kOfReplication[] = {
    // BINLOG ADMIN
    "binlog_annotate_row_events", "binlog_cache_size", "binlog_commit_wait_count", "binlog_commit_wait_usec",
    "binlog_direct_non_transactional_updates", "binlog_expire_logs_seconds", "binlog_file_cache_size",
    "binlog_format", "binlog_gtid_index", "binlog_gtid_index_page_size", "binlog_gtid_index_span_min",
    "binlog_legacy_event_pos", "binlog_row_image", "binlog_row_metadata", "binlog_space_limit",
    "binlog_stmt_cache_size", "expire_logs_days", "log_bin_compress", "log_bin_compress_min_len",
    "log_bin_trust_function_creators", "max_binlog_cache_size", "max_binlog_size",
    "max_binlog_stmt_cache_size", "max_binlog_total_size", "slave_connections_needed_for_purge",
    "sync_binlog",
    // REPLICATION MASTER ADMIN
    "gtid_binlog_state", "gtid_domain_id", "master_verify_checksum", "rpl_semi_sync_master_enabled",
    "rpl_semi_sync_master_timeout", "rpl_semi_sync_master_trace_level", "rpl_semi_sync_master_wait_no_slave",
    "rpl_semi_sync_master_wait_point", "server_id",
    // REPLICATION SLAVE ADMIN
    "gtid_cleanup_batch_size", "gtid_ignore_duplicates", "gtid_pos_auto_engines", "gtid_slave_pos",
    "gtid_strict_mode", "init_slave", "read_binlog_speed_limit", "relay_log_purge", "relay_log_recovery",
    "replicate_do_db", "replicate_do_table", "replicate_events_marked_for_skip", "replicate_ignore_db",
    "replicate_ignore_table", "replicate_rewrite_db", "replicate_wild_do_table",
    "replicate_wild_ignore_table", "rpl_semi_sync_slave_delay_master", "rpl_semi_sync_slave_enabled",
    "rpl_semi_sync_slave_kill_conn_timeout", "rpl_semi_sync_slave_trace_level",
    "slave_abort_blocking_timeout", "slave_compressed_protocol", "slave_ddl_exec_mode",
    "slave_domain_parallel_threads", "slave_exec_mode", "slave_max_allowed_packet",
    "slave_max_statement_time", "slave_net_timeout", "slave_parallel_max_queued", "slave_parallel_mode",
    "slave_parallel_threads", "slave_parallel_workers", "slave_run_triggers_for_rbr",
    "slave_sql_verify_checksum", "slave_transaction_retry_interval", "slave_type_conversions",
    "sync_master_info", "sync_relay_log", "sync_relay_log_info",
    // READ_ONLY ADMIN
    "read_only"};

constexpr std::string_view kOfConnections[] = {"connect_timeout",       "disconnect_on_expired_password",
                                               "extra_max_connections", "init_connect",
                                               "max_connect_errors",    "max_connections",
                                               "max_password_errors",   "proxy_protocol_networks",
                                               "secure_auth",           "slow_launch_time"};

bool among(const auto& names, std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

std::optional<PrivilegeNeed> privilege_to_set(Flavor flavor, std::string_view variable) {
  // MySQL has one for all of them: SUPER, since 8.0 SYSTEM_VARIABLES_ADMIN.
  if (flavor == Flavor::mysql || among(kOfReplication, variable)) return std::nullopt;
  const bool connections = among(kOfConnections, variable) || variable.starts_with("thread_pool_");
  return PrivilegeNeed{.name = connections ? "CONNECTION ADMIN" : "SUPER",
                       .to_apply = true,
                       .why = "to set a variable that the file declares"};
}

std::vector<PrivilegeNeed> privileges_to_set(Flavor flavor, const std::set<std::string_view>& variables) {
  std::vector<PrivilegeNeed> needs;
  for (const std::string_view variable : variables) {
    const auto need = privilege_to_set(flavor, variable);
    const auto named = [&](const PrivilegeNeed& other) { return other.name == need->name; };
    if (need && std::none_of(needs.begin(), needs.end(), named)) needs.push_back(*need);
  }
  return needs;
}

}  // namespace stemma
