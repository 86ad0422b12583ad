// Judgements about a server itself: the replication account, read_only, variables.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "plans/judge_parts.h"
#include "plans/semi_sync.h"

namespace stemma {
namespace {

Judgement missing(Finding found, Place place) {
  found.place = place;
  return {Verdict::missing, {std::move(found)}};
}

Judgement judge_secret(const AccountState& account, const ReplicationAccount& declared, const Look& look) {
  const Topology& topology = look.scene.desired;
  const std::string observed_plugin = account.plugin.empty() ? "mysql_native_password" : account.plugin;
  if (declared.plugin && *declared.plugin != observed_plugin)
    return missing(finding("user.plugin", look.server.name, "user.plugin", *declared.plugin, observed_plugin,
                           fmt::format("the replication account uses {}, declared is {}", observed_plugin,
                                       *declared.plugin)),
                   place_of(topology, look.server, "plugin"));
  const auto unknown = [&](std::string why) {
    Finding found = finding("user.password", look.server.name, "user.password", "as declared", "unknown",
                            "the replication account's password was not checked: " + std::move(why));
    found.weight = Weight::info;
    found.place = place_of(topology, look.server, "password");
    return Judgement{Verdict::unknown, {std::move(found)}};
  };
  const auto another = [&] {
    return missing(finding("user.password", look.server.name, "user.password", "as declared", "another",
                           "the replication account has another password than the declared one"),
                   place_of(topology, look.server, "password"));
  };
  if (!look.scene.secrets.replication) return unknown("its secret is not at hand");
  const Secrets& secrets = look.scene.secrets;
  const auto matches = secrets.checks.matches(account.plugin, *secrets.replication, account.hash);
  if (!matches) return unknown(fmt::format("what {} stores can't be compared", observed_plugin));
  return *matches ? Judgement{} : another();
}

bool is_replication_only(const Grant& grant) {
  static const std::set<std::string> allowed = {"REPLICATION SLAVE", "USAGE"};
  return !grant.grant_option &&
         std::includes(allowed.begin(), allowed.end(), grant.privileges.begin(), grant.privileges.end());
}

std::string excess_of(const AccountState& account) {
  std::vector<std::string> parts;
  for (const Grant& grant : account.grants) {
    if (is_replication_only(grant)) continue;
    std::vector<std::string> privileges(grant.privileges.begin(), grant.privileges.end());
    std::erase_if(privileges, [&](const std::string& p) {
      return grant.object == "*.*" && (p == "REPLICATION SLAVE" || p == "USAGE");
    });
    if (grant.grant_option) privileges.emplace_back("GRANT OPTION");
    if (!privileges.empty())
      parts.push_back(grant.object.empty()
                          ? fmt::format("role {}", fmt::join(privileges, ", "))
                          : fmt::format("{} on {}", fmt::join(privileges, ", "), grant.object));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

bool may_replicate(const AccountState& account) {
  return std::any_of(account.grants.begin(), account.grants.end(), [](const Grant& grant) {
    return grant.object == "*.*" &&
           (grant.privileges.contains("REPLICATION SLAVE") || grant.privileges.contains("ALL PRIVILEGES"));
  });
}

}  // namespace

Place place_of(const Topology& topology, const Server& server, const std::string& key) {
  if (const auto own = server.places.find(key); own != server.places.end()) return own->second;
  for (const char* section : {"replication.", "topology."})
    if (const auto shared = topology.places.find(section + key); shared != topology.places.end())
      return shared->second;
  return server.place;
}

Place place_of(const Topology& topology, const DeclaredLink& link, const std::string& key) {
  const std::string own =
      link.channel.name.empty() ? key : fmt::format("channel.{}.{}", link.channel.name, key);
  if (const auto found = link.replica.places.find(own); found != link.replica.places.end())
    return found->second;
  for (const char* section : {"replication.", "topology."})
    if (const auto shared = topology.places.find(section + key); shared != topology.places.end())
      return shared->second;
  return link.channel.name.empty() ? link.replica.place : link.channel.place;
}

Finding of_channel(Finding found, const Link& link) {
  if (link.channel.empty()) return found;
  constexpr std::string_view word = "channel";
  const bool says_channel = found.attribute.starts_with(word);
  found.attribute = fmt::format("channel {}{}{}", link.channel, says_channel ? "" : ".",
                                says_channel ? found.attribute.substr(word.size()) : found.attribute);
  found.message = fmt::format("channel '{}': {}", link.channel, found.message);
  return found;
}

Judgement judge_part(const AccountIs& fact, const Look& look) {
  const ReplicationAccount& declared = *look.scene.desired.replication;
  const auto name = [&] { return to_text(AccountName{declared.user, declared.host}); };
  const auto place = [&] { return place_of(look.scene.desired, look.server, "user"); };
  const auto& account = look.state.replication_account;
  if (!account) {
    // One cause, one finding: an account that is not there has no password or grants to complain about.
    if (fact.aspect != AccountAspect::exists) return {Verdict::missing, {}};
    return missing(finding("user.missing", look.server.name, "user", name(), "none",
                           fmt::format("the replication account {} does not exist", name())),
                   place());
  }
  switch (fact.aspect) {
    case AccountAspect::exists: return {};
    case AccountAspect::secret: return judge_secret(*account, declared, look);
    case AccountAspect::granted:
      if (may_replicate(*account)) return {};
      return missing(
          finding("user.grants-missing", look.server.name, "user.grants", "REPLICATION SLAVE on *.*",
                  "not granted", fmt::format("{} lacks REPLICATION SLAVE", name())),
          place());
    case AccountAspect::nothing_more: break;
  }
  const std::string excess = excess_of(*account);
  if (excess.empty()) return {};
  return missing(finding("user.grants-excess", look.server.name, "user.grants", "REPLICATION SLAVE on *.*",
                         excess, fmt::format("{} may do more than replicate: {}", name(), excess)),
                 place());
}

Judgement judge_part(const ReadOnly& fact, const Look& look) {
  const bool wants_super = fact.on && wants_super_read_only(look.server);
  const bool super_as_wanted =
      !look.state.super_read_only || *look.state.super_read_only == wants_super || !fact.on;
  if (look.state.read_only == fact.on && super_as_wanted) return {};
  const auto place = place_of(look.scene.desired, look.server, "read_only");
  const std::string wanted = fact.on ? "ON" : "OFF", seen = look.state.read_only ? "ON" : "OFF";
  if (fact.on && look.state.read_only) {
    const std::string super_wanted = wants_super ? "ON" : "OFF", super_seen = wants_super ? "OFF" : "ON";
    const auto super_place = place_of(look.scene.desired, look.server, "super_read_only");
    if (wants_super && !look.server.is_root())
      return missing(finding("replica.writable", look.server.name, "super_read_only", super_wanted,
                             super_seen, "accepts the writes of privileged accounts"),
                     super_place);
    return missing(finding("variable.differs", look.server.name, "super_read_only", super_wanted, super_seen,
                           fmt::format("super_read_only is {}, declared is {}", super_seen, super_wanted)),
                   super_place);
  }
  if (fact.on && !look.server.is_root())
    return missing(finding("replica.writable", look.server.name, "read_only", wanted, seen, "accepts writes"),
                   place);
  if (!fact.on && look.server.is_root())
    return missing(
        finding("source.read-only", look.server.name, "read_only", wanted, seen, "takes no writes"), place);
  return missing(finding("variable.differs", look.server.name, "read_only", wanted, seen,
                         fmt::format("read_only is {}, declared is {}", seen, wanted)),
                 place);
}

Judgement judge_part(const VariableIs& fact, const Look& look) {
  const std::string& declared = look.server.variables.at(fact.name);
  const auto place = place_of(look.scene.desired, look.server, "variables." + fact.name);
  const auto seen = look.state.variables.find(fact.name);
  if (seen == look.state.variables.end()) {
    Finding found = finding("variable.differs", look.server.name, "variables." + fact.name, declared,
                            "no such variable", fmt::format("this server knows no variable {}", fact.name));
    found.hint = semi_sync_hint(fact.name, look.state);
    return missing(std::move(found), place);
  }
  if (same_value(declared, seen->second.value)) return {};
  return missing(
      finding("variable.differs", look.server.name, "variables." + fact.name, declared, seen->second.value,
              fmt::format("{} is {}, declared is {}", fact.name, seen->second.value, declared)),
      place);
}

}  // namespace stemma
