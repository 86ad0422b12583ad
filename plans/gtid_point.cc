#include "plans/gtid_point.h"

namespace stemma {

std::optional<GtidPoint> GtidPoint::parse(std::string_view text) {
  GtidPoint point;
  if (text.find(':') == text.npos) {
    const auto position = GtidPosition::parse(text);
    if (!position) return std::nullopt;
    point.position = *position;
    return point;
  }
  const auto set = GtidSet::parse(text);
  if (!set) return std::nullopt;
  point.set = *set;
  return point;
}

bool GtidPoint::reached(const GtidPoint& other) const {
  return position.reached(other.position) && set.contains(other.set);
}

std::string to_text(const GtidPoint& point) {
  return point.set.empty() ? to_text(point.position) : to_text(point.set);
}

GtidPoint GtidPoint::with(const GtidPoint& other) const {
  GtidPoint both(position.with(other.position));
  both.set = set.unite(other.set);
  return both;
}

}  // namespace stemma
