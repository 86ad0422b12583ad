#include "plans/privileges.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

namespace stemma {
namespace {

using Needs = std::vector<PrivilegeNeed>;

constexpr bool kApply = true;

Needs mysql_needs(const Version& version) {
  Needs needs = {
      {.name = "REPLICATION CLIENT", .why = "to read the coordinates and the channels"},
      {.name = "REPLICATION SLAVE", .grantable = false, .why = "to list the replicas that hang on a server"},
      {.name = "SHOW DATABASES", .why = "to tell an empty server from a full one"},
      {.name = "SELECT", .object = "mysql.*", .why = "to read the replication account"},
  };
  if (version >= Version{5, 7, 0})
    needs.push_back(
        {.name = "SELECT", .object = "performance_schema.*", .why = "to read channels and variables"});
  if (version < Version{8, 0, 0}) {
    needs.push_back({.name = "SUPER",
                     .to_apply = kApply,
                     .why = "to change channels and variables, and to keep out of the binlog"});
  } else {
    for (const char* name : {"REPLICATION_SLAVE_ADMIN", "SYSTEM_VARIABLES_ADMIN"})
      needs.push_back({.name = name, .to_apply = kApply, .why = "to change channels and variables"});
    needs.push_back(
        {.name = "CONNECTION_ADMIN", .to_apply = kApply, .why = "to make accounts on a read-only server"});
  }
  needs.push_back({.name = "CREATE USER", .to_apply = kApply, .why = "to make the replication account"});
  if (version < Version{5, 7, 0})
    needs.push_back(
        {.name = "UPDATE", .object = "mysql.*", .to_apply = kApply, .why = "to give it another password"});
  needs.push_back({.name = "REPLICATION SLAVE", .to_apply = kApply, .grantable = true, .why = "to grant it"});
  return needs;
}

Needs mariadb_needs() {
  return {
      {.name = "BINLOG MONITOR", .why = "to read the coordinates"},
      {.name = "SLAVE MONITOR", .why = "to read the channels"},
      {.name = "REPLICATION MASTER ADMIN", .why = "to list the replicas that hang on a server"},
      {.name = "SELECT", .object = "mysql.*", .why = "to read the replication account"},
      {.name = "SHOW DATABASES", .why = "to tell an empty server from a full one"},
      {.name = "REPLICATION SLAVE ADMIN", .to_apply = kApply, .why = "to change channels"},
      {.name = "READ_ONLY ADMIN",
       .to_apply = kApply,
       .why = "to set read_only, and to make accounts beside it"},
      {.name = "BINLOG ADMIN", .to_apply = kApply, .why = "to keep accounts out of the binlog"},
      {.name = "CREATE USER", .to_apply = kApply, .why = "to make the replication account"},
      {.name = "REPLICATION SLAVE", .to_apply = kApply, .grantable = true, .why = "to grant it"},
  };
}

// mysql.* of `mysql`.*
std::string plain(std::string_view object) {
  std::string text(object);
  std::erase(text, '`');
  std::erase(text, '\'');
  return text;
}

// What was granted, by object.
struct Held {
  std::set<std::string> everywhere, grantable_everywhere;
  std::map<std::string, std::set<std::string>> of_schema;  // "mysql.*"
  std::map<std::string, std::set<std::string>> grantable_of_schema;

  explicit Held(const std::vector<Grant>& grants) {
    for (const Grant& grant : grants) {
      if (grant.object == "*.*") {
        everywhere.insert(grant.privileges.begin(), grant.privileges.end());
        if (grant.grant_option) grantable_everywhere.insert(grant.privileges.begin(), grant.privileges.end());
      } else {
        const std::string object = plain(grant.object);
        of_schema[object].insert(grant.privileges.begin(), grant.privileges.end());
        if (grant.grant_option)
          grantable_of_schema[object].insert(grant.privileges.begin(), grant.privileges.end());
      }
    }
  }

  [[nodiscard]] bool has(const PrivilegeNeed& need, const ServerState& state) const {
    const std::string name(need.name);
    if (need.grantable) {
      if (grantable_everywhere.contains(name) || grantable_everywhere.contains("ALL PRIVILEGES")) return true;
      const auto schema = grantable_of_schema.find(plain(need.object));
      return schema != grantable_of_schema.end() &&
             (schema->second.contains(name) || schema->second.contains("ALL PRIVILEGES"));
    }
    if (everywhere.contains("ALL PRIVILEGES") || everywhere.contains(name)) return true;
    if (const auto schema = of_schema.find(std::string(need.object)); schema != of_schema.end())
      if (schema->second.contains(name) || schema->second.contains("ALL PRIVILEGES")) return true;
    // Who may read every schema sees it, too.
    if (name == "SHOW DATABASES") return everywhere.contains("SELECT") || everywhere.contains("EVENT");
    return everywhere.contains("SUPER") && super_implies(need, state);
  }

