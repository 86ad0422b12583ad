#include "plans/semi_sync.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "plans/fact.h"

namespace stemma {
namespace {

bool is_on(const Server& server, const std::string& variable) {
  return same_value(server.variables.at(variable), "ON");
}

}  // namespace

std::optional<SemiSyncEnd> semi_sync_end(std::string_view variable) {
  std::string lower(variable);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  if (lower == "rpl_semi_sync_master_enabled" || lower == "rpl_semi_sync_source_enabled")
    return SemiSyncEnd::source;
  if (lower == "rpl_semi_sync_slave_enabled" || lower == "rpl_semi_sync_replica_enabled")
    return SemiSyncEnd::replica;
  return std::nullopt;
}

const std::string* semi_sync_variable(const Server& server, SemiSyncEnd end) {
  for (const auto& [name, value] : server.variables)
    if (semi_sync_end(name) == end) return &name;
  return nullptr;
}

std::optional<bool> wants_semi_sync(const Topology& topology, const DeclaredLink& link) {
  const Server* source = topology.find(link.source());
  const std::string* here = semi_sync_variable(link.replica, SemiSyncEnd::replica);
  if (source == nullptr || here == nullptr) return std::nullopt;
  // A receiver that is not to ask for it never does; one that is to needs a source that knows what it is.
  if (!is_on(link.replica, *here)) return false;
  if (semi_sync_variable(*source, SemiSyncEnd::source) == nullptr) return std::nullopt;
  return true;
}

std::string semi_sync_hint(std::string_view variable, const ServerState& state) {
  const auto end = semi_sync_end(variable);
  if (!end) return {};
  const bool at_source = *end == SemiSyncEnd::source;
  if (state.flavor == Flavor::mariadb)
    return fmt::format("MariaDB calls it rpl_semi_sync_{}_enabled", at_source ? "master" : "slave");
  // MySQL 8.0.26 has plugins under the new names beside the old; 8.4 has only the new.
  const bool renamed = state.version >= Version{8, 0, 26};
  const char* word = at_source ? (renamed ? "source" : "master") : (renamed ? "replica" : "slave");
  return fmt::format(
      "its plugin brings it: INSTALL PLUGIN rpl_semi_sync_{0} SONAME 'semisync_{0}.so'{1}; it is called "
      "rpl_semi_sync_{0}_enabled then",
      word, state.super_read_only.value_or(false) ? " (with super_read_only off for that moment)" : "");
}

}  // namespace stemma
