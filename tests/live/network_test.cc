// A network that swallows packets: nobody is told anything, and whoever waits has to give up by itself.
#include <fmt/format.h>

#include "tests/catch.h"
#include "tests/live/support_network.h"
#include "tests/live/support_story.h"

namespace stemma::live {
namespace {

// What was lost is sent again after up to as long as the cut lasted, and STOP SLAVE waits for a receiver that is
// connecting, longer than the step of these stories may last. So more than one run may be needed.
constexpr std::chrono::seconds until_the_network_is_back{60};

}  // namespace

TEST_CASE("the network between stemma and a server is cut in the middle of an apply",
          "[live][faults][network]") {
  const PrivateNetwork network;
  Shape shape = quickstart("gtid");
  shape.step = "3s";
  Story story(shape);
  REQUIRE(story.apply().code == 0);
  Writer& writer = story.writer();
  story.caught_up();
  disorder(story);
  const Ran whole = story.apply();
  REQUIRE(whole.code == 0);
  for (int round = 0; round < 6; ++round) {
    const std::string server = round % 3 == 0 ? "primary" : round % 3 == 1 ? "replica-1" : "replica-2";
    const auto moment = whole.took * round / 6;
    INFO("round " << round << ": " << server << " after " << moment.count() << " ms of "
                  << whole.took.count());
    disorder(story);
    writer.must_write();
    const auto running = story.start({"apply", story.file(), "--yes", "--timeout", "20s"});
    std::this_thread::sleep_for(moment);
    network.cut("127.0.0.1", story.port(server));
    const Ran struck = running->wait(std::chrono::seconds(40));
    INFO(struck.all());
    CHECK((struck.code == 0 || struck.code == 5 || struck.code == 6));
    CHECK(struck.took < std::chrono::seconds(25));
    if (struck.code != 0) CHECK(contains(struck.all(), server));
    network.heal();
    writer.must_write();
    arrives(story, until_the_network_is_back);
    writer.must_write();
    CHECK(story.codes().empty());
  }
  CHECK(story.applied_steps().empty());
  story.same_data();
}

// The replicas know their source by an address of its own, so that only their way to it is cut.
TEST_CASE("the network between a source and its replicas is cut in the middle of an apply",
          "[live][faults][network]") {
  const PrivateNetwork network;
  for (const char* mode : {"gtid", "position"}) {
    INFO(mode);
    Shape shape = quickstart(mode);
    shape.step = "4s";
    Story story(shape);
    story.restart("primary", {"--bind-address=0.0.0.0"});  // there is nobody else in this network
    shape.servers[0].more = fmt::format("advertise = \"127.0.0.2:{}\"", story.port("primary"));
    story.rewrite(shape);

    // Before the first connection ...
    network.cut("127.0.0.2", story.port("primary"));
    const Ran first = story.stemma({"apply", "--yes"});
    INFO(first.all());
    CHECK(first.code == 5);
    CHECK(contains(first.all(), fmt::format("127.0.0.2:{}", story.port("primary"))));
    CHECK_FALSE(story.codes().empty());
    network.heal();
    arrives(story, until_the_network_is_back);
    CHECK(story.codes().empty());

    // ... and while data flow.
    Writer& writer = story.writer();
    story.caught_up();
    disorder(story);
    writer.must_write();
    network.cut("127.0.0.2", story.port("primary"));
    writer.must_write();
    const Ran struck = story.stemma({"apply", "--yes"});
    INFO(struck.all());
    CHECK(struck.code == 5);
    writer.must_write();
    network.heal();
    arrives(story, until_the_network_is_back);
    writer.must_write();
    CHECK(story.codes().empty());
    CHECK(story.applied_steps().empty());
    story.same_data();
  }
}

}  // namespace stemma::live
