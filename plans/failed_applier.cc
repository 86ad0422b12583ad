#include "plans/failed_applier.h"

#include <optional>
#include <string_view>

namespace stemma {
namespace {

// The transaction at which a worker of MySQL failed: "Worker 1 failed executing transaction 'UUID:7' at source log …".
// Without GTIDs it is 'ANONYMOUS', and without workers the message names none.
std::optional<GtidSet> transaction_in(std::string_view message) {
  constexpr std::string_view before = "failed executing transaction '";
  const auto at = message.find(before);
  if (at == message.npos) return std::nullopt;
  message.remove_prefix(at + before.size());
  auto set = GtidSet::parse(message.substr(0, message.find('\'')));
  if (!set || set->empty()) return std::nullopt;
  return set;
}

}  // namespace

bool is_past(const FailedApplier& failed, const Channel& now, const ServerState& state) {
  const Channel& then = failed.channel;
  if (now.host != then.host || now.port != then.port) return true;
  if (state.mysql_gtids && state.has_gtids()) {
    const GtidSet& executed = state.mysql_gtids->executed;
    // Beside the failed worker others may have gone on: only this one tells.
    if (const auto named = transaction_in(then.applier_error)) return executed.contains(*named);
    if (!now.retrieved.empty() && executed.contains(now.retrieved)) return true;
  }
  if (now.has_applied_all()) return true;
  // What was damaged is gone; what came anew may not be due yet.
  if (then.relay_log_unreadable() && then.fetches_anew() && now.delay != 0) return true;
  // MariaDB fetches everything anew by GTID, and its coordinates move before anything is executed.
  if (state.flavor == Flavor::mariadb && now.gtid != ChannelGtid::no)
    return state.executed() != failed.executed;
  return now.executed != then.executed;
}

}  // namespace stemma