  static bool super_implies(const PrivilegeNeed& need, const ServerState& state) {
    static const std::set<std::string_view> not_split = {"CREATE USER", "SELECT", "UPDATE", "SHOW DATABASES",
                                                         "REPLICATION SLAVE"};
    if (not_split.contains(need.name)) return false;
    if (state.flavor == Flavor::mysql)
      return true;  // SUPER still does what was split from it, deprecated as it is
    // Before MariaDB 11.0 SUPER implies the privileges that were split from it, but READ_ONLY ADMIN on 10.11.
    return state.version < Version{11, 0, 0} &&
           (need.name != "READ_ONLY ADMIN" || state.version < Version{10, 11, 0});
  }
};

}  // namespace

std::vector<PrivilegeNeed> privileges_for(Flavor flavor, const Version& version) {
  return flavor == Flavor::mysql ? mysql_needs(version) : mariadb_needs();
}

std::vector<PrivilegeNeed> missing_privileges(const ServerState& state, bool to_apply) {
  const Held held(state.own_grants);
  std::vector<PrivilegeNeed> missing;
  for (const PrivilegeNeed& need : privileges_for(state.flavor, state.version)) {
    // It may stand on single tables, and where it is missing the server has said so when it was observed.
    if (need.name == "SELECT") continue;
    if ((to_apply || !need.to_apply) && !held.has(need, state)) missing.push_back(need);
  }
  return missing;
}

std::vector<PrivilegeNeed> missing_to_revoke(const ServerState& state, const AccountState& account) {
  const Held held(state.own_grants);
  std::vector<PrivilegeNeed> missing;
  for (const Grant& grant : account.grants) {
    if (grant.object.empty()) continue;  // a role
    for (const std::string& name : grant.privileges) {
      const PrivilegeNeed need{
          .name = name, .object = grant.object, .to_apply = kApply, .grantable = true, .why = "to revoke it"};
      const bool stays = name == "USAGE" || (grant.object == "*.*" && name == "REPLICATION SLAVE");
      if (!stays && !held.has(need, state)) missing.push_back(need);
    }
  }
  return missing;
}

std::vector<PrivilegeNeed> missing_to_set(const ServerState& state,
                                          const std::set<std::string_view>& variables) {
  const Held held(state.own_grants);
  auto missing = privileges_to_set(state.flavor, variables);
  std::erase_if(missing, [&](const PrivilegeNeed& need) { return held.has(need, state); });
  return missing;
}

std::string quoted_name(const std::string& name) {
  std::string text = "'";
  for (const char c : name) text += c == '\'' ? "''" : c == '\\' ? "\\\\" : std::string(1, c);
  return text + "'";
}

std::vector<std::string> grant_statements(const std::vector<PrivilegeNeed>& needs,
                                          const std::string& account) {
  std::vector<std::string> lines;
  // What is granted on with the right to grant it says the plain privilege, too.
  const auto granted_on = [&](std::string_view name) {
    return std::any_of(needs.begin(), needs.end(),
                       [&](const PrivilegeNeed& other) { return other.grantable && other.name == name; });
  };
  for (const std::string_view object : {"*.*", "mysql.*", "performance_schema.*"}) {
    std::vector<std::string_view> names;
    for (const PrivilegeNeed& need : needs)
      if (need.object == object && !need.grantable && !granted_on(need.name)) names.push_back(need.name);
    if (!names.empty())
      lines.push_back(fmt::format("GRANT {} ON {} TO {};", fmt::join(names, ", "), object, account));
  }
  for (const PrivilegeNeed& need : needs)
    if (need.grantable)
      lines.push_back(
          fmt::format("GRANT {} ON {} TO {} WITH GRANT OPTION;", need.name, need.object, account));
  return lines;
}

std::string privilege_hint(const std::string& user, const std::vector<PrivilegeNeed>& missing) {
  // Written into a replica's binlog it would be a transaction that its source lacks.
  return fmt::format("as an administrator of that server: SET SESSION sql_log_bin = 0; {}",
                     fmt::join(grant_statements(missing, quoted_name(user) + "@'…'"), " "));
}

}  // namespace stemma
