#include "plans/fact.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "plans/judge_parts.h"

namespace stemma {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;  // clang 14 still needs it said

std::string in_round(int round) { return round == 1 ? "" : " again"; }

}  // namespace

std::string describe(const Fact& fact) {
  return std::visit(
      Overloaded{
          [](const AccountIs& f) -> std::string {
            switch (f.aspect) {
              case AccountAspect::exists: return fmt::format("{} has the replication account", f.server.text);
              case AccountAspect::secret:
                return fmt::format("the replication account on {} has the declared plugin and password",
                                   f.server.text);
              case AccountAspect::granted:
                return fmt::format("the replication account on {} may replicate", f.server.text);
              case AccountAspect::nothing_more: break;
            }
            return fmt::format("the replication account on {} may do nothing more", f.server.text);
          },
          [](const ReadOnly& f) {
            return fmt::format("{} is {}", f.server.text, f.on ? "read-only" : "writable");
          },
          [](const VariableIs& f) { return fmt::format("{} on {} is as declared", f.name, f.server.text); },
          [](const CoordinatesNoted& f) {
            return f.at ? fmt::format("{} still stands at {}", f.source.text, to_text(*f.at))
                        : fmt::format(
                              "the binlog coordinates of {} are noted, and nothing was written before them",
                              f.source.text);
          },
          [](const PositionAdopted& f) {
            return fmt::format("the GTID position of {} is where its data stand", f.replica.text);
          },
          [](const ReceiverOff& f) {
            return fmt::format("{} receives nothing{}", to_text(f.link), in_round(f.round));
          },
          [](const Drained& f) {
            return fmt::format("{} has applied what it has received{}", to_text(f.link), in_round(f.round));
          },
          [](const ChannelOff& f) {
            return fmt::format("{} is not replicating{}", to_text(f.link), in_round(f.round));
          },
          [](const Follows& f) {
            return fmt::format("{} follows {} by {}, with the declared options", to_text(f.link),
                               f.source.text, f.by_gtid ? "GTID" : "file and position");
          },
          [](const ChannelOn& f) {
            return fmt::format("both threads of {} are on{}", to_text(f.link), in_round(f.round));
          },
          [](const Flowing& f) {
            return fmt::format("data flow from {} to {}{}", f.source.text, to_text(f.link),
                               in_round(f.round));
          },
          [](const SemiSync& f) {
            return fmt::format("{} replicates {}semi-synchronously", to_text(f.link), f.on ? "" : "not ");
          },
          [](const CaughtUp& f) {
            return fmt::format("{} has executed what {} had", to_text(f.link), f.source.text);
          },
      },
      fact);
}

const ServerName& subject(const Fact& fact) {
  return std::visit(Overloaded{[](const AccountIs& f) -> const ServerName& { return f.server; },
                               [](const ReadOnly& f) -> const ServerName& { return f.server; },
                               [](const VariableIs& f) -> const ServerName& { return f.server; },
                               [](const CoordinatesNoted& f) -> const ServerName& { return f.source; },
                               [](const PositionAdopted& f) -> const ServerName& { return f.replica; },
                               [](const auto& f) -> const ServerName& { return f.link.replica; }},
                    fact);
}

const Link* link_of(const Fact& fact) {
  return std::visit(
      [](const auto& f) -> const Link* {
        if constexpr (requires { f.link; })
          return &f.link;
        else
          return nullptr;
      },
      fact);
}

bool follows_server(const Channel& channel, const Server& source, const ServerState* source_state) {
  // The id is that of the server last connected to. It outlives a changed host, so it counts only while the
  // receiver is connected (MariaDB 10.11: Master_Server_Id stays after CHANGE MASTER TO MASTER_HOST).
  if (source_state != nullptr && channel.receiver == ReceiverState::on) {
    if (!channel.source_uuid.empty()) return channel.source_uuid == source_state->identity.uuid;
    if (channel.source_server_id != 0) return channel.source_server_id == source_state->identity.server_id;
  }
  return channel.host == source.advertise.host && channel.port == source.advertise.port;
}

bool wants_gtid(const Topology& topology, const Fleet& fleet, const DeclaredLink& link) {
  switch (topology.coordinates) {
    case CoordinatesMode::position: return false;
    case CoordinatesMode::gtid: return true;
    case CoordinatesMode::automatic: break;
  }
  const ServerState* state = fleet.find(link.replica.name);
  if (state == nullptr) return false;
  // A channel that runs keeps its mode; only a new one gets GTIDs, where both servers have them.
  if (const Channel* channel = state->channel(link.channel.name)) return channel->gtid != ChannelGtid::no;
  const ServerState* source = fleet.find(link.source());
  return state->has_gtids() && (source == nullptr || source->has_gtids());
}

bool wants_super_read_only(const Server& server) {
  return server.super_read_only.value_or(server.read_only && !server.is_root());
}

Moment moment_of(const ServerState& state) {
  return {state.coordinates,
          state.mysql_gtids ? GtidPoint(state.mysql_gtids->at_coordinates) : GtidPoint(state.gtid_binlog)};
}

bool same_value(std::string_view declared, std::string_view observed) {
  const auto canonical = [](std::string_view text) {
    std::string value;
    for (const char c : text)
      if (c != ' ') value += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (value == "on" || value == "true" || value == "yes") return std::string("1");
    if (value == "off" || value == "false" || value == "no") return std::string("0");
    return value;
  };
  const std::string left = canonical(declared), right = canonical(observed);
  if (left == right) return true;
  // "16m" and 16777216, 0.5 and 0.500000
  const auto number = [](const std::string& text) -> std::optional<double> {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (end == text.c_str()) return std::nullopt;
    const std::string_view unit(end);
    if (unit.empty()) return value;
    if (unit == "k") return value * 1024;
    if (unit == "m") return value * 1024 * 1024;
    return unit == "g" ? std::optional(value * 1024 * 1024 * 1024) : std::nullopt;
  };
  const auto a = number(left), b = number(right);
  return a && b && *a == *b;
}

Judgement judge(const Fact& fact, const Scene& scene) {
  const ServerName& name = subject(fact);
  const ServerState* state = scene.observed.find(name);
  const Server* server = scene.desired.find(name);
  if (state == nullptr || server == nullptr) return {Verdict::unknown, {}};
  const Look look{scene, *server, *state};
  return std::visit([&](const auto& f) { return judge_part(f, look); }, fact);
}

}  // namespace stemma
