// The judgements behind judge(), one for each kind of fact. Internal to plans.
#pragma once

#include "plans/fact.h"

namespace stemma {

// What each judgement looks at: the server that the fact is about, as declared and as observed. Borrowed.
struct Look {
  const Scene& scene;
  const Server& server;
  const ServerState& state;
};

Judgement judge_part(const AccountIs&, const Look&);
Judgement judge_part(const ReadOnly&, const Look&);
Judgement judge_part(const VariableIs&, const Look&);
Judgement judge_part(const CoordinatesNoted&, const Look&);
Judgement judge_part(const PositionAdopted&, const Look&);
Judgement judge_part(const ReceiverOff&, const Look&);
Judgement judge_part(const Drained&, const Look&);
Judgement judge_part(const ChannelOff&, const Look&);
Judgement judge_part(const Follows&, const Look&);
Judgement judge_part(const ChannelOn&, const Look&);
Judgement judge_part(const Flowing&, const Look&);
Judgement judge_part(const SemiSync&, const Look&);
Judgement judge_part(const CaughtUp&, const Look&);

// Threads that are off or failed, for a channel that should run. Empty: nothing to complain about.
std::vector<Finding> thread_findings(const DeclaredLink&, const Channel&);

// Whether TLS is what this channel should have, given what its source offers, the replica's flavor, and whether it has a
// CA to verify with.
struct ChannelTls {
  bool on = false, verify = false;
};
ChannelTls channel_tls(const ChannelOptions&, const ServerState* source, Flavor, bool has_ca);

// The place of the key that asks for something: on the server, or in the section that it inherits from.
Place place_of(const Topology&, const Server&, const std::string& key);
// The same of a key of a channel.
Place place_of(const Topology&, const DeclaredLink&, const std::string& key);
// A finding about one channel, told as such: "channel.delay" of the channel 'b' is "channel b.delay".
Finding of_channel(Finding, const Link&);

}  // namespace stemma
