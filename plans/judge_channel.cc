// Judgements about channels: what a replica follows, with which options, and whether data flow.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "plans/channel_options.h"
#include "plans/failed_applier.h"
#include "plans/judge_parts.h"
#include "plans/semi_sync.h"
#include "plans/thread_hints.h"

namespace stemma {
namespace {

std::string on_off(bool on) { return on ? "on" : "off"; }

std::string joined(const std::vector<std::uint32_t>& ids) { return fmt::format("{}", fmt::join(ids, ",")); }

std::string compact(std::string_view text) {
  std::string result;
  std::copy_if(text.begin(), text.end(), std::back_inserter(result), [](char c) { return c != ' '; });
  return result;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto comma = text.find(',');
    if (auto part = compact(text.substr(0, comma)); !part.empty()) parts.push_back(std::move(part));
    if (comma == text.npos) break;
    text.remove_prefix(comma + 1);
  }
  return parts;
}

// Servers print filters in an order of their own, and double what was said twice.
std::string in_order(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return fmt::format("{}", fmt::join(names, ","));
}

// What a judgement about one channel looks at.
struct ChannelLook {
  const Scene& scene;
  DeclaredLink link;
  const ServerState& state;
  const Channel* channel;  // none: the server has no channel of that name

  [[nodiscard]] const ServerName& replica() const { return link.replica.name; }
};

// nullopt: the file declares no such channel.
std::optional<ChannelLook> look_at(const Link& link, const Look& look) {
  const DeclaredChannel* declared = look.server.channel(link.channel);
  if (declared == nullptr) return std::nullopt;
  return ChannelLook{look.scene, {look.server, *declared}, look.state, look.state.channel(link.channel)};
}

// Collects the options of one channel that are not as declared.
class OptionCheck {
 public:
  OptionCheck(const ChannelLook& look, std::vector<Finding>& into) : look_(look), into_(into) {}

  void differs(std::string_view code, const std::string& option, const std::string& desired,
               const std::string& observed) {
    Finding found =
        finding(code, look_.replica(), "channel." + option, desired, observed,
                fmt::format("the channel's {} is {}, declared is {}", option,
                            observed.empty() ? "empty" : observed, desired.empty() ? "empty" : desired));
    found.place = place_of(look_.scene.desired, look_.link, option);
    into_.push_back(std::move(found));
  }
  void option(const std::string& name, const std::string& desired, const std::string& observed) {
    if (desired != observed) differs("channel.option-differs", name, desired, observed);
  }

