#include "providers/simulated/steps.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "plans/judge_parts.h"
#include "plans/password_hash.h"
#include "plans/starting_place.h"

namespace stemma::simulated {
namespace {

// Everything that a step works on.
struct Work {
  const Step& step;
  const StepContext& context;
  SimulatedFleet& fleet;
  Instance& instance;

  [[nodiscard]] const Server& server() const { return *context.desired.find(step.server); }
};

bool takes_more(const Instance& instance) {
  return instance.flavor == Flavor::mysql && instance.version >= Version{8, 0, 0};
}

Result<void> answered(int error, std::string_view statement) {
  if (error == 0) return {};
  return tl::unexpected(
      Error{Trouble::refused, fmt::format("{}: {}", statement, message_of(error)), {}, error, {}});
}

Result<void> account_step(const Work& work) {
  const ReplicationAccount& declared = *work.context.desired.replication;
  const AccountName name{declared.user, declared.host};
  const Account wanted = replication_account(declared, *work.context.secrets.replication,
                                             work.instance.flavor, work.instance.version);
  Data& data = work.instance.data;  // outside the binlog, and whatever read_only says
  const auto found = data.accounts.find(name);
  const bool exists = found != data.accounts.end();
  if (work.step.kind == StepKind::create_user) {
    const bool after_history =
        std::any_of(work.step.needs.begin(), work.step.needs.end(),
                    [](const Fact& need) { return std::holds_alternative<CaughtUp>(need); });
    if (exists && !after_history) return answered(1396, "CREATE USER");
    data.accounts[name] = wanted;
    return {};
  }
  if (!exists) return answered(1396, "ALTER USER");
  AccountState& state = found->second.state;
  switch (work.step.kind) {
    case StepKind::alter_user:
      state.plugin = wanted.state.plugin;
      state.hash = wanted.state.hash;
      found->second.password = wanted.password;
      break;
    case StepKind::grant: state.grants.push_back(wanted.state.grants.front()); break;
    default: state.grants = {{{"REPLICATION SLAVE"}, "*.*", false}}; break;
  }
  return {};
}

// The options of a channel after CHANGE MASTER: those that are declared, and what it had before for the others.
Channel options_after(const Work& work, const DeclaredChannel& declared, const Channel* now, bool by_gtid) {
  const ChannelOptions& options = declared.options;
  const Server& source = *work.context.desired.find(declared.source);
  Channel channel = now == nullptr ? Channel{} : *now;
  channel.host = source.advertise.host;
  channel.port = source.advertise.port;
  channel.user = work.context.desired.replication->user;
  if (options.connect_retry)
    channel.connect_retry = static_cast<std::uint64_t>(options.connect_retry->count());
  if (options.delay) channel.delay = static_cast<std::uint64_t>(options.delay->count());
  if (options.heartbeat) channel.heartbeat = static_cast<double>(options.heartbeat->count()) / 1000;
  if (options.do_db) channel.do_db = fmt::format("{}", fmt::join(*options.do_db, ","));
  if (options.ignore_db) channel.ignore_db = fmt::format("{}", fmt::join(*options.ignore_db, ","));
  if (options.tls) {
    ServerState offers;
    offers.offers_tls = work.fleet.at(declared.source.text).offers_tls;
    const ChannelTls tls = channel_tls(options, &offers, work.instance.flavor, !channel.ca.empty());
    channel.tls = tls.on;
    channel.verify = tls.verify;
  }
  const bool mariadb = work.instance.flavor == Flavor::mariadb;
  channel.gtid = !by_gtid ? ChannelGtid::no : mariadb ? ChannelGtid::slave_pos : ChannelGtid::auto_position;
  return channel;
}

Result<void> configure(const Work& work) {
  const Link& link = *link_of(work.step);
  const auto place = starting_place(work.step, work.context.desired, work.context.state, work.context.outputs,
                                    takes_more(work.instance));
  if (!place) return tl::unexpected(place.error());
  if (place->gtid)
    if (auto told = answered(work.instance.set_position(*place->gtid, place->adds), "SET GLOBAL"); !told)
      return told;
  const bool by_gtid = std::get<Follows>(work.step.ensures.front()).by_gtid;
  const auto now = work.instance.channels.find(link.channel);
  const Channel* status = now == work.instance.channels.end() ? nullptr : &now->second.status;
  return answered(
      work.instance.change_source(link.channel,
                                  {options_after(work, *work.server().channel(link.channel), status, by_gtid),
                                   std::string(work.context.secrets.replication->reveal()), place->from}),
      "CHANGE MASTER");
}

Result<void> adopt(const Work& work) {
  const auto place = starting_place(work.step, work.context.desired, work.context.state, work.context.outputs,
                                    takes_more(work.instance));
  if (!place) return tl::unexpected(place.error());
  const auto& hazards = work.step.hazards;
  if (work.instance.flavor == Flavor::mysql &&
      std::find(hazards.begin(), hazards.end(), Hazard::reset_binlog) != hazards.end())
    if (auto reset = answered(work.instance.reset_binlog(), "RESET MASTER"); !reset) return reset;
  if (!place->gtid) return {};
  return answered(work.instance.set_position(*place->gtid, place->adds), "SET GLOBAL");
}

}  // namespace

Account replication_account(const ReplicationAccount& declared, const Secret& password, Flavor flavor,
                            Version version) {
  Account account;
  const bool sha2 = flavor == Flavor::mysql && version >= Version{8, 0, 4};
  account.state.plugin = declared.plugin.value_or(sha2 ? "caching_sha2_password" : "mysql_native_password");
  account.state.hash = account.state.plugin == "caching_sha2_password"
                           ? caching_sha2_hash(password, "0123456789abcdefghij")
                           : native_password_hash(password);
  account.state.grants = {{{"REPLICATION SLAVE"}, "*.*", false}};
  account.password = password.reveal();
  return account;
}

Result<void> carry_out(const Step& step, const StepContext& context, SimulatedFleet& fleet,
                       Instance& instance) {
  const Work work{step, context, fleet, instance};
  switch (step.kind) {
    case StepKind::create_user:
    case StepKind::alter_user:
    case StepKind::grant:
    case StepKind::revoke: return account_step(work);
    case StepKind::set_variable:
      return answered(instance.set_variable(step.variable, work.server().variables.at(step.variable)), "SET");
    case StepKind::adopt_position: return adopt(work);
    case StepKind::stop_replica:
      return answered(
          instance.stop(link_of(step)->channel, std::holds_alternative<ReceiverOff>(step.ensures.front())),
          "STOP SLAVE");
    case StepKind::configure_source: return configure(work);
    case StepKind::start_replica: return answered(instance.start(link_of(step)->channel), "START SLAVE");
    case StepKind::fence: instance.set_read_only(true, wants_super_read_only(work.server())); break;
    case StepKind::unfence: instance.set_read_only(false, false); break;
    case StepKind::capture_coordinates:  // their reading is all they do
    case StepKind::await_running:
    case StepKind::await_caught_up: break;
  }
  return {};
}

}  // namespace stemma::simulated
