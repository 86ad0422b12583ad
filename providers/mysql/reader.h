// From result sets to ServerState. Pure: what a server may answer is tested without one.
#pragma once

#include <string_view>

#include "plans/observed.h"
#include "providers/mysql/connection.h"

namespace stemma::mysql {

// "10.11.19-MariaDB-0+deb12u1-log" → 10.11.19; zeros where there is no number.
Version parse_version(std::string_view);
Flavor flavor_of(std::string_view version_text);

// Each takes what the statement of the same name (sql.h) returned. A missing column, NULL or a value that is
// no number leaves the field at its default: servers differ, and an answer must never be worth a crash.
void read_server(const Table&, ServerState&);
void read_coordinates(const Table&, ServerState&);
void read_gtid_binlog_pos(const Table&, ServerState&);
void read_channels(const Table&, ServerState&);
void read_channel_details(const Table&, ServerState&);  // after read_channels
void read_worker_errors(const Table&, ServerState&);    // after read_channels
void read_channel_settings(const Table&, ServerState&);
void read_attached(const Table&, ServerState&);
void read_login_plugins(const Table&, ServerState&);
void read_own_grants(const Table&, ServerState&);
void read_accounts(const Table&, ServerState&);  // leaves the grants of the replication account as they were
void read_grants(const Table&, ServerState&);
void read_variables(const Table&, ServerState&, const std::vector<std::string>& declared);
void read_semi_sync(const Table&, ServerState&);
void read_schemas(const Table&, ServerState&);
void read_tables(const Table&, ServerState&);  // after read_schemas
void read_binlogs(const Table&, ServerState&);

// The id of the connection that holds the apply lock, as select_server and select_channel_settings say it.
std::optional<std::uint64_t> read_lock_holder(const Table&);

// One line of SHOW GRANTS: "GRANT REPLICATION SLAVE ON *.* TO `repl`@`%` IDENTIFIED BY …". nullopt: no grant.
std::optional<Grant> parse_grant(std::string_view line);

}  // namespace stemma::mysql
