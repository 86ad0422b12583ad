// A place in a server's history, in the GTIDs of either flavor.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plans/gtid.h"
#include "plans/gtid_set.h"

namespace stemma {

// At most one of the two is not empty. Both empty: before everything.
struct GtidPoint {
  GtidPoint() = default;
  // NOLINTBEGIN(google-explicit-constructor): it is either
  GtidPoint(GtidPosition of_mariadb) : position(std::move(of_mariadb)) {}
  GtidPoint(GtidSet of_mysql) : set(std::move(of_mysql)) {}
  // NOLINTEND(google-explicit-constructor)

  GtidPosition position;  // MariaDB: the last GTID of each domain
  GtidSet set;            // MySQL: all that was executed

  // Either form tells itself apart: MySQL's has colons. nullopt for what is neither.
  static std::optional<GtidPoint> parse(std::string_view);
  [[nodiscard]] bool empty() const { return position.empty() && set.empty(); }
  // Whether this place is at or past `other`.
  [[nodiscard]] bool reached(const GtidPoint& other) const;
  // The place behind both; where both have a MariaDB domain, the other's.
  [[nodiscard]] GtidPoint with(const GtidPoint& other) const;
  bool operator==(const GtidPoint&) const = default;
};
std::string to_text(const GtidPoint&);

}  // namespace stemma
