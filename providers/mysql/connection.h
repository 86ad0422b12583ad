// One connection to one server over libmysqlclient. The differences between MariaDB Connector/C and
// Oracle's library live in client_library.h and nowhere else.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plans/error.h"
#include "plans/secret.h"
#include "plans/topology.h"

namespace stemma::mysql {

// One result set. Columns are found by name, never by place: servers add and rename columns.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;  // nullopt: SQL NULL

  // The cell, or nullopt when it is NULL or there is no such column. Names compare without case.
  [[nodiscard]] std::optional<std::string> at(std::size_t row, std::string_view column) const;
};

struct Credentials {
  std::string user;
  Secret password;
  Tls tls;
};

struct Timeouts {
  std::chrono::milliseconds connect{5000};  // also bounds a peer that accepts and then says nothing
  std::chrono::milliseconds read{10000};    // the longest silence while an answer is awaited
};

// Escapes text for use between single quotes, with backslashes. Refuses nothing; the result is without
// the quotes. Right only in a session that has run session_setup().
std::string escape(std::string_view text);

// The statements that every session of ours runs before any other: they make backslash escapes mean
// what escape() takes them to mean, and text be utf8mb4. Callers put them first into the first batch of
// a connection, where they cost no round trip of their own; each yields one empty result.
std::vector<std::string> session_setup();

// Not thread-safe: one thread at a time. Movable, not copyable; closes on destruction.
class Connection {
 public:
  // Errors: Trouble::unreachable (refused, silent, unknown host, TLS mismatch) or Trouble::denied (the
  // login), each with the library's number and text.
  // The CA counts for verify_ca and verify_identity only, which need one; over a unix socket `preferred`
  // means no TLS.
  static Result<Connection> open(const Address&, const Credentials&, const Timeouts&);

  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  // Sends one statement and reads its result: empty for statements without one.
  // Errors: Trouble::refused with the server's number and text; Trouble::unreachable when the
  // connection broke (2006, 2013): then the statement's outcome is unknown and the connection is dead.
  Result<Table> query(const std::string& statement);

  // Sends all statements in one packet: one round trip. The server stops at the first that fails; the
  // results of those before it are kept. `failed` is that statement's error.
  struct Batch {
    std::vector<Table> results;
    std::optional<Error> failed;
  };
  Batch query_all(const std::vector<std::string>& statements);

  // As the server said in its greeting, "5.5.5-" stripped: good enough to choose a dialect by.
  [[nodiscard]] std::string server_version() const;
  // The server's name for this connection, as in the processlist.
  [[nodiscard]] std::uint64_t id() const;
  [[nodiscard]] bool encrypted() const;
  [[nodiscard]] bool alive() const;  // false after a lost connection; never asks the server

 private:
  struct Handle;
  explicit Connection(std::unique_ptr<Handle>);
  std::unique_ptr<Handle> handle_;
};

}  // namespace stemma::mysql
