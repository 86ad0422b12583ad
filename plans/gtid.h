// MariaDB's GTIDs as values: domain-server-sequence. Pure: no server is asked.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace stemma {

struct Gtid {
  std::uint32_t domain = 0;
  std::uint32_t server = 0;
  std::uint64_t sequence = 0;
  auto operator<=>(const Gtid&) const = default;
};
std::string to_text(const Gtid&);  // "0-1-42"

// A position: the last GTID of each domain ("0-1-42,1-7-3"). The server part says who wrote it; how far
// a position is depends on the sequences alone.
class GtidPosition {
 public:
  // nullopt for a malformed text; "" is the position before everything.
  static std::optional<GtidPosition> parse(std::string_view);
  [[nodiscard]] bool empty() const { return last_.empty(); }
  // Whether this position is at or past `other` in each of its domains.
  [[nodiscard]] bool reached(const GtidPosition& other) const;
  [[nodiscard]] const std::map<std::uint32_t, Gtid>& domains() const { return last_; }
  // This position with the domains of `other`; where both have one, it is the other's.
  [[nodiscard]] GtidPosition with(const GtidPosition& other) const;
  bool operator==(const GtidPosition&) const = default;

 private:
  std::map<std::uint32_t, Gtid> last_;
};
std::string to_text(const GtidPosition&);

// gtid_binlog_state: the last sequence that each server wrote in each domain. It shows what a position
// hides: transactions of a server that another one has overtaken.
class GtidState {
 public:
  static std::optional<GtidState> parse(std::string_view);
  [[nodiscard]] bool empty() const { return last_.empty(); }
  // Whether the transaction is known to be in that server's history.
  [[nodiscard]] bool contains(const Gtid&) const;
  [[nodiscard]] const std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t>& entries() const {
    return last_;
  }
  // The highest sequence of the domain, whoever wrote it; 0 if there is none.
  [[nodiscard]] std::uint64_t highest(std::uint32_t domain) const;
  bool operator==(const GtidState&) const = default;

 private:
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> last_;
};
std::string to_text(const GtidState&);

}  // namespace stemma
