// MySQL's GTID sets as values: who has executed what. Pure: no server is asked.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stemma {

// Who numbered a transaction: a server, and since MySQL 8.3 perhaps a tag. Each tag counts for itself.
struct GtidSource {
  std::string uuid;  // lower case, with its dashes
  std::string tag;   // lower case; "" is no tag
  auto operator<=>(const GtidSource&) const = default;
};

// Transactions as MySQL names them: "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:11:tag:1-3". Always normal:
// sources and intervals in order, none empty, none touching the next. So equal sets are equal values, and an
// operation takes time in proportion to the intervals of both.
class GtidSet {
 public:
  // Both ends belong to it.
  struct Interval {
    std::uint64_t first = 0, last = 0;
    bool operator==(const Interval&) const = default;
  };
  using Intervals = std::vector<Interval>;

  // nullopt for a malformed text. What it takes, every server takes and reads the same way: any order,
  // overlaps, spaces and line ends, too many commas, an interval that ends before it begins (it is empty).
  // What servers read in different ways is refused: "010" is eight to MySQL 5.6 and ten to 9.7.
  static std::optional<GtidSet> parse(std::string_view);

  [[nodiscard]] bool empty() const { return sources_.empty(); }
  // Whether all of `other` is in this set; the server's GTID_SUBSET(other, this).
  [[nodiscard]] bool contains(const GtidSet& other) const;
  [[nodiscard]] GtidSet subtract(const GtidSet& other) const;
  [[nodiscard]] GtidSet unite(const GtidSet& other) const;
  [[nodiscard]] GtidSet intersect(const GtidSet& other) const;
  // The set without what that server numbered, under any tag. The case of the UUID does not matter.
  [[nodiscard]] GtidSet without(std::string_view uuid) const;
  // What lies between the first and the last of each source and tag, and is not in the set.
  [[nodiscard]] GtidSet holes() const;
  // How many transactions; the largest number of its type when they are more.
  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] const std::map<GtidSource, Intervals>& sources() const { return sources_; }
  bool operator==(const GtidSet&) const = default;

 private:
  std::map<GtidSource, Intervals> sources_;
};
// As the server prints it, but on one line.
std::string to_text(const GtidSet&);

}  // namespace stemma
