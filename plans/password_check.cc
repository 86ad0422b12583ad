#include "plans/password_check.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "plans/password_hash.h"

namespace stemma {
namespace {

std::optional<bool> matches_native(const Secret& password, std::string_view stored) {
  return native_password_hash(password) == stored;
}

struct Plugin {
  std::string_view plugin;
  std::optional<bool> (*matches)(const Secret&, std::string_view);
};
constexpr std::array kPlugins = {
    Plugin{"", matches_native},
    Plugin{"mysql_native_password", matches_native},
    Plugin{"caching_sha2_password", matches_caching_sha2},
    Plugin{"ed25519", matches_ed25519},
    Plugin{"parsec", matches_parsec},
};

}  // namespace

std::optional<bool> matches_stored(std::string_view plugin, const Secret& password, std::string_view stored) {
  const auto row =
      std::find_if(kPlugins.begin(), kPlugins.end(), [&](const Plugin& one) { return one.plugin == plugin; });
  return row == kPlugins.end() ? std::nullopt : row->matches(password, stored);
}

struct PasswordChecks::Known {
  std::mutex guard;
  std::map<std::tuple<std::string, std::string, std::string>, std::optional<bool>, std::less<>> answers;
};

PasswordChecks::PasswordChecks() : known_(std::make_shared<Known>()) {}

std::optional<bool> PasswordChecks::matches(std::string_view plugin, const Secret& password,
                                            std::string_view stored) const {
  const std::tuple key{std::string(plugin), password.reveal(), std::string(stored)};
  {
    const std::lock_guard lock(known_->guard);
    if (const auto found = known_->answers.find(key); found != known_->answers.end()) return found->second;
  }
  // Computed outside the lock: other servers' accounts need not wait for this one.
  const auto answer = matches_stored(plugin, password, stored);
  const std::lock_guard lock(known_->guard);
  known_->answers.emplace(key, answer);
  return answer;
}

}  // namespace stemma
