// GTIDs of both kinds from any bytes: nothing crashes, what was read is printed and read back, and sets obey their
// laws. The two sides of a '|' are two texts.
#include "plans/gtid.h"
#include "plans/gtid_set.h"
#include "tests/fuzz/support.h"

using namespace stemma;

namespace {

template <class Value>
void reads_back(std::string_view text) {
  if (const auto value = Value::parse(text)) must(Value::parse(to_text(*value)) == value);
}

void obeys_laws(const GtidSet& a, const GtidSet& b) {
  const GtidSet difference = a.subtract(b), both = a.intersect(b), all = a.unite(b);
  must(difference.unite(both) == a);
  must(difference.intersect(b).empty());
  must(all.subtract(b) == difference);
  must(all.contains(a) && all.contains(b));
  must(a.contains(b) == b.subtract(a).empty());
  must(difference.count() <= a.count() && a.count() <= all.count());
  for (const auto& [source, intervals] : a.sources())
    must(!a.without(source.uuid).sources().contains(source));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = text_of(data, size);
  const auto bar = input.find('|');
  const auto left = input.substr(0, bar), right = bar == input.npos ? left : input.substr(bar + 1);
  reads_back<GtidPosition>(left);
  reads_back<GtidState>(left);
  reads_back<GtidSet>(left);
  const auto a = GtidSet::parse(left), b = GtidSet::parse(right);
  if (a && b) obeys_laws(*a, *b);
  return 0;
}
