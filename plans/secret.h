// Passwords: where they come from, and a type that does not let them slip into output.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace stemma {

// A secret's value. It has no formatter and no stream operator on purpose: the only way to the text
// is reveal(), so that every place which handles it in the clear can be found by name.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] const std::string& reveal() const { return text_; }
  bool operator==(const Secret&) const = default;

 private:
  std::string text_;
};

// How a topology file names a secret. Only engine/secrets resolves it; `plans` never looks.
struct FromLiteral {
  Secret value;
  bool operator==(const FromLiteral&) const = default;
};
struct FromEnv {
  std::string variable;
  bool operator==(const FromEnv&) const = default;
};
struct FromFile {
  std::string path;  // as written; relative paths count from the topology file's directory
  bool operator==(const FromFile&) const = default;
};
struct FromCommand {
  std::vector<std::string> argv;  // run without a shell; its standard output is the secret
  bool operator==(const FromCommand&) const = default;
};
using SecretRef = std::variant<FromLiteral, FromEnv, FromFile, FromCommand>;

// The same reference for people: "env MYSQL_ROOT_PASSWORD", never a value.
std::string describe(const SecretRef&);

}  // namespace stemma
