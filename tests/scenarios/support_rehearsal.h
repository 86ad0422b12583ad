// A scenario played in a simulated fleet, with faults at any change and writers all the while.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/apply.h"
#include "providers/simulated/provider.h"
#include "tests/engine/support_directory.h"
#include "tests/scenarios/support_scenario.h"

namespace stemma::scenarios {

// What goes wrong, at the change with that number, counted from 1.
struct Fault {
  enum class Kind {
    none,
    lost_before,      // the connection breaks before the server hears of the change
    lost_after,       // … after it has obeyed, before it could say so
    killed_before,    // stemma ends there
    killed_after,     // … right after the server has obeyed
    restarted_after,  // the server is killed and started: what was not persisted is gone
  };
  Kind kind = Kind::none;
  int at = 0;
};
std::string to_text(const Fault&);

// The words of a plan that a scenario compares, by section.
std::map<std::string, std::string> sections_of(const Plan&);

// The fleet as the scenario leaves it, and what happens to it then.
class Rehearsal {
 public:
  explicit Rehearsal(const Scenario&);
  Rehearsal(const Rehearsal&) = delete;
  Rehearsal& operator=(const Rehearsal&) = delete;

  Topology topology;
  Secrets secrets;
  simulated::SimulatedFleet fleet;

  void perform(const Command&);  // what a person does
  void settle();                 // writers stop, replication comes to rest
  // At the roots of the file that have data, and at the first one if it has none, too, whenever a server is asked.
  void write_all_the_while(bool also_where_no_data);
  Plan plan();  // as `stemma plan`: observes, decides, changes nothing

  struct Run {
    Ending ending = Ending::partly;
    Plan plan;
    int changes = 0;
    std::string trouble;  // of the steps that failed
  };
  // As `stemma apply --yes`. Each change is followed by a look at the invariants. `reorder` may put the steps into another
  // order that their needs allow.
  Run apply(std::size_t parallelism, const Fault& = {}, const std::function<void(Plan&)>& reorder = {});

  [[nodiscard]] std::string end(bool counts = true) const;  // end_text() of the servers as they stand
  // Everything that reading must leave as it is.
  [[nodiscard]] std::string everything() const;
  // What was seen of invariants being broken; empty: nothing.
  [[nodiscard]] const std::vector<std::string>& broken() const { return broken_; }

 private:
  class Faulty;
  void look_at_invariants(const std::string& after);
  void remember(const std::string& server);

  void look_for_doubled(const std::string& after);  // the guard must be held
  struct Remembered {
    bool writable = false;
    std::map<std::string, Channel> channels;
  };
  const Scenario scenario_;
  // By server, as it was when the first apply began, or when it was last restarted.
  std::map<std::string, Remembered> before_;
  std::vector<std::string> broken_;
  std::atomic<int> asked_{0};
  simulated::SimulatedClock clock_{fleet};
};

}  // namespace stemma::scenarios
