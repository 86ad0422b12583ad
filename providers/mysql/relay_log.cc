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

std::vector<std::string> discard_relay_log(const Step& step, const ServerState& state) {
  const Channel* channel = channel_of(step, state);
  if (channel == nullptr || state.flavor != Flavor::mariadb || channel->gtid == ChannelGtid::no) return {};
  const Dialect& dialect = dialect_for(state.flavor, state.version);
  return {reset(dialect, channel->name),
          fmt::format("{} MASTER_USE_GTID = {}", change_verb(dialect, channel->name),
                      channel->gtid == ChannelGtid::current_pos ? "current_pos" : "slave_pos")};
}

std::string relay_log_hint(const Step& step, const ServerState& state) {
  const Channel* channel = channel_of(step, state);
  if (channel == nullptr) return "";
  const Dialect& dialect = dialect_for(state.flavor, state.version);
  const std::string server = step.server.text, discard = reset(dialect, channel->name);
  if (channel->gtid != ChannelGtid::no)
    return fmt::format(
        "its relay log can't be opened, as after a crash; what it has not executed comes again by GTID, as "
        "long as "
        "its source has it: run {} on {} as an administrator{}, then apply again",
        discard, server,
        state.flavor == Flavor::mariadb ? ", or grant RELOAD to the account of [admin]" : "");
  if (!channel->executed.known())
    return fmt::format(
        "its relay log can't be opened, as after a crash, nor does it know where it stood: provision {} anew "
        "from a "
        "backup",
        server);
  return fmt::format(
      "its relay log can't be opened, as after a crash; its applier stood at {}:{} of its source. To fetch "
      "again from "
      "there, run on {}: {}; {} {}_LOG_FILE = {}, {}_LOG_POS = {}{}; then apply again",
      channel->executed.file, channel->executed.position, server, discard,
      change_verb(dialect, channel->name), dialect.source, quoted(channel->executed.file), dialect.source,
      channel->executed.position, at_end(dialect, channel->name));
}

}  // namespace stemma::mysql
