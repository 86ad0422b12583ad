// The canary: a row written at each root and read back at every replica, to prove that data flow.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "plans/error.h"
#include "plans/fact.h"
#include "plans/topology.h"
#include "providers/mysql/connection.h"

namespace stemma::mysql {

// One place where the row was looked for.
struct CanaryReading {
  std::string where;                  // a server's name, or the address of verify.read
  std::chrono::microseconds took{0};  // from the commit at the root until it was read
  bool arrived = false;
  bool skipped = false;        // a delayed replica: its row is not due yet
  std::optional<Error> error;  // no connection, or the read was refused
};

struct CanaryReport {
  ServerName root;
  std::string database;              // where the row was written
  std::optional<Error> write_error;  // the row could not be written: nothing was read
  std::vector<CanaryReading> readings;
  std::optional<Error> cleanup_error;  // the row, or the database made for it, is still there
};

// Writes into topology.verify.database (with the root's server_id behind it, where replicas hang on several roots), which
// is made when it is missing and dropped again afterwards. Waits up to
// `patience` for the row; roots and replicas side by side. Ends early, with the clean-up, when `stop` turns true.
std::vector<CanaryReport> run_canary(const Topology&, const Secrets&, const Timeouts&,
                                     std::chrono::milliseconds patience, const std::atomic<bool>& stop);

}  // namespace stemma::mysql
