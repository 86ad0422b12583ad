#include "plans/observed.h"

#include <algorithm>
#include <charconv>

namespace stemma {
namespace {

// The number at the end of "mysql-bin.000003"; 0 when there is none.
std::uint64_t file_number(std::string_view file) {
  const auto dot = file.rfind('.');
  std::uint64_t number = 0;
  if (dot != file.npos) std::from_chars(file.data() + dot + 1, file.data() + file.size(), number);
  return number;
}

}  // namespace

std::string to_text(const Version& v) { return fmt::format("{}.{}.{}", v.major, v.minor, v.patch); }

std::string_view to_text(Flavor flavor) { return flavor == Flavor::mysql ? "MySQL" : "MariaDB"; }

Version oldest_known(Flavor flavor) { return flavor == Flavor::mysql ? Version{5, 6, 0} : Version{10, 5, 0}; }
Version newest_known(Flavor flavor) {
  return flavor == Flavor::mysql ? Version{9, 7, 999} : Version{11, 8, 999};
}

std::string to_text(const Coordinates& at) {
  return at.known() ? fmt::format("{}:{}", at.file, at.position) : "unknown";
}

std::optional<Coordinates> parse_coordinates(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return std::nullopt;
  Coordinates at{std::string(text.substr(0, colon)), 0};
  const std::string_view number = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), at.position);
  if (error != std::errc{} || end != number.data() + number.size()) return std::nullopt;
  const auto dot = at.file.rfind('.');
  if (dot == at.file.npos || dot + 1 == at.file.size() ||
      at.file.find_first_not_of("0123456789", dot + 1) != at.file.npos)
    return std::nullopt;
  return at;
}

bool reached(const Coordinates& a, const Coordinates& b) {
  const auto left = file_number(a.file), right = file_number(b.file);
  return left != right ? left > right : a.position >= b.position;
}

std::string to_text(const AccountName& account) {
  return fmt::format("'{}'@'{}'", account.user, account.host);
}

bool Channel::streaming() const {
  if (receiver != ReceiverState::on || receiver_errno != 0) return false;
  // MySQL and MariaDB agree on the rest of the sentence: "Waiting for source|master to send event",
  // "Queueing … event to the relay log". "Checking source version" is Yes, but may still end in an error.
  return receiver_doing.starts_with("Waiting for") || receiver_doing.starts_with("Queueing");
}

bool Channel::has_applied_all() const { return read.known() && executed.known() && reached(executed, read); }

bool ServerState::no_channel_runs() const {
  return std::all_of(channels.begin(), channels.end(), [](const Channel& c) { return c.is_off(); });
}

GtidPoint ServerState::executed() const {
  return mysql_gtids ? GtidPoint(mysql_gtids->executed) : GtidPoint(gtid_replicated);
}

const Channel* ServerState::channel(std::string_view name) const {
  const auto found =
      std::find_if(channels.begin(), channels.end(), [&](const Channel& c) { return c.name == name; });
  return found == channels.end() ? nullptr : &*found;
}

std::string_view replica_word(const ServerState& state) {
  return state.flavor == Flavor::mariadb || state.version < Version{8, 0, 22} ? "SLAVE" : "REPLICA";
}

std::string forget_channel(const ServerState& state, const std::string& channel) {
  if (state.flavor == Flavor::mariadb)
    return fmt::format("STOP SLAVE{0}; RESET SLAVE{0} ALL",
                       channel.empty() ? "" : fmt::format(" '{}'", channel));
  const std::string which = state.version < Version{5, 7, 6} ? "" : fmt::format(" FOR CHANNEL '{}'", channel);
  return fmt::format("STOP {0}{1}; RESET {0} ALL{1}", replica_word(state), which);
}

const ServerState* Fleet::find(const ServerName& name) const {
  const auto found = servers.find(name);
  return found == servers.end() ? nullptr : &found->second;
}

}  // namespace stemma
