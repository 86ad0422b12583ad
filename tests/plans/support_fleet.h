// A little language for fixtures: a fleet of servers is a few words, a plan a few lines.
//
//   Story story(R"(
//     primary                      |
//     replica < primary delay=60s  | stopped data=shop
//   )");
//
// One server a line (or between semicolons), a source before its replicas. Left of the bar stands the file:
// the name, `< source` and `channel<source`, then keys of [server.NAME] and `channel.key=…`. Right of it stands
// what was observed, as differences from a server in order (see words() in support_fleet.cc), `channel:word` of a
// named channel; `fresh` is a server just installed. `by gtid`, `by position` (the default) or `by auto`, on a
// line of its own, is the file's `coordinates`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plans/fact.h"
#include "plans/plan.h"

class Story {
 public:
  // `more`: further sections of the file. A story that makes no sense fails the test that tells it.
  explicit Story(std::string_view text, const std::string& more = "");

  stemma::Topology topology;
  stemma::Fleet fleet;
  stemma::Secrets secrets;
  stemma::Outputs outputs;

  [[nodiscard]] stemma::Scene scene() const { return {topology, fleet, secrets, outputs}; }
  [[nodiscard]] const stemma::Server& server(const std::string& name) const;
  [[nodiscard]] stemma::ServerState& state(const std::string& name);
  [[nodiscard]] stemma::Channel& channel(const std::string& name);
  // The plan; its graph is checked before a test sees it.
  [[nodiscard]] stemma::Plan plan() const;
};

// The password of the replication account in every story, so that tests can look for it where it must not be.
inline constexpr const char* kReplicationSecret = "rep!ication's secret";

stemma::Coordinates at(std::string_view text);
stemma::GtidPosition gtid(std::string_view text);

// A step a line: "replica.start-replica after replica.configure-source, primary.create-user".
std::string steps(const stemma::Plan&);
// A refusal a line: "replica replica.data-missing".
std::string refusals(const stemma::Plan&);
// A finding a line: "error replica replica.writable read_only: ON, but OFF".
std::string told(const std::vector<stemma::Finding>&);
std::string notes(const stemma::Plan&);

// A raw string without its indentation and first line end.
std::string lines(std::string_view text);

// What is wrong with a plan's graph and facts: order, needs that nobody brings about, and the invariants that
// must hold at every instant of an apply. Empty: nothing.
std::vector<std::string> broken_rules(const Story&, const stemma::Plan&);
