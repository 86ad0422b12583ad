#include "tests/scenarios/support_generator.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/plans/support_words.h"

namespace stemma::scenarios {
namespace {

// Numbers in the order in which they are asked for; 0 when there are none left.
class Choices {
 public:
  explicit Choices(const std::vector<std::uint16_t>& numbers) : numbers_(numbers) {}
  [[nodiscard]] bool left() const { return at_ < numbers_.size(); }
  std::size_t below(std::size_t limit) { return left() ? numbers_[at_++] % limit : 0; }
  bool one_in(std::size_t n) { return below(n) == 1; }  // 0 is "no"

 private:
  const std::vector<std::uint16_t>& numbers_;
  std::size_t at_ = 0;
};

// What may have happened to a server. The first half harms no data.
struct Happening {
  const char* words;
  bool damages = false;
};
const std::vector<Happening>& happenings() {
  static const std::vector<Happening> all = {
      {"write 2"},
      {"stop"},
      {"stop receiver"},
      {"stop applier"},
      {"writable"},
      {"read-only"},
      {"rotate"},
      {"purge"},
      {"restart"},
      {"drop-account unlogged"},
      {"no-grant"},
      {"set sync_binlog 1"},
      {"forget"},
      {"start"},
      {"shut-down"},
      {"schema shop", true},
      {"write 1 root", true},
      {"write 1 root unlogged", true},
      {"reset-binlog", true},
      {"gtid-position", true},
      {"follow s0", true},
  };
  return all;
}

void command(Scenario& scenario, const std::string& server, const std::string& words) {
  scenario.before.push_back({server, split(words, " "), server.empty() ? words : server + ": " + words});
}

}  // namespace

Generated generate(const std::vector<std::uint16_t>& numbers, std::size_t most_servers) {
  Choices choices(numbers);
  Generated made;
  Scenario& scenario = made.scenario;
  scenario.title = "A scenario that was made up.";
  static const char* const modes[] = {"position", "gtid", "auto"};
  scenario.coordinates = modes[choices.below(3)];
  const bool mysql = choices.one_in(3), by_gtid = choices.one_in(2);
  const std::size_t count = 2 + choices.below(most_servers - 1);
  for (std::size_t i = 0; i < count; ++i)
    scenario.fleet.push_back({fmt::format("s{}", i), mysql ? Flavor::mysql : Flavor::mariadb,
                              mysql ? Version{8, 0, 36} : Version{10, 11, 6},
                              mysql ? std::vector<std::string>{"gtid"} : std::vector<std::string>{}});
  // What stands: replicas of those before them; some are not set up yet.
  for (std::size_t i = 0; i < count; ++i) {
    const std::string& name = scenario.fleet[i].name;
    const bool root = i == 0 || choices.one_in(12), fresh = choices.one_in(4);
    if (fresh && i > 0) continue;
    command(scenario, name, "account unlogged");
    if (root) continue;
    command(scenario, name, mysql ? "super-read-only" : "read-only");
    command(scenario, name,
            fmt::format("follow s{}{}{}", choices.below(i), by_gtid || mysql ? " by-gtid" : "",
                        choices.one_in(8) ? " delay=3" : ""));
  }
  if (choices.below(4) != 3) command(scenario, "s0", "write 3");
  command(scenario, "", "settle");
  // What the file wants.
  static const char* const words[] = {"",
                                      "",
                                      "",
                                      "",
                                      "delay=2s",
                                      "variables.sync_binlog=1",
                                      "connect_retry=7s",
                                      "provision=replay",
                                      "provision=assume-identical"};
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::string> line = {scenario.fleet[i].name};
    if (i > 0 && !choices.one_in(12)) {
      line.insert(line.end(), {"<", fmt::format("s{}", choices.below(i))});
      const std::string more = words[choices.below(std::size(words))];
      if (!more.empty()) line.push_back(more);
      made.damaged = made.damaged || more == "provision=assume-identical";
    }
    scenario.declared.push_back(line);
  }
  // What happened since.
  const std::size_t harmless = choices.one_in(3) ? happenings().size() : 15;
  while (choices.left()) {
    const Happening& happened = happenings()[choices.below(harmless)];
    const std::string& server = scenario.fleet[choices.below(count)].name;
    command(scenario, server, happened.words);
    // A server that was to be a replica, and wrote before it was one.
    made.damaged = made.damaged || happened.damages ||
                   (server != "s0" && (happened.words == std::string_view("writable") ||
                                       happened.words == std::string_view("write 2") ||
                                       happened.words == std::string_view("restart")));
    if (choices.one_in(4)) command(scenario, "", "settle");
  }
  return made;
}

std::string to_text(const Scenario& scenario) {
  std::string text = scenario.title + "\n\nfleet\n";
  for (const FleetServer& server : scenario.fleet)
    text += fmt::format("  {} {} {} {}\n", server.name, server.flavor == Flavor::mysql ? "mysql" : "mariadb",
                        stemma::to_text(server.version), fmt::join(server.words, " "));
  text += "\nbefore\n";
  for (const Command& command : scenario.before) text += "  " + command.text + "\n";
  text += fmt::format("\nfile\n  by {}\n", scenario.coordinates);
  for (const auto& words : scenario.declared) text += fmt::format("  {}\n", fmt::join(words, " "));
  return text;
}

}  // namespace stemma::scenarios
