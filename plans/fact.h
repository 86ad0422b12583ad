// A Fact is something that is either true of a fleet or not. A topology is read as facts wanted; drift is
// facts missing; a step ensures facts and needs others; checking a step is judging its facts again. One
// vocabulary for all of them, so that plan, check and message cannot disagree.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "plans/failed_applier.h"
#include "plans/finding.h"
#include "plans/observed.h"
#include "plans/password_check.h"
#include "plans/topology.h"

namespace stemma {

// What the values in a plan and its checks may depend on beside the file and the servers: secrets.
struct Secrets {
  std::map<ServerName, Secret> admin;
  std::optional<Secret> replication;  // none: could not be resolved; the password can't be judged
  PasswordChecks checks;              // what is known about them already
  std::string base;                   // of the topology file: where relative paths of stemma's own TLS begin
};

enum class AccountAspect { exists, secret, granted, nothing_more };

// The replication account exists / has the declared plugin and password / may replicate / may do no more.
struct AccountIs {
  ServerName server;
  AccountAspect aspect;
  bool operator==(const AccountIs&) const = default;
};
struct ReadOnly {
  ServerName server;
  bool on;
  bool operator==(const ReadOnly&) const = default;
};
struct VariableIs {
  ServerName server;
  std::string name;
  bool operator==(const VariableIs&) const = default;
};

// The binlog coordinates of `source` are noted, and proven to be those of an empty server (or, with
// `at`, of a server that has not moved).
struct CoordinatesNoted {
  ServerName source;
  std::optional<Coordinates> at;
  bool operator==(const CoordinatesNoted&) const = default;
};
// gtid_slave_pos (MySQL: gtid_executed) of a fresh replica is what was noted at its source (or `at`).
struct PositionAdopted {
  ServerName replica;
  bool operator==(const PositionAdopted&) const = default;
};

// Facts about a channel may have to come true twice in one plan: a replica that is re-pointed by GTID and
// brought back to file and position is configured, started and stopped in two rounds.
struct ReceiverOff {
  Link link;
  int round = 1;
  bool operator==(const ReceiverOff&) const = default;
};
struct Drained {
  Link link;
  int round = 1;
  bool operator==(const Drained&) const = default;
};
struct ChannelOff {
  Link link;
  int round = 1;
  bool operator==(const ChannelOff&) const = default;
};
// The channel's options are as declared, and it uses GTIDs (or file and position).
struct Follows {
  Link link;
  ServerName source;
  bool by_gtid;
  bool operator==(const Follows&) const = default;
};
struct ChannelOn {
  Link link;
  int round = 1;
  bool operator==(const ChannelOn&) const = default;
};
// Data can flow: both threads on, past the handshake, no error, and the receiver has reached what the
// source had when START returned.
struct Flowing {
  Link link;
  ServerName source;
  int round = 1;
  bool operator==(const Flowing&) const = default;
};
// The receiver, where it is connected, has made the declared choice of semi-synchronous replication.
struct SemiSync {
  Link link;
  bool on;
  bool operator==(const SemiSync&) const = default;
};
// The replica has executed what its source had when it was observed.
struct CaughtUp {
  Link link;
  ServerName source;
  bool operator==(const CaughtUp&) const = default;
};

using Fact = std::variant<AccountIs, ReadOnly, VariableIs, CoordinatesNoted, PositionAdopted, ReceiverOff,
                          Drained, ChannelOff, Follows, ChannelOn, Flowing, SemiSync, CaughtUp>;

// "replica-1 is read-only": for plans, journals and messages.
std::string describe(const Fact&);
// The server whose state it is.
const ServerName& subject(const Fact&);
// The channel that it is about, nullptr where it is about none. Borrowed.
const Link* link_of(const Fact&);

// Where a source stood at a moment.
struct Moment {
  Coordinates coordinates;
  GtidPoint gtid;
  bool operator==(const Moment&) const = default;
};

// By its newest reading of its coordinates.
Moment moment_of(const ServerState&);

// What became known while applying. Empty while planning.
struct Outputs {
  std::map<ServerName, Moment> noted;  // by source: capture-coordinates
  // By source, CaughtUp's goal: as the apply first observed it, or later, when it had itself caught up.
  std::map<ServerName, Moment> sources;
  std::map<Link, Moment> after_start;    // its source, read when START had returned
  std::map<Link, FailedApplier> failed;  // as the apply first observed it
};

// Everything a judgement may look at. Borrowed for the call. While a step is checked it holds only the fact's server, its
// sources and their outputs (engine/board): a judgement that looks at any other server is `unknown` there.
struct Scene {
  const Topology& desired;
  const Fleet& observed;
  const Secrets& secrets;
  const Outputs& outputs;
};

enum class Verdict { holds, missing, unknown };  // unknown: a server is silent, or nothing can tell

struct Judgement {
  Verdict verdict = Verdict::holds;
  std::vector<Finding> findings;  // why it does not hold, or why nothing can tell (weight info)
};
Judgement judge(const Fact&, const Scene&);

// Whether the channel follows the server `source` really is: by the source's server_uuid or server id once the
// receiver is connected, by host and port as long as it is not.
bool follows_server(const Channel&, const Server& source, const ServerState* source_state);

// By the file's word, the mode of its running channel, and what both servers can: whether it is to use
// GTIDs.
bool wants_gtid(const Topology&, const Fleet&, const DeclaredLink&);

// Whether super_read_only belongs to this server's fence, where the server has the variable.
bool wants_super_read_only(const Server&);

// The declared value and the server's are the same, however each spells it: ON and 1, "a, b" and "a,b".
bool same_value(std::string_view declared, std::string_view observed);

}  // namespace stemma
