#include "plans/topology_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <numeric>
#include <vector>

#include "plans/topology_source.h"

namespace stemma {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

// A number without sign, nothing if it is no number or too big for the type.
template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (!all_digits(text) || problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_host(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
  });
}

bool is_ipv6(std::string_view text) {
  return text.size() >= 2 && text.size() <= 45 && std::count(text.begin(), text.end(), ':') >= 2 &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '.';
         });
}

tl::expected<Address, std::string> with_port(Address address, std::string_view port) {
  const auto value = number<std::uint16_t>(port);
  if (!value || *value == 0) {
    return tl::unexpected(fmt::format("the port {} is not between 1 and 65535", in_quotes(port)));
  }
  address.port = *value;
  return address;
}

}  // namespace

std::optional<std::size_t> index_in(std::span<const std::string_view> words, std::string_view text) {
  const auto found = std::find(words.begin(), words.end(), text);
  if (found == words.end()) return std::nullopt;
  return static_cast<std::size_t>(found - words.begin());
}

tl::expected<Address, std::string> parse_address(std::string_view text) {
  Address address;
  if (text.empty()) return tl::unexpected(std::string("it is empty"));
  if (has_control_characters(text)) return tl::unexpected(std::string("it has a control character"));
  if (text.substr(0, 5) == "unix:" || text.front() == '/') {
    const std::string_view path = text.front() == '/' ? text : text.substr(5);
    if (text.front() == '/')
      return tl::unexpected(fmt::format("a socket is written {}", in_quotes("unix:" + std::string(path))));
    if (path.empty() || path.front() != '/') {
      return tl::unexpected(std::string("the path of a socket begins with '/'"));
    }
    address.socket = path;
    return address;
  }
  if (text.front() == '[') {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return tl::unexpected(std::string("the ']' is missing"));
    address.host = text.substr(1, end - 1);
    if (!is_ipv6(address.host))
      return tl::unexpected(std::string("there is no IPv6 address between the brackets"));
    const std::string_view rest = text.substr(end + 1);
    if (rest.empty()) return address;
    if (rest.front() != ':') return tl::unexpected(std::string("after ']' stands ':' and the port"));
    return with_port(address, rest.substr(1));
  }
  if (is_ipv6(text)) {
    return tl::unexpected(
        fmt::format("an IPv6 address stands in brackets, {}", in_quotes(fmt::format("[{}]:3306", text))));
  }
  const std::size_t colon = text.find(':');
  address.host = text.substr(0, colon);
  if (address.host.empty()) return tl::unexpected(std::string("the host is missing"));
  if (!is_host(address.host))
    return tl::unexpected(fmt::format("{} is no host name", in_quotes(address.host)));
  if (colon == std::string_view::npos) return address;
  return with_port(address, text.substr(colon + 1));
}

tl::expected<std::chrono::milliseconds, std::string> parse_duration(std::string_view text) {
  const std::size_t unit_at =
      static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
  const std::string_view unit = text.substr(unit_at);
  const std::int64_t scale = unit == "ms"  ? 1
                             : unit == "s" ? 1000
                             : unit == "m" ? 60'000
                             : unit == "h" ? 3'600'000
                                           : 0;
  if (unit_at == 0 || scale == 0) {
    return tl::unexpected(std::string("a duration is a whole number and one of the units ms, s, m, h"));
  }
  const auto count = number<std::uint32_t>(text.substr(0, unit_at));
  if (!count) return tl::unexpected(std::string("the number is too big"));
  return std::chrono::milliseconds(std::int64_t{*count} * scale);
}

tl::expected<std::string, std::string> parse_date(std::string_view text) {
  const bool shaped = text.size() == 10 && text[4] == '-' && text[7] == '-';
  const auto year = shaped ? number<int>(text.substr(0, 4)) : std::nullopt;
  const auto month = shaped ? number<unsigned>(text.substr(5, 2)) : std::nullopt;
  const auto day = shaped ? number<unsigned>(text.substr(8, 2)) : std::nullopt;
  if (!year || !month || !day) return tl::unexpected(std::string("a date is written year-month-day"));
  if (!std::chrono::year_month_day(std::chrono::year(*year), std::chrono::month(*month),
                                   std::chrono::day(*day))
           .ok()) {
    return tl::unexpected(std::string("there is no such day"));
  }
  return std::string(text);
}

std::string duration_text(std::chrono::milliseconds duration) {
  const auto count = duration.count();
  return count % 1000 == 0 ? fmt::format("{}s", count / 1000) : fmt::format("{}ms", count);
}

bool is_server_name(std::string_view text) { return text.size() <= 64 && is_host(text); }

bool is_channel_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && !text.starts_with("group_replication_") &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
}

bool is_coordinates(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const bool file = colon != std::string_view::npos && colon > 0 && text.find_first_of(":, ") == colon &&
                    all_digits(text.substr(colon + 1));
  const bool set =
      text.find('-') != std::string_view::npos && std::all_of(text.begin(), text.end(), [](char c) {
        return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':' || c == ',' || c == '-' ||
               c == ' ';
      });
  return file || set;
}

bool has_control_characters(std::string_view text) {
  return printable(text) != text || text.find('\t') != std::string_view::npos;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  // Nobody misspells a name of that length, and the distance costs the product of the lengths.
  if (word.empty() || word.size() > 64) return {};
  const auto fold = [](char c) {
    return c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  };
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > 64) continue;
    // Two rows of the edit-distance table, and the one before for letters that changed places.
    std::vector<std::size_t> before(candidate.size() + 1), last(candidate.size() + 1),
        row(candidate.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= word.size(); ++i) {
      row[0] = i;
      for (std::size_t j = 1; j <= candidate.size(); ++j) {
        const bool same = fold(word[i - 1]) == fold(candidate[j - 1]);
        row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0U : 1U)});
        if (i > 1 && j > 1 && fold(word[i - 1]) == fold(candidate[j - 2]) &&
            fold(word[i - 2]) == fold(candidate[j - 1])) {
          row[j] = std::min(row[j], before[j - 2] + 1);
        }
      }
      before.swap(last);
      last.swap(row);
    }
    if (last[candidate.size()] < best_distance) {
      best_distance = last[candidate.size()];
      best = candidate;
    }
  }
  return best;
}

std::string list_in_quotes(std::span<const std::string_view> words) {
  std::string list;
  for (const std::string_view word : words) list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", word);
  return list;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 80;
  std::string shown = printable(text.substr(0, longest));
  std::replace(shown.begin(), shown.end(), '\t', ' ');
  return fmt::format("\"{}{}\"", shown, text.size() > longest ? "…" : "");
}

}  // namespace stemma
