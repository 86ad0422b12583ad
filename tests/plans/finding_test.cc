// The finite list of codes, and drift that somebody has accepted.
#include "plans/finding.h"

#include <set>

#include "plans/diff.h"
#include "tests/catch.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;

namespace {

std::string ignore(const std::string& code, const std::string& more) {
  return "[[ignore]]\ncode = \"" + code + "\"\nreason = \"CHG-123\"\n" + more + "\n";
}

}  // namespace

TEST_CASE("the list of codes") {
  std::set<std::string_view> codes, warnings;
  for (const CodeInfo& code : finding_codes()) {
    CHECK(codes.insert(code.code).second);
    CHECK_FALSE(code.meaning.empty());
    if (code.weight == Weight::warning) warnings.insert(code.code);
  }
  CHECK(codes.size() == 44);
  CHECK(warnings == std::set<std::string_view>{"server.version-order", "source.schema-shared",
                                               "source.unmanaged-replica", "channel.unmanaged",
                                               "variable.not-persisted"});
  CHECK(finding("replica.lag", {"r"}, "lag", "1s", "2s", "late").weight == Weight::error);
  CHECK(finding("channel.unmanaged", {"r"}, "", "", "", "").weight == Weight::warning);
  CHECK(to_text(Weight::error) == "error");
  CHECK(to_text(Weight::warning) == "warning");
  CHECK(to_text(Weight::info) == "info");
}

TEST_CASE("accepted drift stays in sight and does not count") {
  const Story story("a; r1 < a | writable; r2 < a | writable", ignore("replica.writable", "server = \"r1\""));
  auto findings = diff(story.scene());
  CHECK(mark_ignored(findings, story.topology, "2026-01-01").empty());
  CHECK(told(findings) ==
        "ignored error r1 replica.writable read_only: ON, but OFF\n"
        "error r2 replica.writable read_only: ON, but OFF\n");
  CHECK(verdict_of(findings) == DriftVerdict::drifted);
}

TEST_CASE("an ignore without a server covers them all") {
  const Story story("a; r1 < a | writable; r2 < a | writable", ignore("replica.writable", ""));
  auto findings = diff(story.scene());
  CHECK(mark_ignored(findings, story.topology, "2026-01-01").empty());
  CHECK(verdict_of(findings) == DriftVerdict::in_sync);
}

TEST_CASE("an ignore counts on its last day, and no longer") {
  const Story story("a; r < a | writable", ignore("replica.writable", "until = 2026-12-31"));
  auto findings = diff(story.scene());
  CHECK(mark_ignored(findings, story.topology, "2026-12-31").empty());
  CHECK(verdict_of(findings) == DriftVerdict::in_sync);
  findings = diff(story.scene());
  const auto complaints = mark_ignored(findings, story.topology, "2027-01-01");
  REQUIRE(complaints.size() == 1);
  CHECK(complaints[0].weight == Weight::warning);
  CHECK(complaints[0].message ==
        "the [[ignore]] of replica.writable ended on 2026-12-31 and no longer counts");
  CHECK(complaints[0].place.line > 0);
  CHECK(verdict_of(findings) == DriftVerdict::drifted);
}

TEST_CASE("an ignore that covers nothing is worth a word") {
  const Story story("a; r < a", ignore("replica.lag", "server = \"r\""));
  auto findings = diff(story.scene());
  const auto complaints = mark_ignored(findings, story.topology, "2026-01-01");
  REQUIRE(complaints.size() == 1);
  CHECK(complaints[0].server.text == "r");
  CHECK(complaints[0].message == "the [[ignore]] of replica.lag on r covers nothing; take it out");
}
