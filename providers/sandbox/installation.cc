#include "providers/sandbox/installation.h"

#include <unistd.h>

#include <fstream>
#include <iterator>

#include "providers/sandbox/server_options.h"

namespace stemma::sandbox {
namespace fs = std::filesystem;
namespace {

struct Script {
  const char* name;
  bool needed;
};
// In their order. MariaDB renamed its own in 11; the others came with 5.7, 10.0 and 10.6.
constexpr Script scripts[] = {
    {"system_tables.sql", true},
    {"performance_tables.sql", false},
    {"system_tables_data.sql", true},
    {"fill_help_tables.sql", false},
    {"maria_add_gis_sp_bootstrap.sql", false},
    {"sys_schema.sql", false},
};

Result<std::string> system_tables(const ServerBinary& binary, const std::string& os_user) {
  // One statement ends at each end of a line: several in one line are an error in MySQL 5.6.
  std::string sql = "CREATE DATABASE IF NOT EXISTS mysql;\nUSE mysql;\n";
  if (binary.flavor == Flavor::mariadb) sql += fmt::format("SET @auth_root_socket='{}';\n", os_user);
  for (const Script& script : scripts) {
    bool found = false;
    for (const char* prefix : {"mariadb_", "mysql_", ""}) {
      std::ifstream file(binary.share() / (prefix + std::string(script.name)), std::ios::binary);
      if (found || !file) continue;
      found = true;
      sql.append(std::istreambuf_iterator<char>(file), {});
      sql += '\n';
    }
    if (!found && script.needed)
      return tl::unexpected(
          Error{.trouble = Trouble::input,
                .message = fmt::format("the system tables of {} can't be made: there is no mysql_{} below {}",
                                       binary.path.string(), script.name, (binary.base() / "share").string()),
                .hint = "install the whole package of the server (Debian: mariadb-server-core)",
                .number = 0,
                .code = {}});
  }
  if (binary.flavor == Flavor::mysql)
    sql +=
        "DELETE FROM user WHERE user = '' OR host <> 'localhost';\n"
        "DELETE FROM proxies_priv WHERE host <> 'localhost';\n"
        "DELETE FROM db;\n";
  return sql;
}

}  // namespace

Result<Installation> installation(const ServerBinary& binary, const fs::path& data,
                                  const std::string& os_user) {
  Installation made{.command = binary.launch, .input = {}};
  const auto add = [&](const Options& options) {
    made.command.insert(made.command.end(), options.begin(), options.end());
  };
  add({"--no-defaults", "--datadir=" + data.string()});
  add(place_options(binary));
  add(file_options(binary));
  if (geteuid() == 0) add({"--user=root"});
  if (binary.flavor == Flavor::mysql && binary.release >= 507) {
    add({"--initialize-insecure"});
    return made;
  }
  auto sql = system_tables(binary, os_user);
  if (!sql) return tl::unexpected(sql.error());
  made.input = std::move(*sql);
  add({"--bootstrap", "--max-allowed-packet=8M", "--net-buffer-length=16K"});
  if (binary.flavor == Flavor::mariadb)
    add({"--log-warnings=0", "--enforce-storage-engine="});
  else
    add({"--default-storage-engine=MyISAM"});
  return made;
}

}  // namespace stemma::sandbox
