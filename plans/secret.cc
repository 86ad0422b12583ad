#include "plans/secret.h"

#include <fmt/format.h>

namespace stemma {
namespace {

struct Describe {
  std::string operator()(const FromLiteral&) const { return "a literal"; }
  std::string operator()(const FromEnv& from) const { return "env " + from.variable; }
  std::string operator()(const FromFile& from) const { return "file " + from.path; }
  // Only the program: its arguments may well hold a token.
  std::string operator()(const FromCommand& from) const {
    return "command " + (from.argv.empty() ? std::string() : from.argv.front());
  }
};

}  // namespace

std::string describe(const SecretRef& secret) { return std::visit(Describe{}, secret); }

}  // namespace stemma
