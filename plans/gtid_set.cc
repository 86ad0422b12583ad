#include "plans/gtid_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>

namespace stemma {
namespace {

using Interval = GtidSet::Interval;
using Intervals = GtidSet::Intervals;

constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max() - 1;  // the server's
constexpr std::size_t kUuidLength = 36;
constexpr std::size_t kTagLength = 32;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_decimal(char c) { return c >= '0' && c <= '9'; }
// By hand: the standard's functions ask the locale.
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) { return lower(c); });
  return result;
}

// Reads one token after the other from the front of a text. Spaces may stand between tokens.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) { skip_spaces(); }

  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  bool take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    advance(1);
    return true;
  }

  std::optional<std::string> uuid() {
    if (rest_.size() < kUuidLength) return std::nullopt;
    std::string uuid = lowered(rest_.substr(0, kUuidLength));
    for (std::size_t i = 0; i < kUuidLength; ++i) {
      const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
      if (dash ? uuid[i] != '-' : !(is_decimal(uuid[i]) || (uuid[i] >= 'a' && uuid[i] <= 'f')))
        return std::nullopt;
    }
    advance(kUuidLength);
    return uuid;
  }

  // At a tag rather than at a number.
  [[nodiscard]] bool before_tag() const {
    return !rest_.empty() &&
           (rest_.front() == '_' || (lower(rest_.front()) >= 'a' && lower(rest_.front()) <= 'z'));
  }

  std::optional<std::string> tag() {
    const auto part_of_tag = [](char c) {
      return c == '_' || is_decimal(c) || (lower(c) >= 'a' && lower(c) <= 'z');
    };
    const auto length =
        static_cast<std::size_t>(std::find_if_not(rest_.begin(), rest_.end(), part_of_tag) - rest_.begin());
    if (length > kTagLength) return std::nullopt;
    std::string tag = lowered(rest_.substr(0, length));
    advance(length);
    return tag;
  }

  std::optional<std::uint64_t> number() {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc{} || value > kLargest) return std::nullopt;
    const auto length = static_cast<std::size_t>(end - rest_.data());
    if (length > 1 && rest_.front() == '0') return std::nullopt;  // octal to some servers
    advance(length);
    return value;
  }

 private:
  void skip_spaces() {
    rest_.remove_prefix(
        static_cast<std::size_t>(std::find_if_not(rest_.begin(), rest_.end(), is_space) - rest_.begin()));
  }
  void advance(std::size_t length) {
    rest_.remove_prefix(length);
    skip_spaces();
  }

  std::string_view rest_;
};

// Puts intervals in order and joins those that overlap or touch. kLargest + 1 still fits.
void normalise(Intervals& intervals) {
  std::sort(intervals.begin(), intervals.end(),
            [](const Interval& a, const Interval& b) { return a.first < b.first; });
  Intervals joined;
  for (const Interval& interval : intervals)
    if (!joined.empty() && interval.first <= joined.back().last + 1)
      joined.back().last = std::max(joined.back().last, interval.last);
    else
      joined.push_back(interval);
  intervals = std::move(joined);
}

// The functions below take and give normal intervals and walk both lists once.

Intervals unite(const Intervals& a, const Intervals& b) {
  Intervals all = a;
  all.insert(all.end(), b.begin(), b.end());
  normalise(all);
  return all;
}

Intervals subtract(const Intervals& a, const Intervals& b) {
  Intervals rest;
  auto cut = b.begin();
  for (Interval left : a) {
    while (cut != b.end() && cut->last < left.first) ++cut;
    // A cut that reaches beyond this interval may reach the next one too: it stays.
    for (; cut != b.end() && cut->first <= left.last; ++cut) {
      if (left.first < cut->first) rest.push_back({left.first, cut->first - 1});
      left.first = cut->last + 1;
      if (left.first > left.last) break;
    }
    if (left.first <= left.last) rest.push_back(left);
  }
  return rest;
}

Intervals intersect(const Intervals& a, const Intervals& b) {
  Intervals common;
  for (auto x = a.begin(), y = b.begin(); x != a.end() && y != b.end(); x->last < y->last ? ++x : ++y) {
    const Interval both{std::max(x->first, y->first), std::min(x->last, y->last)};
    if (both.first <= both.last) common.push_back(both);
  }
  return common;
}

bool contains(const Intervals& whole, const Intervals& part) {
  auto mine = whole.begin();
  for (const Interval& interval : part) {
    while (mine != whole.end() && mine->last < interval.first) ++mine;
    if (mine == whole.end() || mine->first > interval.first || mine->last < interval.last) return false;
  }
  return true;
}

}  // namespace

