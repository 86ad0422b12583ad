// A scenario is a text file: a fleet, what happened to it before, the topology file, and what is expected. README.md
// beside the scenarios tells the language. A new test needs no C++.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "plans/observed.h"

namespace stemma::scenarios {

// "replica: stop receiver"; without a server it is about all: "settle".
struct Command {
  std::string server;
  std::vector<std::string> words;
  std::string text;
};

struct FleetServer {
  std::string name;
  Flavor flavor = Flavor::mariadb;
  Version version;
  std::vector<std::string> words;  // "gtid", "no-binlog"
};

struct Scenario {
  std::filesystem::path path;
  std::string title;
  // Sections without lines, which say of the scenario what is true of few.
  bool only_simulated = false;        // no real server can be made to do it in time
  bool left_after_a_restart = false;  // what a restart undoes in the middle of it, a person has to mend
  std::vector<FleetServer> fleet;
  std::vector<Command> before;
  std::string coordinates = "auto";
  std::string plugin;  // of the replication account; "" for the server's own choice
  std::string lag;     // limits.lag; "" for none
  std::vector<std::vector<std::string>>
      declared;                                 // a server each, in the words of tests/plans/support_words.h
  std::map<std::string, std::string> expected;  // by section: "differs", "warned", "plan", "refused", "end"
};

// Throws std::runtime_error for a text that makes no sense, with its line.
Scenario read_scenario(const std::filesystem::path&);
std::vector<std::filesystem::path> scenario_files();

// The text of the topology file, with addresses by server.
std::string topology_text(const Scenario&, const std::map<std::string, std::string>& addresses,
                          const std::string& account);

// "follows primary by gtid, applier off (1062)".
std::string words_of(const Channel&, const std::string& source);
// "1-3,7"
std::string intervals(const std::set<std::uint64_t>& numbers);

// How a server stands in the end.
struct Standing {
  bool up = true, read_only = false, super_read_only = false;
  std::vector<std::string> channels;  // words_of()
  std::set<std::uint64_t> rows;       // keys of app.t
};
// A line for each server. A replica of one source that has its rows has "rows as SOURCE"; without `counts` the rows of
// others are not told.
std::string end_text(const std::map<std::string, Standing>&, const Scenario&, bool counts = true);

// Compares the sections with those of the file; with STEMMA_WRITE_EXPECTED set they are written into it instead: look
// at the difference before you commit it.
void check_sections(const Scenario&, const std::map<std::string, std::string>& sections);

}  // namespace stemma::scenarios