 private:
  const ChannelLook& look_;
  std::vector<Finding>& into_;
};

void check_tls(const ChannelLook& look, const ServerState* source, OptionCheck& check,
               std::vector<Finding>& findings) {
  const ChannelOptions& declared = look.link.channel.options;
  const Channel& channel = *look.channel;
  if (!declared.tls) {
    // Not declared: kept as it is, but a source that offers TLS and is not asked for it is worth a word.
    if (source != nullptr && source->offers_tls && !channel.tls) {
      Finding found = finding("channel.tls-off", look.replica(), "channel.tls", "not declared", "off",
                              "the channel is not encrypted although its source offers TLS");
      found.weight = Weight::warning;
      findings.push_back(std::move(found));
    }
    return;
  }
  // "preferred" depends on what the source offers; a silent one can't be asked.
  if (*declared.tls == TlsMode::preferred && source == nullptr) return;
  const bool has_ca = !declared.ca.value_or(channel.ca).empty();
  const ChannelTls wanted = channel_tls(declared, source, look.state.flavor, has_ca);
  if (wanted.on && !channel.tls)
    check.differs("channel.tls-off", "tls", "on", "off");
  else
    check.option("tls", on_off(wanted.on), on_off(channel.tls));
  if (wanted.on) check.option("verify", on_off(wanted.verify), on_off(channel.verify));
}

void check_options(const ChannelLook& look, const ServerState* source, std::vector<Finding>& findings) {
  OptionCheck check(look, findings);
  ChannelOptions declared = look.link.channel.options;
  take_unknown(declared, look.state.flavor, look.state.version);  // preflight() complains of those
  const Channel& channel = *look.channel;
  const Server& from = *look.scene.desired.find(look.link.source());
  check.option("host", from.advertise.host, channel.host);
  check.option("port", std::to_string(from.advertise.port), std::to_string(channel.port));
  check.option("user", look.scene.desired.replication->user, channel.user);
  if (declared.connect_retry)
    check.option("connect_retry", fmt::format("{}s", declared.connect_retry->count()),
                 fmt::format("{}s", channel.connect_retry));
  if (declared.retry_count && channel.retry_count)
    check.option("retry_count", std::to_string(*declared.retry_count), std::to_string(*channel.retry_count));
  if (declared.heartbeat)
    check.option("heartbeat", fmt::format("{:.3f}s", static_cast<double>(declared.heartbeat->count()) / 1000),
                 fmt::format("{:.3f}s", channel.heartbeat));
  if (declared.delay && static_cast<std::uint64_t>(declared.delay->count()) != channel.delay)
    check.differs("replica.delay-differs", "delay", fmt::format("{}s", declared.delay->count()),
                  fmt::format("{}s", channel.delay));
  check_tls(look, source, check, findings);
  if (declared.ca) check.option("ca", *declared.ca, channel.ca);
  if (declared.cert) check.option("cert", *declared.cert, channel.cert);
  if (declared.key) check.option("key", *declared.key, channel.key);
  if (declared.public_key) check.option("public_key", *declared.public_key, channel.public_key);
  if (declared.compression) check.option("compression", *declared.compression, channel.compression);
  if (declared.bind) check.option("bind", *declared.bind, channel.bind);
  const auto filter = [&](const std::string& name, const std::optional<std::vector<std::string>>& wanted,
                          const std::string& observed) {
    if (wanted) check.option(name, in_order(*wanted), in_order(split(observed)));
  };
  filter("do_db", declared.do_db, channel.do_db);
  filter("ignore_db", declared.ignore_db, channel.ignore_db);
  filter("do_table", declared.do_table, channel.do_table);
  filter("ignore_table", declared.ignore_table, channel.ignore_table);
  if (declared.do_domain_ids)
    check.option("do_domain_ids", joined(*declared.do_domain_ids), compact(channel.do_domain_ids));
  if (declared.ignore_domain_ids)
    check.option("ignore_domain_ids", joined(*declared.ignore_domain_ids),
                 compact(channel.ignore_domain_ids));
}

Judgement from_findings(std::vector<Finding> findings, const Link& link = {}) {
  for (Finding& found : findings) found = of_channel(std::move(found), link);
  const bool holds = std::none_of(findings.begin(), findings.end(),
                                  [](const Finding& f) { return f.weight == Weight::error; });
  return {holds ? Verdict::holds : Verdict::missing, std::move(findings)};
}

Judgement holds_if(bool condition) { return {condition ? Verdict::holds : Verdict::missing, {}}; }

// Received and applied stand at the same place, or there was never anything.
//
// A receiver that was stopped in the middle of a transaction leaves half of it in the relay log. It can't be
// applied, and the source sends it again: an applier that has read all there is counts as well. Not so one that has
// executed nothing yet: just started, it says the same before it begins. MySQL's GTIDs name whole transactions: an
// applier that has executed all that were received is done, too. MySQL 5.6 counts one as received when it begins.
bool drained(const Channel& channel, const ServerState& state) {
  if (!channel.read.known() || channel.has_applied_all()) return true;
  if (state.mysql_gtids && state.has_gtids()) {
    if (state.mysql_gtids->executed.contains(channel.retrieved)) return true;
    if (state.version >= Version{5, 7, 0}) return false;
  }
  return channel.receiver == ReceiverState::off && channel.applier && channel.executed.known() &&
         channel.applier_doing.find("has read all relay log") != std::string::npos;
}

}  // namespace

ChannelTls channel_tls(const ChannelOptions& declared, const ServerState* source, Flavor flavor,
                       bool has_ca) {
  switch (declared.tls.value_or(TlsMode::preferred)) {
    case TlsMode::disabled: return {false, false};
    case TlsMode::preferred: return {source != nullptr && source->offers_tls, false};
    case TlsMode::required: return {true, false};
    // A CA alone makes both flavors verify with it, whatever the word that verifies says; that one adds the name. But
    // only with it does MariaDB turn a source without TLS away.
    case TlsMode::verify_ca: return {true, flavor == Flavor::mariadb || !has_ca};
    case TlsMode::verify_identity: break;
  }
  return {true, true};
}

std::vector<Finding> thread_findings(const DeclaredLink& link, const Channel& channel) {
  const ServerName& name = link.replica.name;
  std::vector<Finding> findings;
  if (channel.receiver_errno != 0 && channel.receiver != ReceiverState::on)
    findings
        .emplace_back(finding(
            "replica.receiver-error", name, "channel.receiver", "on", "error",
            fmt::format("the receiver failed with {}: {}", channel.receiver_errno, channel.receiver_error)))
        .hint = receiver_hint(channel);
  else if (channel.receiver == ReceiverState::off)
    findings.push_back(finding("replica.receiver-stopped", name, "channel.receiver", "on", "off",
                               "the receiver is stopped"));
  else if (channel.receiver == ReceiverState::connecting)
    findings.push_back(finding("replica.receiver-error", name, "channel.receiver", "on", "connecting",
                               fmt::format("the receiver is not connected: {}", channel.receiver_doing)));
  if (!channel.applier) {
    if (channel.applier_errno != 0) {
      Finding found = finding(
          "replica.applier-error", name, "channel.applier", "on", "error",
          fmt::format("the applier stopped with {}: {}", channel.applier_errno, channel.applier_error));
      found.hint = applier_hint(channel);
      findings.push_back(std::move(found));
    } else {
      findings.push_back(
          finding("replica.applier-stopped", name, "channel.applier", "on", "off", "the applier is stopped"));
    }
  }
  for (Finding& found : findings) {
    found.place = link.channel.name.empty() ? link.replica.place : link.channel.place;
    found = of_channel(std::move(found), link.name());
  }
  return findings;
}