std::optional<GtidSet> GtidSet::parse(std::string_view text) {
  GtidSet set;
  Scanner scanner(text);
  while (true) {
    while (scanner.take(',')) {
    }
    if (scanner.at_end()) break;
    auto uuid = scanner.uuid();
    if (!uuid) return std::nullopt;
    GtidSource source{std::move(*uuid), {}};
    Intervals* intervals = &set.sources_[source];
    while (scanner.take(':')) {
      if (scanner.before_tag()) {
        auto tag = scanner.tag();
        if (!tag) return std::nullopt;
        source.tag = std::move(*tag);
        intervals = &set.sources_[source];
        continue;
      }
      const auto first = scanner.number();
      if (!first || *first == 0) return std::nullopt;
      const auto last = scanner.take('-') ? scanner.number() : first;
      if (!last) return std::nullopt;
      if (*first <= *last) intervals->push_back({*first, *last});
    }
    if (!scanner.at_end() && !scanner.take(',')) return std::nullopt;
  }
  for (auto& [source, intervals] : set.sources_) normalise(intervals);
  std::erase_if(set.sources_, [](const auto& entry) { return entry.second.empty(); });
  return set;
}

bool GtidSet::contains(const GtidSet& other) const {
  return std::all_of(other.sources_.begin(), other.sources_.end(), [&](const auto& entry) {
    const auto mine = sources_.find(entry.first);
    return mine != sources_.end() && stemma::contains(mine->second, entry.second);
  });
}

GtidSet GtidSet::subtract(const GtidSet& other) const {
  GtidSet rest;
  for (const auto& [source, intervals] : sources_) {
    const auto theirs = other.sources_.find(source);
    auto left = theirs == other.sources_.end() ? intervals : stemma::subtract(intervals, theirs->second);
    if (!left.empty()) rest.sources_.emplace_hint(rest.sources_.end(), source, std::move(left));
  }
  return rest;
}

GtidSet GtidSet::unite(const GtidSet& other) const {
  GtidSet all = *this;
  for (const auto& [source, intervals] : other.sources_) {
    const auto [mine, added] = all.sources_.try_emplace(source, intervals);
    if (!added) mine->second = stemma::unite(mine->second, intervals);
  }
  return all;
}

GtidSet GtidSet::intersect(const GtidSet& other) const {
  GtidSet common;
  for (const auto& [source, intervals] : sources_) {
    const auto theirs = other.sources_.find(source);
    if (theirs == other.sources_.end()) continue;
    auto both = stemma::intersect(intervals, theirs->second);
    if (!both.empty()) common.sources_.emplace_hint(common.sources_.end(), source, std::move(both));
  }
  return common;
}

GtidSet GtidSet::without(std::string_view uuid) const {
  GtidSet rest = *this;
  std::erase_if(rest.sources_, [own = lowered(uuid)](const auto& entry) { return entry.first.uuid == own; });
  return rest;
}

GtidSet GtidSet::holes() const {
  GtidSet between;
  for (const auto& [source, intervals] : sources_)
    for (std::size_t i = 1; i < intervals.size(); ++i)
      between.sources_[source].push_back({intervals[i - 1].last + 1, intervals[i].first - 1});
  return between;
}

std::uint64_t GtidSet::count() const {
  std::uint64_t count = 0;
  for (const auto& [source, intervals] : sources_)
    for (const Interval& interval : intervals) {
      const std::uint64_t more = interval.last - interval.first + 1;
      if (more > std::numeric_limits<std::uint64_t>::max() - count)
        return std::numeric_limits<std::uint64_t>::max();
      count += more;
    }
  return count;
}

std::string to_text(const GtidSet& set) {
  std::string text;
  auto out = std::back_inserter(text);
  const std::string* uuid = nullptr;
  for (const auto& [source, intervals] : set.sources()) {
    // One server's tags follow it without its UUID being said again.
    if (uuid == nullptr || *uuid != source.uuid)
      fmt::format_to(out, "{}{}", uuid == nullptr ? "" : ",", source.uuid);
    uuid = &source.uuid;
    if (!source.tag.empty()) fmt::format_to(out, ":{}", source.tag);
    for (const auto& [first, last] : intervals)
      if (first == last)
        fmt::format_to(out, ":{}", first);
      else
        fmt::format_to(out, ":{}-{}", first, last);
  }
  return text;
}

}  // namespace stemma
