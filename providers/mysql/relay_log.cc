#include "providers/mysql/relay_log.h"

#include <fmt/format.h>

#include "providers/mysql/sql.h"
#include "providers/mysql/sql_parts.h"

namespace stemma::mysql {
namespace {

const Channel* channel_of(const Step& step, const ServerState& state) {
  const Link* link = link_of(step);
  return link == nullptr ? nullptr : state.channel(link->channel);
}

std::string reset(const Dialect& dialect, std::string_view channel) {
  return fmt::format("RESET {}{}{}", dialect.replica, after_verb(dialect, channel), at_end(dialect, channel));
}

}  // namespace

bool is_broken_relay_log(int error_number) {
  return error_number == 1201 || error_number == 1871 || error_number == 1872;
}

std::vector<std::string> start_with_new_relay_log(const Step& step, const StepContext& context) {
  const Channel* channel = channel_of(step, context.state);
  if (step.kind != StepKind::start_replica || channel == nullptr || context.state.flavor != Flavor::mariadb ||
      channel->gtid == ChannelGtid::no)
    return {};
  Step configure = step;
  configure.kind = StepKind::configure_source;
  const Link& link = *link_of(step);
  configure.ensures = {Follows{link, context.desired.find(step.server)->channel(link.channel)->source, true}};
  configure.origin.reset();  // by its own GTIDs
  const auto change = statements(configure, context), start = statements(step, context);
  if (!change || !start) return {};
  std::vector<std::string> work = {
      reset(dialect_for(context.state.flavor, context.state.version), channel->name)};
  work.insert(work.end(), change->begin(), change->end());
  work.insert(work.end(), start->begin(), start->end());
  return work;
}

std::string relay_log_hint(const Step& step, const ServerState& state) {
  const Channel* channel = channel_of(step, state);
  if (channel == nullptr) return "";
  const Dialect& dialect = dialect_for(state.flavor, state.version);
  const std::string server = step.server.text, discard = reset(dialect, channel->name);
  const std::string broken = "its relay log can't be opened, as after a crash";
  if (channel->gtid != ChannelGtid::no && state.flavor == Flavor::mariadb)
    return fmt::format(
        "{}; grant RELOAD to the account of [admin] on {} for the next apply, which then begins a new one",
        broken, server);
  if (channel->gtid != ChannelGtid::no)
    return fmt::format(
        "{}; what it has not executed comes again by GTID, as long as its source has it: run {} on {} as an "
        "administrator{}, then apply again",
        broken, discard, server,
        channel->delay == 0 ? "" : fmt::format(" (it sets the delay of {} s to 0)", channel->delay));
  if (!channel->executed.known())
    return fmt::format("{}, nor does it know where it stood: provision {} anew from a backup", broken,
                       server);
  // What RESET forgets is said again.
  std::string kept;
  if (channel->delay != 0) kept += fmt::format(", {}_DELAY = {}", dialect.source, channel->delay);
  if (state.flavor == Flavor::mariadb && channel->heartbeat != 0)
    kept += fmt::format(", MASTER_HEARTBEAT_PERIOD = {:.3f}", channel->heartbeat);
  if (state.flavor == Flavor::mariadb && channel->verify) kept += ", MASTER_SSL_VERIFY_SERVER_CERT = 1";
  const std::string& file = channel->executed.file;
  return fmt::format(
      "{}; its applier stood at {} of its source. If that source has {} no more (SHOW BINARY LOGS), its "
      "relay logs are the only copy: write their names into the .index file beside them, and restart it. "
      "Else, to fetch again from there, run on {}: {}; {} {}_LOG_FILE = {}, {}_LOG_POS = {}{}{}; then "
      "apply again",
      broken, to_text(channel->executed), file, server, discard, change_verb(dialect, channel->name),
      dialect.source, quoted(file), dialect.source, channel->executed.position, kept,
      at_end(dialect, channel->name));
}

}  // namespace stemma::mysql
