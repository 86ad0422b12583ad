// The seam between the engine and servers: real ones, or others in tests.
#pragma once

#include <optional>
#include <string>

#include "plans/error.h"
#include "plans/fact.h"
#include "plans/observed.h"
#include "plans/plan.h"
#include "plans/questions.h"

namespace stemma {

// Which part of a server's state a step changes, and so must be read back.
struct Reading {
  bool channel = false;      // channels, read_only, gtid_slave_pos
  bool account = false;      // the replication account
  bool coordinates = false;  // own binlog coordinates, read before everything else
  bool contents = false;     // schemas, tables, accounts: whether the server is empty
  bool variables = false;    // the declared variables
};
Reading reading_for(StepKind);

// Who holds the lock that this apply wanted.
struct LockHolder {
  ServerName server;
  std::string user, host;  // empty: not for us to see
  long seconds = 0;        // how long its connection has been idle: since about when it holds the lock
};

// Calls may come from several threads; calls for one server are put one after another by the provider.
// Every call is bounded in time. Errors: Trouble::unreachable means that the outcome is unknown and the next
// call connects anew; then the server's identity is compared, and a different one is Trouble::stale.
class Provider {
 public:
  virtual ~Provider() = default;

  // Reads one server: everything that every plan needs. Changes nothing.
  virtual Result<ServerState> observe(const ServerName&) = 0;
  // Reads further answers into `state`, which came from observe().
  virtual Result<void> answer(const ServerName&, const Questions&, ServerState& state) = 0;
  // Reads parts of `state` again.
  virtual Result<void> refresh(const ServerName&, const Reading&, ServerState& state) = 0;
  // Carries out a step on its server and reads back what it changed, in one round trip. Doing it again after
  // a crash or a lost connection must equal doing it once, or be refused by the server.
  virtual Result<void> perform(const Step&, const Outputs&, ServerState& state) = 0;

  // Takes the lock on one server, on a connection of its own. nullopt: taken. From then on every refresh and
  // perform of that server also asks whether it is still held, and fails with Trouble::locked if not.
  virtual Result<std::optional<LockHolder>> lock(const ServerName&) = 0;
  virtual void unlock_all() = 0;
};

}  // namespace stemma
