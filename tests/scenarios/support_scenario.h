// A scenario is a text file: a fleet, what happened to it before, the topology file, and what is expected. README.md
// beside the scenarios tells the language. A new test needs no C++.
#pragma once

#include <filesystem>
#include <map>
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
  std::vector<std::vector<std::string>>
      declared;                                 // a server each, in the words of tests/plans/support_words.h
  std::map<std::string, std::string> expected;  // by section: "differs", "plan", "refused", "notes", "end"
};

// Throws std::runtime_error for a text that makes no sense, with its line.
Scenario read_scenario(const std::filesystem::path&);
std::vector<std::filesystem::path> scenario_files();

// The text of the topology file, with addresses by server.
std::string topology_text(const Scenario&, const std::map<std::string, std::string>& addresses,
                          const std::string& account);

// Compares the sections with those of the file; with STEMMA_WRITE_EXPECTED set they are written into it instead: look
// at the difference before you commit it.
void check_sections(const Scenario&, const std::map<std::string, std::string>& sections);

}  // namespace stemma::scenarios
