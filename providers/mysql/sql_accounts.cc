// The replication account, in every version's words.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "providers/mysql/sql.h"
#include "providers/mysql/sql_parts.h"

namespace stemma::mysql {
namespace {

std::string identified(const Dialect& dialect, const ReplicationAccount& account,
                       const std::string& password) {
  // `IDENTIFIED BY` is the one form that leaves the plugin to the server. On MySQL 5.6 that is
  // mysql_native_password; another plugin there is refused before it comes to this.
  if (!account.plugin || dialect.accounts == AccountSyntax::by_hash)
    return fmt::format("IDENTIFIED BY {}", password);
  if (dialect.accounts == AccountSyntax::with_by)
    return fmt::format("IDENTIFIED WITH {} BY {}", quoted(*account.plugin), password);
  return fmt::format("IDENTIFIED VIA {} USING PASSWORD({})", *account.plugin, password);
}

}  // namespace

std::string account_name(const ReplicationAccount& account) {
  return fmt::format("{}@{}", quoted(account.user), quoted(account.host));
}

std::vector<std::string> grant_replication(const ReplicationAccount& account) {
  return {fmt::format("GRANT REPLICATION SLAVE ON *.* TO {}", account_name(account))};
}

std::vector<std::string> create_account(const Dialect& dialect, const ReplicationAccount& account,
                                        const std::string& password) {
  return {fmt::format("CREATE USER {} {}", account_name(account), identified(dialect, account, password)),
          grant_replication(account).front()};
}

std::vector<std::string> create_or_alter_account(const Dialect& dialect, const ReplicationAccount& account,
                                                 const std::string& password) {
  const std::string name = account_name(account);
  // MySQL 5.6 knows no IF NOT EXISTS; its GRANT makes the account, or gives it the password.
  if (dialect.accounts == AccountSyntax::by_hash)
    return {fmt::format("GRANT REPLICATION SLAVE ON *.* TO {} IDENTIFIED BY {}", name, password)};
  const std::string how = identified(dialect, account, password);
  return {fmt::format("CREATE USER IF NOT EXISTS {} {}", name, how),
          fmt::format("ALTER USER {} {}", name, how), grant_replication(account).front()};
}

std::vector<std::string> alter_account(const Dialect& dialect, const ReplicationAccount& account,
                                       const std::string& password) {
  const std::string name = account_name(account);
  if (dialect.accounts == AccountSyntax::by_hash)
    return {fmt::format("SET PASSWORD FOR {} = PASSWORD({})", name, password)};
  return {fmt::format("ALTER USER {} {}", name, identified(dialect, account, password))};
}

std::vector<std::string> revocations(const AccountState& state, const ReplicationAccount& account) {
  const std::string name = account_name(account);
  std::vector<std::string> work;
  for (const Grant& grant : state.grants) {
    if (grant.object.empty()) {
      for (const std::string& role : grant.privileges)
        work.push_back(fmt::format("REVOKE {} FROM {}", role, name));
      continue;
    }
    std::vector<std::string> excess;
    for (const std::string& privilege : grant.privileges)
      if (privilege != "USAGE" && !(grant.object == "*.*" && privilege == "REPLICATION SLAVE"))
        excess.push_back(privilege);
    if (!excess.empty())
      work.push_back(fmt::format("REVOKE {} ON {} FROM {}", fmt::join(excess, ", "), grant.object, name));
    if (grant.grant_option)
      work.push_back(fmt::format("REVOKE GRANT OPTION ON {} FROM {}", grant.object, name));
    if (grant.object == "*.*" && grant.privileges.contains("ALL PRIVILEGES"))
      work.push_back(grant_replication(account).front());
  }
  return work;
}

std::vector<std::string> outside_binlog(std::vector<std::string> work) {
  work.insert(work.begin(), "SET SESSION sql_log_bin = 0");
  work.emplace_back("SET SESSION sql_log_bin = 1");
  return work;
}

std::vector<std::string> beside_super_read_only(std::vector<std::string> work,
                                                std::chrono::seconds lock_wait) {
  work.insert(work.begin(), {limit_lock_wait(lock_wait), "SET GLOBAL super_read_only = OFF"});
  work.emplace_back("SET GLOBAL super_read_only = ON");
  return work;
}

std::string limit_lock_wait(std::chrono::seconds lock_wait) {
  return fmt::format("SET SESSION lock_wait_timeout = {}", std::max<std::int64_t>(1, lock_wait.count()));
}

}  // namespace stemma::mysql
