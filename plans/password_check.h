// Whether an account has a declared password, told from what its server stored: no login, which might count
// against the account, and no change.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "plans/secret.h"

namespace stemma {

// Whether `plugin` stored this for that password; nullopt: what this plugin stores can't be compared, or it has
// an unknown form. The plugin "" is mysql_native_password, as old accounts have it.
std::optional<bool> matches_stored(std::string_view plugin, const Secret& password, std::string_view stored);

// The same, each question computed once: caching_sha2_password takes milliseconds for one, and every judgement of
// an apply asks. Any thread may ask; copies share what is known.
class PasswordChecks {
 public:
  PasswordChecks();
  [[nodiscard]] std::optional<bool> matches(std::string_view plugin, const Secret& password,
                                            std::string_view stored) const;

 private:
  struct Known;
  std::shared_ptr<Known> known_;
};

}  // namespace stemma
