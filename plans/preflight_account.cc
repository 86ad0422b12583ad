#include "plans/preflight_account.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "plans/judge_parts.h"

namespace stemma {
namespace {

// In UTF-8 each character has one byte that does not go on with another.
std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xC0U) != 0x80; }));
}

std::size_t longest_user(const ServerState& state) {
  if (state.flavor == Flavor::mysql) return state.version >= Version{5, 7, 8} ? 32 : 16;
  return state.version >= Version{10, 6, 0} ? 128 : 80;
}

std::size_t longest_host(const ServerState& state) {
  const Version first = state.flavor == Flavor::mysql ? Version{8, 0, 17} : Version{10, 6, 0};
  return state.version >= first ? 255 : 60;
}

// MySQL 9.7 calls them characters and counts bytes; 5.6 takes a longer one, and keeps its beginning. MariaDB's limit is
// every file's: engine/secrets.
constexpr std::size_t kLongestChannelPassword = 32;

}  // namespace

void check_account_limits(const Scene& scene, const Server& server, const ServerState& state,
                          std::vector<Finding>& findings) {
  if (!scene.desired.replication || !scene.desired.replicates(server)) return;
  const std::string runs = fmt::format("{} {}", to_text(state.flavor), to_text(state.version));
  const auto too_long = [&](const char* code, const char* key, const std::string& what, std::size_t length,
                            std::size_t limit, const char* unit) {
    if (length <= limit) return;
    // How long it is, is nobody's business where it is a password.
    Finding found =
        finding(code, server.name, std::string("user.") + key, fmt::format("{} {} at most", limit, unit),
                "longer", fmt::format("{} is longer than the {} {} that {} takes", what, limit, unit, runs));
    found.hint = "declare a shorter one";
    found.place = place_of(scene.desired, server, key);
    findings.push_back(std::move(found));
  };
  const ReplicationAccount& account = *scene.desired.replication;
  too_long("user.missing", "user", "the name of the replication account", characters(account.user),
           longest_user(state), "characters");
  too_long("user.missing", "host", "the host of the replication account", characters(account.host),
           longest_host(state), "characters");
  if (!server.is_root() && state.flavor == Flavor::mysql && scene.secrets.replication)
    too_long("user.password", "password", "the replication password, in a channel,",
             scene.secrets.replication->reveal().size(), kLongestChannelPassword, "bytes");
}

void check_account_plugin(const Scene& scene, const Server& server, const ServerState& state,
                          std::vector<Finding>& findings) {
  if (!scene.desired.replication || !scene.desired.replication->plugin || !scene.desired.replicates(server))
    return;
  const std::string& plugin = *scene.desired.replication->plugin;
  if (state.login_plugins.empty() || state.login_plugins.contains(plugin)) return;
  std::string hint = fmt::format("declare one of these: {}", fmt::join(state.login_plugins, ", "));
  const bool native_dropped = plugin == "mysql_native_password" && state.flavor == Flavor::mysql;
  if (native_dropped && state.version >= Version{9, 0, 0})
    hint = "MySQL 9 has dropped it: declare plugin = \"caching_sha2_password\"";
  else if (native_dropped)
    hint =
        "declare plugin = \"caching_sha2_password\"; or start the server with mysql_native_password = ON in "
        "its option file";
  else if (plugin == "ed25519" && state.flavor == Flavor::mariadb)
    hint =
        "run INSTALL SONAME 'auth_ed25519' on it (Debian: package mariadb-server), or declare another plugin";
  Finding found = finding("user.plugin", server.name, "user.plugin", plugin, "not loaded",
                          fmt::format("has no authentication plugin {}", plugin));
  found.hint = std::move(hint);
  found.place = place_of(scene.desired, server, "plugin");
  findings.push_back(std::move(found));
}

}  // namespace stemma
