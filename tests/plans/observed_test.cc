// Coordinates, and small questions to what was observed.
#include "plans/observed.h"

#include "tests/catch.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;

TEST_CASE("coordinates read back as they were printed") {
  for (const char* text : {"mysql-bin.000003:328", "a.b.c.000001:4", "host:with:colons.1:0",
                           "/var/log/bin.000001:18446744073709551615"}) {
    INFO(text);
    CHECK(to_text(at(text)) == text);
  }
  CHECK(to_text(Coordinates{}) == "unknown");
  CHECK_FALSE(Coordinates{}.known());
}

TEST_CASE("what are no coordinates") {
  const char* const text =
      GENERATE("", ":", ":328", "mysql-bin.000003", "mysql-bin.000003:", "mysql-bin.000003:x",
               "mysql-bin.000003:-1", "mysql-bin.000003:3 ", "mysql-bin:328", "mysql-bin.:328",
               "mysql-bin.index:328", "mysql-bin.000003:18446744073709551616", "0-1-42");
  INFO(text);
  CHECK_FALSE(parse_coordinates(text).has_value());
}

TEST_CASE("binlogs are in the order of their numbers, not of their texts") {
  CHECK(reached(at("b.000001:5"), at("b.000001:5")));
  CHECK(reached(at("b.000001:6"), at("b.000001:5")));
  CHECK_FALSE(reached(at("b.000001:4"), at("b.000001:5")));
  CHECK(reached(at("b.000002:4"), at("b.000001:500")));
  CHECK(reached(at("b.1000000:4"), at("b.999999:500")));
  CHECK_FALSE(reached(at("b.999999:500"), at("b.1000000:4")));
  CHECK(reached(at("b.000001:1000000000000"), at("b.000001:999999999999")));
}

TEST_CASE("a receiver streams when it is past its handshake") {
  Channel channel;
  channel.receiver = ReceiverState::on;
  const auto doing = [&](const char* what) {
    channel.receiver_doing = what;
    return channel.streaming();
  };
  CHECK(doing("Waiting for master to send event"));
  CHECK(doing("Waiting for source to send event"));
  CHECK(doing("Queueing master event to the relay log"));
  CHECK_FALSE(doing("Checking master version"));
  CHECK_FALSE(doing("Connecting to master"));
  CHECK_FALSE(doing(""));
  channel.receiver_errno = 2003;
  CHECK_FALSE(doing("Waiting for master to send event"));
  channel.receiver_errno = 0;
  channel.receiver = ReceiverState::connecting;
  CHECK_FALSE(doing("Waiting for master to send event"));
}

TEST_CASE("channels are found by name, servers by theirs") {
  Story story("primary; replica < primary | channel=elsewhere");
  const ServerState& replica = story.state("replica");
  REQUIRE(replica.channel() != nullptr);
  CHECK(replica.channel()->host == "primary");
  REQUIRE(replica.channel("other") != nullptr);
  CHECK(replica.channel("other")->host == "elsewhere");
  CHECK(replica.channel("third") == nullptr);
  CHECK(story.fleet.find({"nobody"}) == nullptr);
  CHECK(to_text(AccountName{"repl", "%"}) == "'repl'@'%'");
  CHECK(to_text(Version{10, 11, 6}) == "10.11.6");
}
