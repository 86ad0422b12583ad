// A fleet in memory that behaves like the real one as far as Stemma can tell: receivers and appliers work as time
// passes, lag and break; writers are refused where a server is read-only; a running channel cannot be moved; a restart
// forgets what was not persisted. tests/scenarios holds it against real servers.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "engine/clock.h"
#include "providers/simulated/instance.h"

namespace stemma::simulated {

// Thread-safe where it says so; for the rest, hold `guard`.
class SimulatedFleet {
 public:
  // A server just installed: root, an empty binlog, no channel. Its address is NAME:3306. The reference stays good.
  Instance& add(const std::string& name, Flavor, Version);
  [[nodiscard]] Instance& at(const std::string& name) { return instances_.at(name); }
  [[nodiscard]] const Instance& at(const std::string& name) const { return instances_.at(name); }
  [[nodiscard]] const std::map<std::string, Instance>& all() const { return instances_; }

  // One transaction of a client; the server's error number, 0 when it was committed.
  int write(const std::string& server, const Change&, bool privileged = false, bool logged = true);
  // A row that nobody has written yet, into app.t, which it makes where it is missing.
  int write_row(const std::string& server, bool privileged = false, bool logged = true);

  // Time passes, and every thread of every server does a part of its work.
  void advance(std::chrono::microseconds);
  // Time passes until replication has nothing left to do, or for `rounds` at most.
  void settle(int rounds = 500);
  [[nodiscard]] Clock::Time now() const { return now_; }

  // A network that is cut, in both directions, between a replica and its source.
  std::set<std::pair<std::string, std::string>> cut_links;

  // Called, with `guard` held, whenever something asks a server: whatever else may happen at that moment.
  std::function<void(SimulatedFleet&)> meanwhile;

  std::mutex guard;

 private:
  void round();
  void receive(Instance&, Replication&);
  void connect(Instance&, Replication&);
  void apply(Instance&, Replication&) const;
  Instance* find(const Channel&);

  std::map<std::string, Instance> instances_;
  std::uint64_t transactions_ = 0;
  std::uint64_t rows_ = 0;
  bool busy_ = false;  // whether the last round did anything
  Clock::Time now_{std::chrono::hours(1)};
};

// Sleeping moves the fleet's time; nobody waits. Thread-safe.
class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(SimulatedFleet& fleet) : fleet_(fleet) {}
  [[nodiscard]] Time now() const override {
    const std::lock_guard lock(fleet_.guard);
    return fleet_.now();
  }
  void sleep(std::chrono::microseconds pause) override {
    const std::lock_guard lock(fleet_.guard);
    fleet_.advance(pause);
  }

 private:
  SimulatedFleet& fleet_;
};

}  // namespace stemma::simulated