Judgement judge_part(const Follows& fact, const Look& at) {
  const auto look = look_at(fact.link, at);
  if (!look) return {Verdict::unknown, {}};
  const Channel* channel = look->channel;
  const Topology& topology = look->scene.desired;
  const Server* source = topology.find(fact.source);
  const ServerState* source_state = look->scene.observed.find(fact.source);
  const auto place = place_of(topology, look->link, "source");
  if (channel == nullptr) {
    Finding found =
        finding("replica.not-configured", look->replica(), "channel", "follows " + fact.source.text, "none",
                fact.link.channel.empty()
                    ? fmt::format("has no replication channel, should follow {}", fact.source.text)
                    : fmt::format("is not there, should follow {}", fact.source.text));
    found.place = place;
    return from_findings({std::move(found)}, fact.link);
  }
  std::vector<Finding> findings;
  if (!follows_server(*channel, *source, source_state)) {
    Finding found = finding("replica.wrong-source", look->replica(), "source",
                            fmt::format("{} ({})", fact.source.text, to_text(source->advertise)),
                            fmt::format("{}:{}", channel->host, channel->port),
                            fmt::format("follows {}:{}, should follow {} at {}", channel->host, channel->port,
                                        fact.source.text, to_text(source->advertise)));
    found.place = place;
    return from_findings({std::move(found)}, fact.link);
  }
  check_options(*look, source_state, findings);
  const bool by_gtid = channel->gtid != ChannelGtid::no;
  const bool is_mysql = look->state.flavor == Flavor::mysql;
  const auto coordinates_differ = [&](std::string_view code, std::string_view attribute,
                                      std::string_view desired, std::string_view observed,
                                      std::string_view message) {
    Finding found = finding(code, look->replica(), std::string(attribute), std::string(desired),
                            std::string(observed), std::string(message));
    found.place = place_of(topology, look->link, "coordinates");
    findings.push_back(std::move(found));
  };
  if (fact.by_gtid && is_mysql && !by_gtid)
    coordinates_differ("channel.auto-position-off", "channel.auto_position", "on", "off",
                       "the channel does not use auto-position");
  else if (fact.by_gtid && !is_mysql && channel->gtid != ChannelGtid::slave_pos)
    coordinates_differ("channel.auto-position-off", "channel.gtid", "slave_pos",
                       by_gtid ? "current_pos" : "no", "the channel does not use slave_pos GTIDs");
  else if (!fact.by_gtid && by_gtid)
    coordinates_differ("channel.option-differs", "channel.gtid", "no",
                       is_mysql ? "auto_position" : "slave_pos",
                       "the channel uses GTIDs, declared are file and position");
  return from_findings(std::move(findings), fact.link);
}

Judgement judge_part(const ReceiverOff& fact, const Look& look) {
  const Channel* channel = look.state.channel(fact.link.channel);
  return holds_if(channel == nullptr || channel->receiver == ReceiverState::off);
}

Judgement judge_part(const Drained& fact, const Look& look) {
  const Channel* channel = look.state.channel(fact.link.channel);
  return holds_if(channel == nullptr || drained(*channel, look.state));
}

Judgement judge_part(const ChannelOff& fact, const Look& look) {
  const Channel* channel = look.state.channel(fact.link.channel);
  return holds_if(channel == nullptr || channel->is_off());
}

Judgement judge_part(const ChannelOn& fact, const Look& look) {
  const Channel* channel = look.state.channel(fact.link.channel);
  return holds_if(channel != nullptr && channel->wanted_on());
}

