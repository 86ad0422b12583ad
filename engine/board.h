// What the running apply knows of the servers: the newest reading of each, shared by the steps' threads.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>

#include "engine/clock.h"
#include "engine/provider.h"
#include "plans/fact.h"

namespace stemma {

// Thread-safe. A step works on a copy of its server's state and puts it back.
class Board {
 public:
  // `topology` and `secrets` must outlive the board.
  Board(const Topology& topology, const Secrets& secrets, Fleet observed, Clock::Time when);

  [[nodiscard]] ServerState get(const ServerName&) const;
  // When the oldest of these parts of the server was last read.
  [[nodiscard]] Clock::Time read_at(const ServerName&, const Reading&) const;
  // The state after `parts` of it were read at `when`.
  void put(const ServerName&, ServerState, const Reading& parts, Clock::Time when);
  // The server has applied transactions that may have changed anything: what was read before tells nothing now.
  void forget_readings(const ServerName&);

  // Judges a fact on `own`, the newest reading of its subject, and what is known of its sources.
  [[nodiscard]] Judgement judge(const Fact&, const ServerState& own) const;

  // A server's schemas that are not the system's or the canary's; whether an account is the declared one.
  [[nodiscard]] std::vector<std::string> data_of(const ServerState&) const;
  [[nodiscard]] bool is_replication(const AccountName&) const;
  [[nodiscard]] bool has_replicas(const ServerName&) const;

  void note(const ServerName& source, const Moment&);
  void after_start(const Link&, const Moment&);
  // A source has caught up with its own: its replicas are to get as far as it is now.
  void caught_up(const ServerName& source, const Moment&);
  [[nodiscard]] Outputs outputs() const;

  // Where `source` stands, by a reading that began after this call. Replicas that ask at the same time share
  // one reading: with a slow network and many replicas each of its own would queue on one connection.
  Result<Moment> coordinates_from_now(const ServerName& source, Provider&);

 private:
  struct SharedRead {
    std::uint64_t started = 0, finished = 0;  // readings
    bool running = false;
    Result<Moment> last = Moment{};
  };

  const Topology& topology_;
  const Secrets& secrets_;
  mutable std::mutex guard_;
  std::condition_variable read_done_;
  Fleet fleet_;
  struct ReadTimes {
    Clock::Time channel, account, coordinates, contents, variables;
  };
  std::map<ServerName, ReadTimes> times_;
  std::map<ServerName, SharedRead> reads_;
  Outputs outputs_;
};

}  // namespace stemma
