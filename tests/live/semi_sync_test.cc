// Semi-synchronous replication, switched on, lost and switched off again under a writer.
#include <fmt/format.h>

#include "plans/semi_sync.h"
#include "providers/mysql/reader.h"
#include "tests/catch.h"
#include "tests/live/support_story.h"

namespace stemma::live {
namespace {

// The words that this server has for the two ends.
struct Words {
  std::string source = "master", replica = "slave";
};

Words words_of(Story& story) {
  const std::string version = story.cell("primary", "SELECT VERSION()");
  const bool renamed =
      mysql::flavor_of(version) == Flavor::mysql && mysql::parse_version(version) >= Version{8, 0, 26};
  return renamed ? Words{"source", "replica"} : Words{};
}

Shape with_semi_sync(const Words& words, const std::string& value) {
  Shape shape = quickstart("position");
  for (ServerLines& server : shape.servers)
    server.more = fmt::format("variables = {{ rpl_semi_sync_{}_enabled = \"{}\" }}",
                              server.source.empty() ? words.source : words.replica, value);
  return shape;
}

// MariaDB has it built in; MySQL wants a plugin on each server.
void install(Story& story, const Words& words) {
  for (const char* server : {"primary", "replica-1", "replica-2"}) {
    const std::string& word = std::string(server) == "primary" ? words.source : words.replica;
    const std::string fenced = story.cell(server, "SELECT @@super_read_only");
    story.unlogged(server, {"SET GLOBAL super_read_only = OFF",
                            fmt::format("INSTALL PLUGIN rpl_semi_sync_{0} SONAME 'semisync_{0}.so'", word),
                            "SET GLOBAL super_read_only = " + fenced});
  }
}

std::string status(Story& story, const std::string& server, const std::string& name) {
  const std::string row =
      story.lines(server, fmt::format("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_{}'", name));
  const auto value = row.find('\t') + 1;
  return row.substr(value, row.find_first_of("\t\n", value) - value);
}

}  // namespace

TEST_CASE("semi-sync is switched on, mended and switched off", "[live][server][semi-sync]") {
  Story story(quickstart("position"));
  REQUIRE(story.apply().code == 0);
  story.make_app();
  story.writer().must_write();
  const Words words = words_of(story);
  const std::string source_variable = "rpl_semi_sync_" + words.source + "_enabled";
  const std::string replica_variable = "rpl_semi_sync_" + words.replica + "_enabled";

  story.rewrite(with_semi_sync(words, "ON"));
  if (story.cell("primary", fmt::format("SHOW VARIABLES LIKE '{}'", source_variable)).empty()) {
    const Ran refused = story.stemma({"plan"});
    INFO(refused.all());
    CHECK(refused.code == 3);
    CHECK(contains(refused.all(),
                   fmt::format("INSTALL PLUGIN rpl_semi_sync_{0} SONAME 'semisync_{0}.so'", words.source)));
    // MySQL 5.6 as npm has it comes without its plugins: there the refusal is all that can be seen.
    if (mysql::parse_version(story.cell("primary", "SELECT VERSION()")) < Version{5, 7, 0}) return;
    install(story, words);
  }

  // Both replicas acknowledge before the primary waits for them: no commit hangs.
  const auto steps = story.applied_steps();
  REQUIRE(steps.size() == 9);
  CHECK(steps.back() == "primary.set-variable." + source_variable);
  CHECK(status(story, "primary", words.source + "_clients") == "2");
  CHECK(status(story, "primary", words.source + "_status") == "ON");
  CHECK(story.applied_steps().empty());
  story.writer().must_write();

  // A receiver that connected while the variable was off: the variable alone does not show it.
  story.sql("replica-1",
            {"SET GLOBAL " + replica_variable + " = OFF", "STOP SLAVE IO_THREAD", "START SLAVE IO_THREAD"});
  story.await("replica-1", "Slave_IO_Running", "Yes");
  // It says Yes before it asks for the binlog, with which it asks to acknowledge.
  eventually("the receiver is sent events", [&] {
    const std::string state = story.slave("replica-1", "Slave_IO_State");
    return contains(state, "to send event") || contains(state, "Queueing");
  });
  eventually("the receiver no longer acknowledges",
             [&] { return status(story, "replica-1", words.replica + "_status") == "OFF"; });
  story.sql("replica-1", {"SET GLOBAL " + replica_variable + " = ON"});
  CHECK(story.codes() == Codes{"replica-1 replica.semi-sync-differs"});
  CHECK(story.applied_steps() == std::vector<std::string>{"replica-1.stop-replica", "replica-1.start-replica",
                                                          "replica-1.await-running"});
  CHECK(status(story, "replica-1", words.replica + "_status") == "ON");
  CHECK(story.codes().empty());

  story.rewrite(with_semi_sync(words, "OFF"));
  const auto off = story.applied_steps();
  REQUIRE(off.size() == 9);
  CHECK(off.front() == "primary.set-variable." + source_variable);
  for (const char* replica : {"replica-1", "replica-2"})
    CHECK(status(story, replica, words.replica + "_status") == "OFF");
  CHECK(story.applied_steps().empty());
  story.writer().must_write();
  story.same_data();
}

}  // namespace stemma::live
