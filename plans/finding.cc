#include "plans/finding.h"

#include <fmt/format.h>

#include <algorithm>

namespace stemma {

std::string_view to_text(Weight weight) {
  switch (weight) {
    case Weight::error: return "error";
    case Weight::warning: return "warning";
    case Weight::info: break;
  }
  return "info";
}

const std::vector<CodeInfo>& finding_codes() {
  using enum Weight;
  static const std::vector<CodeInfo> codes = {
      {"server.unreachable", error, "no answer: the verdict is incomplete"},
      {"server.login-refused", error, "the login was refused: the verdict is incomplete"},
      {"server.id-duplicate", error, "two servers have the same server_id"},
      {"server.id-differs", error, "server_id is not as declared"},
      {"server.uuid-duplicate", error, "two servers have the same server_uuid"},
      {"server.binlog-off", error, "has no binlog, so it can't be a source"},
      {"server.log-updates-off", error, "does not log what it replicates, so it can't stand in the middle"},
      {"server.version-order", warning, "the replica is older than its source"},
      {"server.privilege-missing", error, "stemma's own account lacks a privilege"},
      {"server.managed-elsewhere", error, "Group Replication, Galera or automatic failover is in charge"},
      {"source.read-only", error, "a root that can't take writes"},
      {"source.has-channel", error, "a declared root that replicates from somebody"},
      {"source.schema-shared", warning, "two sources of one replica have a schema of the same name"},
      {"source.unmanaged-replica", warning, "a replica hangs on it that the file doesn't know"},
      {"replica.not-configured", error, "has no replication channel"},
      {"replica.wrong-source", error, "follows another server than the declared one"},
      {"replica.writable", error, "a replica that accepts writes"},
      {"replica.receiver-stopped", error, "the receiver thread is off"},
      {"replica.applier-stopped", error, "the applier thread is off"},
      {"replica.receiver-error", error, "the receiver thread failed"},
      {"replica.applier-error", error, "the applier thread failed"},
      {"replica.lag", error, "behind by more than limits.lag"},
      {"replica.delay-differs", error, "the declared delay is not the channel's"},
      {"replica.data-missing", error, "its source's data are not there"},
      {"replica.errant-transactions", error, "has data or transactions that its source lacks"},
      {"replica.binlog-gone", error, "what it needs is purged at the source"},
      {"replica.diverged", error, "lacks data of its source and has data of its own"},
      {"replica.position-unknown", error, "no point to go on from"},
      {"replica.semi-sync-differs", error, "its receiver has not taken up the declared semi-sync"},
      {"channel.option-differs", error, "an option of the channel is not as declared"},
      {"channel.option-unsupported", error, "the server can't have a declared option of the channel"},
      {"channel.tls-off", error, "the channel is not encrypted"},
      {"channel.auto-position-off", error, "the channel does not use the declared coordinates"},
      {"channel.unsupported", error, "the server's version knows no named channels"},
      {"channel.unmanaged", warning, "a channel that the file doesn't know"},
      {"user.missing", error, "the replication account does not exist"},
      {"user.plugin", error, "the replication account has another authentication plugin"},
      {"user.password", error, "the replication account has another password"},
      {"user.grants-missing", error, "the replication account lacks REPLICATION SLAVE"},
      {"user.grants-excess", error, "the replication account may do more than replicate"},
      {"variable.differs", error, "a declared variable has another value"},
      {"variable.not-persisted", warning, "a restart would undo the running value"},
      {"gtid.mode-differs", error, "GTID coordinates are declared where GTIDs are off"},
      {"gtid.domain-shared", error, "two sources of one replica write GTIDs of one domain"},
  };
  return codes;
}

Finding finding(std::string_view code, const ServerName& server, std::string attribute, std::string desired,
                std::string observed, std::string message) {
  const auto& codes = finding_codes();
  const auto row =
      std::find_if(codes.begin(), codes.end(), [&](const CodeInfo& c) { return c.code == code; });
  Finding made;
  made.code = code;
  made.weight = row == codes.end() ? Weight::error : row->weight;
  made.server = server;
  made.attribute = std::move(attribute);
  made.desired = std::move(desired);
  made.observed = std::move(observed);
  made.message = std::move(message);
  return made;
}

std::vector<Finding> mark_ignored(std::vector<Finding>& findings, const Topology& topology,
                                  const std::string& today) {
  std::vector<Finding> complaints;
  for (const Ignore& ignore : topology.ignores) {
    const std::string what =
        ignore.server ? fmt::format("{} on {}", ignore.code, ignore.server->text) : ignore.code;
    const auto complain = [&](std::string message) {
      Finding complaint;
      complaint.code = ignore.code;
      complaint.weight = Weight::warning;
      if (ignore.server) complaint.server = *ignore.server;
      complaint.attribute = "ignore";
      complaint.message = std::move(message);
      complaint.place = ignore.place;
      complaints.push_back(std::move(complaint));
    };
    // Dates of this form compare as texts.
    if (!ignore.until.empty() && ignore.until < today) {
      complain(fmt::format("the [[ignore]] of {} ended on {} and no longer counts", what, ignore.until));
      continue;
    }
    bool used = false;
    for (Finding& found : findings) {
      if (found.code != ignore.code || (ignore.server && *ignore.server != found.server)) continue;
      found.ignored = true;
      used = true;
    }
    if (!used) complain(fmt::format("the [[ignore]] of {} covers nothing; take it out", what));
  }
  return complaints;
}

}  // namespace stemma
