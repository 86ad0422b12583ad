// The scenarios of tests/scenarios on real servers: what holds the simulated fleet to what servers do. The same plan, the
// same refusals, the same end.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>
#include <sstream>

#include "engine/survey.h"
#include "plans/topology_file.h"
#include "providers/mysql/provider.h"
#include "tests/catch.h"
#include "tests/live/support_story.h"
#include "tests/plans/support_words.h"
#include "tests/scenarios/support_scenario.h"

using namespace stemma;
using namespace stemma::live;
using namespace stemma::scenarios;

namespace {

bool says(const Command& command, std::string_view word) {
  return std::find(command.words.begin(), command.words.end(), word) != command.words.end();
}

Shape shape_of(const Scenario& scenario) {
  Shape shape;
  shape.coordinates = scenario.coordinates;
  shape.servers.clear();
  for (const FleetServer& server : scenario.fleet) {
    ServerLines lines{server.name, "", ""};
    for (const auto& words : scenario.declared) {
      if (words[0] != server.name) continue;
      std::istringstream table(server_table(words));
      std::string line;
      std::getline(table, line);  // [server.NAME]
      std::getline(table, line);  // address
      while (std::getline(table, line)) {
        if (line.starts_with("source = "))
          lines.source = line.substr(10, line.size() - 11);
        else
          lines.more += line + "\n";
      }
    }
    shape.servers.push_back(lines);
  }
  return shape;
}

// What this fleet has that the servers at hand are not, or can't be made to have.
bool can_be_played(const Scenario& scenario) {
  if (scenario.only_simulated || scenario.fleet.size() != scenario.declared.size()) return false;
  if (test::on_server("mysql-5.6")) return false;  // those of MySQL are of 8.0
  const Flavor here = test::on_mysql() ? Flavor::mysql : Flavor::mariadb;
  return std::all_of(scenario.fleet.begin(), scenario.fleet.end(), [&](const FleetServer& server) {
    const auto& words = server.words;
    const bool plain = words.empty() || (here == Flavor::mysql && words == std::vector<std::string>{"gtid"});
    return server.flavor == here && plain && (here == Flavor::mariadb || !words.empty());
  });
}

// A scenario's commands in SQL, as a person would type them.
class Stage {
 public:
  explicit Stage(const Scenario& scenario) : scenario_(scenario), story(shape_of(scenario)) {
    for (const Command& command : scenario.before) perform(command);
    settle();
  }

  void settle() {
    for (const FleetServer& server : scenario_.fleet)
      if (!down_.contains(server.name)) arrive(server.name);
  }

  std::string end() {
    settle();
    const Fleet fleet = observe();
    std::map<std::string, Standing> standings;
    for (const FleetServer& server : scenario_.fleet) {
      Standing& standing = standings[server.name];
      const ServerState* state = fleet.find({server.name});
      standing.up = state != nullptr;
      if (state == nullptr) continue;
      standing.read_only = state->read_only;
      standing.super_read_only = state->super_read_only.value_or(false);
      for (const Channel& channel : state->channels)
        standing.channels.push_back(words_of(channel, name_at(channel.port)));
      if (story.cell(server.name, "SHOW DATABASES LIKE 'app'").empty()) continue;
      std::istringstream keys(story.lines(server.name, "SELECT k FROM app.t"));
      for (std::uint64_t key = 0; keys >> key;) standing.rows.insert(key);
    }
    return end_text(standings, scenario_);
  }

 private:
  const Scenario& scenario_;
  std::set<std::string> down_;
  std::uint64_t rows_ = 0;

  void write(const Command& command, const std::vector<std::string>& statements) const {
    if (says(command, "unlogged"))
      story.unlogged(command.server, statements);
    else
      story.sql(command.server, statements);
  }

  [[nodiscard]] std::string name_at(std::uint16_t port) const {
    for (const FleetServer& server : scenario_.fleet)
      if (story.port(server.name) == port) return server.name;
    return "elsewhere";
  }

  Fleet observe() {
    auto read = read_topology(read_text(story.file()), story.file());
    if (!read) throw std::runtime_error("the story's file is not good");
    Secrets secrets;
    for (const Server& server : read->topology.servers)
      secrets.admin[server.name] = Secret(story.environment.at("LIVE_ADMIN_PASSWORD"));
    mysql::MysqlProvider provider(read->topology, secrets, {});
    return survey(provider, read->topology, secrets, 4);
  }

