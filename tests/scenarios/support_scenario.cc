#include "tests/scenarios/support_scenario.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

#include "tests/catch.h"
#include "tests/plans/support_words.h"

namespace stemma::scenarios {
namespace fs = std::filesystem;
namespace {

const std::vector<std::string>& expectations() {
  static const std::vector<std::string> all = {"differs", "warned", "plan", "refused", "end"};
  return all;
}

FleetServer fleet_server(const std::vector<std::string>& words) {
  if (words.size() < 3) throw std::runtime_error("a server of the fleet is NAME FLAVOR VERSION");
  FleetServer server{words[0], words[1] == "mysql" ? Flavor::mysql : Flavor::mariadb, {}, {}};
  const auto part = split(words[2], ".");
  server.version = {std::stoi(part.at(0)), std::stoi(part.at(1)), std::stoi(part.at(2))};
  server.words.assign(words.begin() + 3, words.end());
  return server;
}

Command command(const std::string& line) {
  const auto colon = line.find(": ");
  Command command;
  command.text = line;
  if (colon != line.npos) command.server = line.substr(0, colon);
  command.words = split(std::string_view(line).substr(colon == line.npos ? 0 : colon + 2), " ");
  return command;
}

}  // namespace

std::vector<fs::path> scenario_files() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(STEMMA_SOURCE_DIR) / "tests" / "scenarios"))
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

Scenario read_scenario(const fs::path& path) {
  Scenario scenario;
  scenario.path = path;
  std::ifstream in(path);
  std::string line, section;
  std::getline(in, scenario.title);
  for (int number = 2; std::getline(in, line); ++number) {
    if (line.empty() || line.starts_with('#')) continue;
    if (line.front() != ' ') {
      section = line;
      if (section == "only simulated") scenario.only_simulated = true;
      if (section == "left after a restart") scenario.left_after_a_restart = true;
      static const std::set<std::string> others = {"fleet", "before", "file", "only simulated",
                                                   "left after a restart"};
      if (!others.contains(section) &&
          std::find(expectations().begin(), expectations().end(), section) == expectations().end())
        throw std::runtime_error(fmt::format("{}:{}: no such section: {}", path.string(), number, section));
      continue;
    }
    const std::string text = line.substr(line.find_first_not_of(' '));
    const auto words = split(text, " ");
    if (section == "fleet")
      scenario.fleet.push_back(fleet_server(words));
    else if (section == "before")
      scenario.before.push_back(command(text));
    else if (section == "file" && words[0] == "by")
      scenario.coordinates = words.at(1);
    else if (section == "file" && words[0] == "plugin")
      scenario.plugin = words.at(1);
    else if (section == "file" && words[0] == "lag")
      scenario.lag = words.at(1);
    else if (section == "file")
      scenario.declared.push_back(words);
    else if (std::find(expectations().begin(), expectations().end(), section) != expectations().end())
      scenario.expected[section] += text + "\n";
    else
      throw std::runtime_error(fmt::format("{}:{}: no such section: {}", path.string(), number, section));
  }
  return scenario;
}

std::string topology_text(const Scenario& scenario, const std::map<std::string, std::string>& addresses,
                          const std::string& account) {
  std::string text =
      fmt::format("[topology]\nname = \"scenario\"\ncoordinates = \"{}\"\n{}", scenario.coordinates, account);
  if (!scenario.plugin.empty())
    text += fmt::format("plugin = \"{}\"\n", scenario.plugin);  // account's is the open table
  if (!scenario.lag.empty()) text += fmt::format("[limits]\nlag = \"{}\"\n", scenario.lag);
  for (const auto& words : scenario.declared) {
    const auto address = addresses.find(words[0]);
    text += server_table(words, address == addresses.end() ? "" : address->second);
  }
  return text;
}

std::string words_of(const Channel& channel, const std::string& source) {
  std::string text =
      fmt::format("follows {} by {}", source, channel.gtid == ChannelGtid::no ? "position" : "gtid");
  if (!channel.name.empty()) text = fmt::format("'{}' {}", channel.name, text);
  if (channel.receiver == ReceiverState::on && channel.applier) return text;
  if (channel.receiver == ReceiverState::off) text += ", receiver off";
  if (channel.receiver == ReceiverState::connecting) text += ", connecting";
  if (channel.receiver_errno != 0) text += fmt::format(" ({})", channel.receiver_errno);
  if (!channel.applier) text += ", applier off";
  if (channel.applier_errno != 0) text += fmt::format(" ({})", channel.applier_errno);
  return text;
}

std::string intervals(const std::set<std::uint64_t>& numbers) {
  std::vector<std::string> texts;
  for (auto at = numbers.begin(); at != numbers.end();) {
    const std::uint64_t first = *at;
    std::uint64_t last = first;
    for (++at; at != numbers.end() && *at == last + 1; ++at) last = *at;
    texts.push_back(first == last ? std::to_string(first) : fmt::format("{}-{}", first, last));
  }
  return fmt::format("{}", fmt::join(texts, ","));
}

std::string end_text(const std::map<std::string, Standing>& standings, const Scenario& scenario,
                     bool counts) {
  std::string text;
  for (const auto& [name, standing] : standings) {
    text += name;
    if (!standing.up) {
      text += "  down\n";
      continue;
    }
    text += standing.super_read_only ? "  super-read-only"
            : standing.read_only     ? "  read-only"
                                     : "  writable";
    for (const std::string& channel : standing.channels) text += "  " + channel;
    const auto declared = std::find_if(scenario.declared.begin(), scenario.declared.end(),
                                       [&, &called = name](const auto& words) { return words[0] == called; });
    std::vector<std::string> sources;
    if (declared != scenario.declared.end())
      for (std::size_t i = 1; i < declared->size(); ++i) {
        const auto less = (*declared)[i].find('<');
        if (less != std::string::npos)
          sources.push_back(less == 0 ? declared->at(i + 1) : (*declared)[i].substr(less + 1));
      }
    if (!standing.rows.empty() && sources.size() == 1 && standings.at(sources[0]).up &&
        standings.at(sources[0]).rows == standing.rows)
      text += fmt::format("  rows as {}", sources[0]);
    else if (!standing.rows.empty())
      text += counts ? fmt::format("  rows {}", intervals(standing.rows)) : "  rows";
    text += "\n";
  }
  return text;
}

void check_sections(const Scenario& scenario, const std::map<std::string, std::string>& sections) {
  if (std::getenv("STEMMA_WRITE_EXPECTED") != nullptr) {
    std::ifstream in(scenario.path);
    std::string line, kept;
    while (std::getline(in, line) &&
           std::find(expectations().begin(), expectations().end(), line) == expectations().end())
      kept += line + "\n";
    in.close();
    for (const std::string& name : expectations()) {
      const auto found = sections.find(name);
      if (found == sections.end() || found->second.empty()) continue;
      kept += name + "\n";
      for (const std::string& text : split(found->second, "\n")) kept += "  " + text + "\n";
      kept += "\n";
    }
    while (kept.ends_with("\n\n")) kept.pop_back();
    std::ofstream(scenario.path) << kept;
    return;
  }
  for (const auto& [name, text] : sections) {
    INFO("section " << name);
    const auto found = scenario.expected.find(name);
    CHECK(text == (found == scenario.expected.end() ? "" : found->second));
  }
}

}  // namespace stemma::scenarios