Judgement judge_part(const Flowing& fact, const Look& at) {
  const auto look = look_at(fact.link, at);
  if (!look) return {Verdict::unknown, {}};
  const Channel* channel = look->channel;
  if (channel == nullptr) return {Verdict::missing, {}};
  if (std::vector<Finding> findings = thread_findings(look->link, *channel); !findings.empty())
    return from_findings(std::move(findings));
  if (!channel->streaming()) return {Verdict::missing, {}};
  const auto& had_failed = look->scene.outputs.failed;
  if (const auto failed = had_failed.find(fact.link);
      failed != had_failed.end() && !is_past(failed->second, *channel, look->state)) {
    const Channel& then = failed->second.channel;
    Finding found = finding("replica.applier-error", look->replica(), "channel.applier", "on", "error",
                            fmt::format("the applier, started again, has executed nothing since it failed "
                                        "with {}: {}",
                                        then.applier_errno, then.applier_error));
    return from_findings({std::move(found)}, fact.link);
  }
  // Both threads say Yes while nothing flows (a source lets a replica wait 100 ms when an old dump thread of
  // it lingers): what has been received is the proof.
  const auto& after_start = look->scene.outputs.after_start;
  const auto goal = after_start.find(fact.link);
  if (goal == after_start.end() || !goal->second.coordinates.known()) return {Verdict::holds, {}};
  if (channel->read.known() && reached(channel->read, goal->second.coordinates)) return {Verdict::holds, {}};
  // A source that has nothing new to send by auto-position need not say where it stands.
  const GtidSet& had = goal->second.gtid.set;
  return holds_if(channel->gtid == ChannelGtid::auto_position && !had.empty() &&
                  look->state.mysql_gtids->executed.unite(channel->retrieved).contains(had));
}

Judgement judge_part(const SemiSync& fact, const Look& look) {
  const Channel* channel = look.state.channel(fact.link.channel);
  if (channel == nullptr || channel->receiver != ReceiverState::on) return {Verdict::missing, {}};
  // No such status: the variable is not there either, which is a finding of its own.
  if (!look.state.semi_sync_active) return {Verdict::unknown, {}};
  if (*look.state.semi_sync_active == fact.on) return {Verdict::holds, {}};
  Finding found =
      finding("replica.semi-sync-differs", look.server.name, "semi_sync", on_off(fact.on), on_off(!fact.on),
              fact.on ? "its receiver does not acknowledge transactions (semi-sync is off)"
                      : "its receiver still acknowledges transactions (semi-sync is on)");
  found.hint = "the variable takes effect when the receiver connects";
  if (const std::string* variable = semi_sync_variable(look.server, SemiSyncEnd::replica))
    found.place = place_of(look.scene.desired, look.server, "variables." + *variable);
  return from_findings({std::move(found)}, fact.link);
}

Judgement judge_part(const CaughtUp& fact, const Look& look) {
  const Channel* channel = look.state.channel(fact.link.channel);
  const auto goal = look.scene.outputs.sources.find(fact.source);
  Moment moment;
  if (goal != look.scene.outputs.sources.end())
    moment = goal->second;
  else if (const ServerState* source = look.scene.observed.find(fact.source))
    moment = moment_of(*source);
  else
    return {Verdict::unknown, {}};
  if (channel == nullptr) return {Verdict::missing, {}};
  if (!moment.coordinates.known()) return {Verdict::unknown, {}};
  const Server* source = look.scene.desired.find(fact.source);
  const bool same =
      source != nullptr && follows_server(*channel, *source, look.scene.observed.find(fact.source));
  // MySQL's appliers write their position down a little later than the GTIDs that they have executed.
  if (same && look.state.mysql_gtids && look.state.has_gtids() && !moment.gtid.set.empty())
    return holds_if(look.state.mysql_gtids->executed.contains(moment.gtid.set));
  return holds_if(same && channel->executed.known() && reached(channel->executed, moment.coordinates));
}

Judgement judge_part(const CoordinatesNoted& fact, const Look& look) {
  const auto noted = look.scene.outputs.noted.find(fact.source);
  if (noted == look.scene.outputs.noted.end()) return {Verdict::missing, {}};
  return holds_if(!fact.at || noted->second.coordinates == *fact.at);
}

Judgement judge_part(const PositionAdopted&, const Look& look) {
  if (look.server.is_root()) return {Verdict::unknown, {}};
  if (look.server.provision_at) {
    const auto at = GtidPoint::parse(*look.server.provision_at);
    return holds_if(at && look.state.executed() == *at);
  }
  bool any = false;
  for (const DeclaredChannel& channel : look.server.channels) {
    const auto noted = look.scene.outputs.noted.find(channel.source);
    if (noted == look.scene.outputs.noted.end()) continue;
    any = true;
    const GtidPoint executed = look.state.executed();
    const GtidPoint& there = noted->second.gtid;
    // A replica of one source stands exactly there; one of several has more from the others.
    const bool adopted =
        look.server.channels.size() == 1 ? executed == there : executed.with(there) == executed;
    if (!adopted) return {Verdict::missing, {}};
  }
  return holds_if(any);
}

}  // namespace stemma