  // Until what was received is applied, and what the source has is received, where both threads run.
  void arrive(const std::string& server) {
    std::string before;
    int equal = 0;
    eventually(server + " comes to rest", [&] {
      const Fleet fleet = observe();
      std::string now;
      for (const auto& [name, state] : fleet.servers)
        for (const Channel& channel : state.channels) {
          const bool comes = channel.receiver == ReceiverState::connecting && channel.connect_retry <= 5;
          if (comes || (channel.wanted_on() && channel.delay <= 5 && !channel.has_applied_all())) equal = -1;
          now +=
              fmt::format("{} {} {} {} {} {};", name.text, to_text(channel.read), to_text(channel.executed),
                          static_cast<int>(channel.receiver), channel.applier, to_text(state.executed()));
        }
      equal = now == before ? equal + 1 : 0;
      before = now;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      return equal >= 3;
    });
  }

  void follow(const Command& command) {
    const std::string& source = command.words.at(1);
    const bool mysql = story.flavor() == Flavor::mysql;
    std::vector<std::string> options = {
        "MASTER_HOST = '127.0.0.1'", fmt::format("MASTER_PORT = {}", story.port(source)),
        "MASTER_USER = 'repl_user'",
        fmt::format("MASTER_PASSWORD = '{}'", mysql::escape(story.environment.at("LIVE_REPL_PASSWORD")))};
    if (mysql && story.version() >= Version{8, 0, 23}) options.emplace_back("GET_MASTER_PUBLIC_KEY = 1");
    for (const std::string& word : command.words) {
      if (word.starts_with("delay=")) options.push_back("MASTER_DELAY = " + word.substr(6));
      if (word.starts_with("retry=")) options.push_back("MASTER_CONNECT_RETRY = " + word.substr(6));
    }
    if (says(command, "by-gtid")) {
      options.emplace_back("MASTER_USE_GTID = slave_pos");
    } else if (says(command, "from-start")) {
      options.push_back(fmt::format("MASTER_LOG_FILE = '{}'", story.cell(source, "SHOW BINARY LOGS")));
      options.emplace_back("MASTER_LOG_POS = 4");
    } else {
      std::istringstream status(story.lines(source, "SHOW MASTER STATUS"));
      std::string file, position;
      status >> file >> position;
      options.push_back(fmt::format("MASTER_LOG_FILE = '{}'", file));
      options.push_back(fmt::format("MASTER_LOG_POS = {}", position));
    }
    const std::string channel = says(command, "channel") ? fmt::format(" '{}'", command.words.back()) : "";
    story.sql(command.server, {fmt::format("CHANGE MASTER{} TO {}", channel, fmt::join(options, ", ")),
                               fmt::format("START SLAVE{}", channel)});
  }

  void perform(const Command& command) {
    INFO(command.text);
    const std::string& what = command.words.at(0);
    const std::string& server = command.server;
    const bool mysql = story.flavor() == Flavor::mysql;
    const auto word = [&](std::size_t at) { return at < command.words.size() ? command.words[at] : ""; };
    const std::string channel = says(command, "channel") ? fmt::format(" '{}'", command.words.back()) : "";
    if (what == "settle") return settle();
    if (what == "write") {
      if (story.cell(server, "SHOW DATABASES LIKE 'app'").empty())
        write(command, {"CREATE DATABASE app", "CREATE TABLE app.t (k BIGINT PRIMARY KEY)"});
      for (int left = std::stoi(word(1)); left > 0; --left)
        write(command, {fmt::format("INSERT INTO app.t VALUES ({})", ++rows_)});
    } else if (what == "row") {
      write(command, {fmt::format("INSERT INTO app.t VALUES ({})", word(1))});
    } else if (what == "delete-row") {
      story.unlogged(server, {"DELETE FROM app.t WHERE k = " + word(1)});
    } else if (what == "restore") {
      std::vector<std::string> copy = {"CREATE DATABASE app", "CREATE TABLE app.t (k BIGINT PRIMARY KEY)"};
      std::istringstream keys(story.lines(word(1), "SELECT k FROM app.t"));
      for (std::string key; keys >> key;) copy.push_back(fmt::format("INSERT INTO app.t VALUES ({})", key));
      story.unlogged(server, copy);
    } else if (what == "schema") {
      write(command, {"CREATE DATABASE " + word(1)});
    } else if (what == "account") {
      const std::string password =
          word(1).empty() || word(1) == "unlogged" ? story.environment.at("LIVE_REPL_PASSWORD") : word(1);
      write(command, {fmt::format("CREATE USER 'repl_user'@'%' IDENTIFIED BY '{}'", mysql::escape(password)),
                      "GRANT REPLICATION SLAVE ON *.* TO 'repl_user'@'%'"});
    } else if (what == "drop-account") {
      write(command, {"DROP USER 'repl_user'@'%'"});
    } else if (what == "no-grant") {
      story.unlogged(server, {"REVOKE REPLICATION SLAVE ON *.* FROM 'repl_user'@'%'"});
    } else if (what == "may-also") {
      story.unlogged(server, {fmt::format("GRANT {} ON *.* TO 'repl_user'@'%'", word(1))});
    } else if (what == "follow") {
      follow(command);
    } else if (what == "stop" || what == "start") {
      const std::string thread = says(command, "receiver")  ? " IO_THREAD"
                                 : says(command, "applier") ? " SQL_THREAD"
                                                            : "";
      story.sql(server, {fmt::format("{} SLAVE{}{}", what == "stop" ? "STOP" : "START", channel, thread)});
    } else if (what == "forget") {
      story.sql(server, {fmt::format("RESET SLAVE{} ALL", channel)});
    } else if (what == "read-only" || what == "writable") {
      if (mysql && what == "writable") story.sql(server, {"SET GLOBAL super_read_only = OFF"});
      story.sql(server, {fmt::format("SET GLOBAL read_only = {}", what == "read-only" ? "ON" : "OFF")});
    } else if (what == "super-read-only") {
      story.sql(server, {"SET GLOBAL super_read_only = ON"});
    } else if (what == "set") {
      story.sql(server, {fmt::format("SET GLOBAL {} = {}", word(1), word(2))});
    } else if (what == "gtid-position") {
      story.sql(server, {fmt::format("SET GLOBAL gtid_slave_pos = '{}'", word(1))});
    } else if (what == "purge") {
      // What a dump thread that lingers, or a crash recovery, may need is not purged at once.
      story.sql(server, {"FLUSH BINARY LOGS"});
      eventually("the old binlogs are gone", [&] {
        std::string newest;
        std::istringstream status(story.lines(server, "SHOW MASTER STATUS"));
        status >> newest;
        story.sql(server, {fmt::format("PURGE BINARY LOGS TO '{}'", newest)});
        const std::string logs = story.lines(server, "SHOW BINARY LOGS");
        return std::count(logs.begin(), logs.end(), '\n') == 1;
      });
    } else if (what == "rotate") {
      story.sql(server, {"FLUSH BINARY LOGS"});
    } else if (what == "reset-binlog") {
      story.sql(server, {"RESET MASTER"});
    } else if (what == "shut-down") {
      story.stop_server(server);
      down_.insert(server);
    } else if (what == "restart") {
      story.restart(server, {});
    } else {
      throw std::runtime_error("a word that no scenario knows: " + command.text);
    }
  }

