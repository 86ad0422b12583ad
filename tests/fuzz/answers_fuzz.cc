// Servers that answer anything: rows with missing, extra, NULL, huge and binary columns are read, judged, planned and
// printed. The input is answers one after another, each ended by an empty line: a line of column names, then a line for
// each row, with tabs between cells; \N is NULL. They go to the readers in turn, first of the primary, then of the
// replica; a first line of "mysql" makes both servers that flavor.
#include <array>
#include <string>
#include <vector>

#include "plans/topology_file.h"
#include "providers/mysql/reader.h"
#include "tests/fuzz/support.h"

using namespace stemma;
using stemma::mysql::Table;

namespace {

std::string_view line_of(std::string_view& rest) {
  const auto end = std::min(rest.find('\n'), rest.size());
  const auto line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

std::vector<std::string> cells(std::string_view line) {
  std::vector<std::string> found;
  for (;;) {
    const auto tab = line.find('\t');
    found.emplace_back(line.substr(0, tab));
    if (tab == line.npos) return found;
    line.remove_prefix(tab + 1);
  }
}

// A client library gives each row as many cells as there are columns, whatever the server does.
Table table_of(std::string_view& rest) {
  Table table;
  if (const auto header = line_of(rest); !header.empty()) table.columns = cells(header);
  while (!rest.empty()) {
    const auto line = line_of(rest);
    if (line.empty()) break;
    std::vector<std::optional<std::string>> row(table.columns.size());
    const auto given = cells(line);
    for (std::size_t i = 0; i < std::min(row.size(), given.size()); ++i)
      if (given[i] != "\\N") row[i] = given[i];
    table.rows.push_back(std::move(row));
  }
  return table;
}

ServerState state_of(std::string_view& rest, bool is_mysql) {
  using namespace stemma::mysql;
  constexpr std::array readers = {
      read_server,          read_coordinates,   read_gtid_binlog_pos,  read_channels,
      read_channel_details, read_worker_errors, read_channel_settings, read_attached,
      read_login_plugins,   read_own_grants,    read_accounts,         read_grants,
      read_semi_sync,       read_schemas,       read_tables,           read_binlogs};
  ServerState state;
  for (const auto read : readers) read(table_of(rest), state);
  read_variables(table_of(rest), state, {"sync_binlog"});
  (void)read_lock_holder(table_of(rest));
  if (is_mysql) {
    state.flavor = Flavor::mysql;
    if (!state.mysql_gtids) state.mysql_gtids.emplace();
  }
  return state;
}

const Topology& topology() {
  static const Topology it = read_topology(R"(
[topology]
name = "fuzz"
[admin]
user = "admin"
password = { env = "X" }
[replication]
user = "repl"
password = { env = "X" }
[server.primary]
address = "127.0.0.1:1"
variables = { sync_binlog = 1 }
[server.replica]
address = "127.0.0.1:2"
source = "primary"
)",
                                           "fuzz.toml")
                                 .value()
                                 .topology;
  return it;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = text_of(data, size);
  const bool is_mysql = rest.starts_with("mysql\n");
  if (is_mysql) (void)line_of(rest);
  Fleet fleet;
  for (const Server& server : topology().servers) fleet.servers[server.name] = state_of(rest, is_mysql);
  plan_everything(topology(), fleet);
  return 0;
}
