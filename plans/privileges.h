// What stemma's own account must be allowed on a server, by version and by what it is to do. The one table behind the
// refusal `server.privilege-missing`, its hint, and `stemma grants`.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "plans/observed.h"

namespace stemma {

struct PrivilegeNeed {
  std::string_view name;            // "REPLICATION SLAVE"
  std::string_view object = "*.*";  // "*.*", "mysql.*", "performance_schema.*"
  bool to_apply = false;            // not needed to look
  bool grantable = false;           // WITH GRANT OPTION
  std::string_view why;             // "to read SHOW REPLICA STATUS"
};

// In the order in which a person grants them.
std::vector<PrivilegeNeed> privileges_for(Flavor, const Version&);

// How stemma's own account must be extended on this server for the given kinds of work; empty: it may do all.
std::vector<PrivilegeNeed> missing_privileges(const ServerState&, bool to_apply);

// What it lacks to take from the replication account all but what replication needs: only who may grant a privilege may
// revoke it. The names are those of the account's grants.
std::vector<PrivilegeNeed> missing_to_revoke(const ServerState&, const AccountState&);

// What SET GLOBAL of this variable (lower case) takes beyond what privileges_for() names; nullopt: nothing.
std::optional<PrivilegeNeed> privilege_to_set(Flavor, std::string_view variable);
// The same for several, each privilege once.
std::vector<PrivilegeNeed> privileges_to_set(Flavor, const std::set<std::string_view>& variables);

// What it lacks to set these.
std::vector<PrivilegeNeed> missing_to_set(const ServerState&, const std::set<std::string_view>& variables);

// "'o''brien'": a user's name as SQL has it, backslashes doubled, too.
std::string quoted_name(const std::string&);

// "GRANT REPLICATION CLIENT, RELOAD ON *.* TO 'user'@'…';" one line for each object.
std::vector<std::string> grant_statements(const std::vector<PrivilegeNeed>&, const std::string& account);

// "as an administrator of that server: SET SESSION sql_log_bin = 0; GRANT … ON *.* TO 'user'@'…';" for what missing_privileges() named.
std::string privilege_hint(const std::string& user, const std::vector<PrivilegeNeed>& missing);

}  // namespace stemma