 public:
  Story story;
};

std::string ending_of(int code) {
  switch (code) {
    case 0: return "converged";
    case 3: return "refused";
    case 5: return "partly";
    case 6: return "incomplete";
    default: return fmt::format("exit {}", code);
  }
}

std::map<std::string, std::string> sections_of(const json& plan) {
  std::map<std::string, std::string> sections;
  std::set<std::string> differs;
  for (const json& one : plan.at("differences"))
    differs.insert(one.at("server").get<std::string>() + " " + one.at("code").get<std::string>());
  for (const std::string& line : differs) sections["differs"] += line + "\n";
  for (const json& step : plan.at("steps")) {
    sections["plan"] += step.at("id").get<std::string>();
    std::string after;
    for (const json& before : step.at("needs"))
      after += (after.empty() ? " after " : ", ") + before.get<std::string>();
    sections["plan"] += after + "\n";
  }
  for (const json& one : plan.at("refusals"))
    sections["refused"] +=
        one.at("server").get<std::string>() + " " + one.at("code").get<std::string>() + "\n";
  return sections;
}

}  // namespace

TEST_CASE("scenarios on real servers", "[live][scenarios]") {
  for (const auto& file : scenario_files()) {
    const Scenario scenario = read_scenario(file);
    if (!can_be_played(scenario)) continue;
    DYNAMIC_SECTION(file.stem().string()) {
      INFO(scenario.title);
      Stage stage(scenario);
      const auto expected = [&](const std::string& section) {
        const auto found = scenario.expected.find(section);
        return found == scenario.expected.end() ? "" : found->second;
      };
      const Ran planned = stage.story.stemma({"plan", "--format", "json"});
      INFO(planned.err);
      auto sections = sections_of(planned.document());
      CHECK(sections["differs"] == expected("differs"));
      CHECK(sections["plan"] == expected("plan"));
      CHECK(sections["refused"] == expected("refused"));
      const Ran applied = stage.story.apply();
      INFO(applied.err);
      CHECK(ending_of(applied.code) + "\n" + stage.end() == expected("end"));
      if (applied.code == 0) {
        auto again = sections_of(stage.story.stemma({"plan", "--format", "json"}).document());
        CHECK(again["plan"] == "");
      }
    }
  }
}

TEST_CASE("scenarios on real servers, counted", "[live][scenarios]") {
  const auto files = scenario_files();
  const auto played = std::count_if(files.begin(), files.end(),
                                    [](const auto& file) { return can_be_played(read_scenario(file)); });
  std::cout << fmt::format("{} of {} scenarios played on real servers\n", played, files.size());
  CHECK((played > 0 || test::on_server("mysql-5.6")));
}
