// A server's binary log: files with positions, and transactions with GTIDs in them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "providers/simulated/transaction.h"

namespace stemma::simulated {

class Binlog {
 public:
  explicit Binlog(Flavor flavor) : flavor_(flavor) { reset(); }

  void append(const Transaction&);
  void rotate();
  void purge();  // all files but the newest
  void reset();  // RESET MASTER: begins anew, as if nothing had ever been

  [[nodiscard]] Coordinates end() const;
  [[nodiscard]] std::vector<std::string> files() const;  // oldest first
  // Whether a dump may begin there: a file that is there, and a place in it that exists.
  [[nodiscard]] bool has(const Coordinates&) const;

  struct Event {
    const Transaction* transaction;  // borrowed until the log changes
    Coordinates end;                 // where the next one begins
  };
  // The first transaction that ends behind that place; nullopt: there is none yet.
  [[nodiscard]] std::optional<Event> next(const Coordinates& from) const;

  // MariaDB: gtid_binlog_pos and gtid_binlog_state.
  [[nodiscard]] GtidPosition position() const;
  [[nodiscard]] GtidState state() const;
  // MariaDB: the GTID position at a place; nullopt: no boundary between two transactions.
  [[nodiscard]] std::optional<GtidPosition> position_at(const Coordinates&) const;
  // MariaDB: before the oldest file.
  [[nodiscard]] GtidPosition horizon() const;
  // MySQL: the transactions in files that were purged.
  [[nodiscard]] const GtidSet& purged() const { return purged_; }

  bool operator==(const Binlog&) const;

 private:
  struct Logged {
    Transaction transaction;
    std::uint64_t end;
  };
  struct File {
    unsigned number;
    std::uint64_t begin;  // behind the header
    std::vector<Logged> logged;
    [[nodiscard]] std::uint64_t end() const { return logged.empty() ? begin : logged.back().end; }
  };
  // The last GTID of each domain, and of each server in it.
  struct Last {
    std::map<std::uint32_t, Gtid> of_domain;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> of_server;
    void add(const Gtid&);
    [[nodiscard]] GtidPosition position() const;
  };
  [[nodiscard]] std::string name_of(unsigned number) const;

  Flavor flavor_;
  std::vector<File> files_;  // never empty
  Last last_, before_oldest_;
  GtidSet purged_;
};

// The set of one transaction; empty where it has no GTID.
GtidSet set_of(const Transaction&);

}  // namespace stemma::simulated
