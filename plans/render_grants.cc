// The GRANTs that stemma's own account needs, as SQL that a person can run.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "plans/privileges.h"
#include "plans/render.h"

namespace stemma {
namespace {

// Versions between which the privileges differ, newest first.
struct Family {
  std::string_view name;
  Flavor flavor;
  Version version;
};
constexpr Family kFamilies[] = {
    {"MySQL 8.0 and later", Flavor::mysql, {8, 0, 0}},
    {"MySQL 5.7", Flavor::mysql, {5, 7, 0}},
    {"MySQL 5.6", Flavor::mysql, {5, 6, 0}},
    {"MariaDB 10.5 and later", Flavor::mariadb, {10, 5, 0}},
};

std::string quoted_schema(const std::string& name) {
  std::string text = "`";
  for (const char c : name) text += c == '`' ? "``" : std::string(1, c);
  return text + "`";
}

// Roots that share a replica have a canary schema each, by their server ids: a pattern, as GRANT takes it.
std::vector<std::string> canary_schemas(const Topology& topology) {
  std::vector<std::string> schemas = {quoted_schema(topology.verify.database)};
  const bool shared = std::any_of(topology.servers.begin(), topology.servers.end(),
                                  [&](const Server& server) { return topology.roots_of(server).size() > 1; });
  if (shared) schemas.push_back(quoted_schema(topology.verify.database + "\\_%"));
  return schemas;
}

// The variables that the file declares where this account logs in.
std::set<std::string_view> variables_set_by(const Topology& topology, const std::string& user) {
  std::set<std::string_view> variables;
  for (const Server& server : topology.servers)
    if (server.admin.user == user)
      for (const auto& [variable, value] : server.variables) variables.insert(variable);
  return variables;
}

void add_lines(std::string& text, const std::vector<PrivilegeNeed>& needs, const std::string& account) {
  for (const std::string& line : grant_statements(needs, account)) text += line + "\n";
}

}  // namespace

std::string grants_as_sql(const Topology& topology, GrantsFor purpose) {
  const std::vector<std::string> canaries = canary_schemas(topology);
  std::set<std::string> users;
  for (const Server& server : topology.servers) users.insert(server.admin.user);
  std::string text = fmt::format(
      "-- What stemma's own account needs for {}. Replace '%' by the host it comes from. As administrator, "
      "run the\n-- lines of each server's version on it, with SET sql_log_bin = 0 in front if it replicates "
      "or will.\n",
      topology.name);
  for (const Family& family : kFamilies) {
    for (const std::string& user : users) {
      const std::string account = quoted_name(user) + "@'%'";
      std::vector<PrivilegeNeed> needs = privileges_for(family.flavor, family.version);
      for (const PrivilegeNeed& need : privileges_to_set(family.flavor, variables_set_by(topology, user)))
        needs.push_back(need);
      if (purpose == GrantsFor::looking)
        std::erase_if(needs, [](const PrivilegeNeed& need) { return need.to_apply; });
      text +=
          fmt::format("\n-- {}: {}\n", family.name,
                      purpose == GrantsFor::looking ? "plan, drift, status" : "plan, drift, status, apply");
      add_lines(text, needs, account);
      if (purpose == GrantsFor::looking) continue;
      text += fmt::format("-- {}: verify, on the roots\n", family.name);
      for (const std::string& schema : canaries)
        text += fmt::format("GRANT CREATE, DROP, INSERT, DELETE, SELECT ON {}.* TO {};\n", schema, account);
      text += fmt::format("-- {}: verify, on the replicas\n", family.name);
      for (const std::string& schema : canaries)
        text += fmt::format("GRANT SELECT ON {}.* TO {};\n", schema, account);
      if (family.flavor == Flavor::mysql)
        text += fmt::format("-- {}: only for apply --allow reset-binlog\nGRANT RELOAD ON *.* TO {};\n",
                            family.name, account);
    }
  }
  return text;
}

}  // namespace stemma
