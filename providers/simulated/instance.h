// One server of a simulated fleet: what it stores, how it is set, and the statements that change it.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "plans/observed.h"
#include "providers/simulated/binlog.h"
#include "providers/simulated/transaction.h"

namespace stemma::simulated {

// What an option file and SET GLOBAL say.
struct Settings {
  bool read_only = false, super_read_only = false;
  std::map<std::string, std::string> variables;
  bool operator==(const Settings&) const = default;
};

// A replication channel with what its receiver has written down for its applier.
struct Replication {
  struct Received {
    Transaction transaction;
    Coordinates end;
  };
  Channel status;  // as the server shows it
  std::string password;
  std::deque<Received> relay_log;
  bool connected = false;
  bool semi_sync = false;  // its receiver acknowledges, as was set when it started
  Coordinates dumped;      // how far the source has looked for what it has to send
  bool skipped = false;    // by GTID, since it last sent something
  Clock::Time next_try{};  // a receiver that could not connect sleeps until then
};

// Where CHANGE MASTER is to point a channel. What is not given stays.
struct ChangeSource {
  Channel options;  // all of them, after the change
  std::string password;
  Coordinates from;  // unknown: by GTIDs
};

// Statements give the server's error number, 0 when it obeyed. Not thread-safe: the fleet guards it.
class Instance {
 public:
  Instance(std::string called, Flavor, Version, Identity);

  // --- what it is; a test may change any of it
  std::string name;
  Flavor flavor;
  Version version;
  Identity identity;
  bool log_bin = true, log_updates = true, offers_tls = false, gtid_mode = false, gtid_strict = false;
  bool up = true, refuses_logins = false, galera = false;
  bool slow = false;                                                      // its appliers get nothing done
  std::vector<Grant> admin_grants = {{{"ALL PRIVILEGES"}, "*.*", true}};  // of stemma's account
  Settings running, option_file;
  Data data;
  Binlog binlog;
  GtidPosition replicated;  // MariaDB: gtid_slave_pos
  GtidSet executed;         // MySQL: gtid_executed
  GtidSet adopted;          // MySQL: told by SET GLOBAL gtid_purged
  std::map<std::string, Replication> channels;
  std::map<std::uint64_t, int> executions;  // how often each transaction was executed here
  const void* lock = nullptr;               // who holds GET_LOCK('stemma.apply')
  std::uint64_t starts = 1;                 // connections don't outlive one

  // --- what clients do. `privileged`: may write through read_only; `logged`: sql_log_bin = 1.
  [[nodiscard]] bool takes_writes(bool privileged) const;
  int write(const Change&, std::uint64_t number, Clock::Time now, bool privileged, bool logged);
  int set_variable(const std::string& variable, const std::string& value);
  void set_read_only(bool on, bool super_on);  // MySQL 8 persists it
  int start(const std::string& channel);
  int stop(const std::string& channel, bool receiver_only);
  int change_source(const std::string& channel, const ChangeSource&);
  int set_position(const GtidPoint&, bool adds);  // gtid_slave_pos, gtid_purged
  int reset_binlog();                             // RESET MASTER
  void restart();                                 // killed and started: what was not persisted is gone

  // --- what an applier does with a transaction: 0, or the error that stops it.
  int execute(const Transaction&);

  [[nodiscard]] GtidSet purged() const { return binlog.purged().unite(adopted); }
  [[nodiscard]] bool has_executed(const Transaction&) const;
  [[nodiscard]] bool any_channel_runs() const;

 private:
  void log(const Transaction&);
};

}  // namespace stemma::simulated
