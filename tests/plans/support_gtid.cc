#include "tests/plans/support_gtid.h"

#include <fmt/format.h>

#include <cctype>
#include <random>

#include "tests/catch.h"

namespace stemma::test {

rc::Gen<GtidPieces> gtid_pieces(bool tags) {
  namespace gen = rc::gen;
  const auto source = gen::construct<GtidSource>(
      gen::element<std::string>("3e11fa47-71ca-11e1-9e33-c80aa9429562",
                                "3e11fa47-71ca-11e1-9e33-c80aa9429563",
                                "00000000-0000-0000-0000-000000000000"),
      tags ? gen::element<std::string>("", "", "tag", "_t9", "abcdefghijklmnopqrstuvwxyz_01234")
           : gen::just(std::string()));
  const auto base = gen::weightedElement<std::uint64_t>({{9, 0}, {1, 9223372036854775806U - 40}});
  const auto piece = gen::apply(
      [](GtidSource of, std::uint64_t at, std::uint64_t first, std::uint64_t length) {
        return GtidPiece{std::move(of), at + first, at + first + length};
      },
      source, base, gen::inRange<std::uint64_t>(1, 31), gen::inRange<std::uint64_t>(0, 10));
  return gen::container<GtidPieces>(piece);
}

std::string written(const GtidPieces& pieces, std::uint32_t manner) {
  std::mt19937 dice(manner);
  const auto one_in = [&](std::uint32_t n) { return manner != 0 && dice() % n == 0; };
  const auto space = [&] { return one_in(6) ? std::string(one_in(2) ? " " : "\n") : std::string(); };
  const auto in_case = [&](std::string text) {
    for (char& c : text)
      if (one_in(9)) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
  };
  std::string text = space();
  GtidSource last;
  for (const auto& [source, first, end] : pieces) {
    // What says the same source again may leave it out.
    if (text.empty() || last.uuid != source.uuid || one_in(4) || (!last.tag.empty() && source.tag.empty())) {
      text +=
          (last.uuid.empty() ? "" : ",") + space() + (one_in(9) ? "," : "") + in_case(source.uuid) + space();
      last = {source.uuid, {}};
    }
    if (last.tag != source.tag) text += ":" + in_case(source.tag) + space();
    last = source;
    text += fmt::format(":{}", first) + space();
    if (first != end || one_in(4)) text += "-" + space() + fmt::format("{}", end) + space();
    if (one_in(9)) text += fmt::format(":{}-{}", first, first - 1) + space();
  }
  return text + (one_in(9) ? "," : "");
}

GtidSet set_of(const GtidPieces& pieces) {
  const auto set = GtidSet::parse(written(pieces));
  REQUIRE(set.has_value());
  return *set;
}

void showValue(const GtidPiece& piece, std::ostream& out) { out << written({piece}); }

}  // namespace stemma::test

namespace stemma {

void showValue(const GtidSource& source, std::ostream& out) {
  out << source.uuid << (source.tag.empty() ? "" : ":") << source.tag;
}
void showValue(const GtidSet& set, std::ostream& out) { out << '"' << to_text(set) << '"'; }

}  // namespace stemma
