#include "plans/gtid.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <vector>

namespace stemma {
namespace {

template <class Number>
bool read_number(std::string_view text, Number& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

std::optional<Gtid> parse_gtid(std::string_view text) {
  const auto first = text.find('-');
  const auto second = first == text.npos ? text.npos : text.find('-', first + 1);
  if (second == text.npos) return std::nullopt;
  Gtid gtid;
  if (!read_number(text.substr(0, first), gtid.domain) ||
      !read_number(text.substr(first + 1, second - first - 1), gtid.server) ||
      !read_number(text.substr(second + 1), gtid.sequence))
    return std::nullopt;
  return gtid;
}

// Servers put a line end after a comma when the list grows long.
std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::optional<std::vector<Gtid>> parse_list(std::string_view text) {
  std::vector<Gtid> list;
  text = trimmed(text);
  while (!text.empty()) {
    const auto comma = text.find(',');
    auto gtid = parse_gtid(trimmed(text.substr(0, comma)));
    if (!gtid) return std::nullopt;
    list.push_back(*gtid);
    if (comma == text.npos) break;
    text.remove_prefix(comma + 1);
    if (trimmed(text).empty()) return std::nullopt;
  }
  return list;
}

}  // namespace

std::string to_text(const Gtid& gtid) {
  return fmt::format("{}-{}-{}", gtid.domain, gtid.server, gtid.sequence);
}

std::optional<GtidPosition> GtidPosition::parse(std::string_view text) {
  const auto list = parse_list(text);
  if (!list) return std::nullopt;
  GtidPosition position;
  for (const Gtid& gtid : *list)
    if (!position.last_.emplace(gtid.domain, gtid).second) return std::nullopt;
  return position;
}

GtidPosition GtidPosition::with(const GtidPosition& other) const {
  GtidPosition both = other;
  both.last_.insert(last_.begin(), last_.end());
  return both;
}

bool GtidPosition::reached(const GtidPosition& other) const {
  return std::all_of(other.last_.begin(), other.last_.end(), [&](const auto& entry) {
    const auto mine = last_.find(entry.first);
    return mine != last_.end() && mine->second.sequence >= entry.second.sequence;
  });
}

std::string to_text(const GtidPosition& position) {
  std::vector<std::string> parts;
  for (const auto& [domain, gtid] : position.domains()) parts.push_back(to_text(gtid));
  return fmt::format("{}", fmt::join(parts, ","));
}

std::optional<GtidState> GtidState::parse(std::string_view text) {
  const auto list = parse_list(text);
  if (!list) return std::nullopt;
  GtidState state;
  for (const Gtid& gtid : *list)
    if (!state.last_.emplace(std::pair{gtid.domain, gtid.server}, gtid.sequence).second) return std::nullopt;
  return state;
}

bool GtidState::contains(const Gtid& gtid) const {
  const auto entry = last_.find({gtid.domain, gtid.server});
  return entry != last_.end() && entry->second >= gtid.sequence;
}

std::uint64_t GtidState::highest(std::uint32_t domain) const {
  std::uint64_t highest = 0;
  for (const auto& [key, sequence] : last_)
    if (key.first == domain) highest = std::max(highest, sequence);
  return highest;
}

std::string to_text(const GtidState& state) {
  std::vector<std::string> parts;
  for (const auto& [key, sequence] : state.entries())
    parts.push_back(to_text(Gtid{key.first, key.second, sequence}));
  return fmt::format("{}", fmt::join(parts, ","));
}

}  // namespace stemma
