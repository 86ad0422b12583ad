// The floor of the bench: the bare statements of the walk-through, one thread for each server,
// nothing planned, nothing read back twice. No tool that waits for each answer can be faster.
//
//   bench_limit apply|check PRIMARY ADVERTISED REPLICA...     (each HOST:PORT)
//
// PRIMARY is where this program reaches the primary, ADVERTISED is where the replicas do.
// Passwords come from BENCH_PASSWORD (root) and BENCH_REPL_PASSWORD (repl_user).
#include <mysql.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <future>
#include <iostream>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using Row = std::map<std::string, std::string>;

constexpr auto poll_interval = std::chrono::milliseconds(1);
constexpr auto patience = std::chrono::seconds(20);

struct Address {
  std::string host;
  unsigned port = 0;
};

struct Coordinates {
  std::string file;
  std::string position;
};

Address parse_address(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) throw std::runtime_error("not HOST:PORT: " + text);
  return {text.substr(0, colon), static_cast<unsigned>(std::stoul(text.substr(colon + 1)))};
}

std::string secret(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

/// One connection, used by one thread.
class Session {
 public:
  explicit Session(const Address& address)
      : handle_(mysql_init(nullptr)), where_(address.host + ":" + std::to_string(address.port)) {
    if (handle_ == nullptr) throw std::bad_alloc();
    if (mysql_real_connect(handle_, address.host.c_str(), "root", secret("BENCH_PASSWORD").c_str(), nullptr,
                           address.port, nullptr, 0) == nullptr) {
      const auto message = where_ + ": " + mysql_error(handle_);
      mysql_close(handle_);
      throw std::runtime_error(message);
    }
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { mysql_close(handle_); }

  void run(const std::string& sql) {
    if (mysql_real_query(handle_, sql.data(), sql.size()) != 0) fail();
  }

  /// The first row, empty when there is none.
  Row row(const std::string& sql) {
    run(sql);
    MYSQL_RES* result = mysql_store_result(handle_);
    if (result == nullptr) fail();
    Row out;
    if (MYSQL_ROW cells = mysql_fetch_row(result); cells != nullptr) {
      const std::span fields(mysql_fetch_fields(result), mysql_num_fields(result));
      for (std::size_t i = 0; i < fields.size(); ++i)
        out[fields[i].name] = cells[i] == nullptr ? "" : cells[i];
    }
    mysql_free_result(result);
    return out;
  }

  std::string quoted(const std::string& text) {
    std::string out(2 * text.size() + 1, '\0');
    out.resize(mysql_real_escape_string(handle_, out.data(), text.data(), text.size()));
    return "'" + out + "'";
  }

  void expect(bool holds, const std::string& what) const {
    if (!holds) throw std::runtime_error(where_ + ": " + what);
  }

 private:
  [[noreturn]] void fail() { throw std::runtime_error(where_ + ": " + mysql_error(handle_)); }

  MYSQL* handle_;
  std::string where_;
};

bool both_run(Row& status) {
  return status["Slave_IO_Running"] == "Yes" && status["Slave_SQL_Running"] == "Yes";
}

Coordinates prepare_primary(const Address& address) {
  Session session(address);
  session.run("CREATE USER 'repl_user'@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD(" +
              session.quoted(secret("BENCH_REPL_PASSWORD")) + ")");
  session.run("GRANT REPLICATION SLAVE ON *.* TO 'repl_user'@'%'");
  Row status = session.row("SHOW MASTER STATUS");
  return {status["File"], status["Position"]};
}

void attach_replica(const Address& address, const Address& primary,
                    const std::shared_future<Coordinates>& captured) {
  // Logged in before the coordinates are there: the logins of all servers overlap.
  Session session(address);
  const Coordinates& from = captured.get();
  session.run("CHANGE MASTER TO MASTER_HOST=" + session.quoted(primary.host) +
              ", MASTER_PORT=" + std::to_string(primary.port) +
              ", MASTER_USER='repl_user', MASTER_PASSWORD=" + session.quoted(secret("BENCH_REPL_PASSWORD")) +
              ", MASTER_LOG_FILE=" + session.quoted(from.file) + ", MASTER_LOG_POS=" + from.position);
  session.run("START SLAVE");
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (Row status = session.row("SHOW SLAVE STATUS"); !both_run(status);
       status = session.row("SHOW SLAVE STATUS")) {
    session.expect(std::chrono::steady_clock::now() < deadline, "the threads do not run");
    std::this_thread::sleep_for(poll_interval);
  }
  session.run("SET GLOBAL read_only=1");
}

void check_primary(const Address& address) {
  Session session(address);
  session.expect(!session.row("SELECT user, host, plugin FROM mysql.user WHERE user='repl_user'").empty(),
                 "no repl_user");
  session.expect(!session.row("SHOW MASTER STATUS").empty(), "no binlog");
}

void check_replica(const Address& address) {
  Session session(address);
  Row status = session.row("SHOW SLAVE STATUS");
  session.expect(both_run(status), "a thread is stopped");
  Row variables = session.row("SELECT @@server_id id, @@log_bin log_bin, @@read_only read_only");
  session.expect(variables["read_only"] == "1", "is writable");
}

/// Runs the work on a thread of its own that libmysqlclient knows how to leave.
template <typename Work>
auto beside(Work work) {
  return std::async(std::launch::async, [work] {
    struct Leave {
      ~Leave() { mysql_thread_end(); }
    } leave;
    return work();
  });
}

void run(const std::string& task, const Address& primary, const Address& advertised,
         const std::vector<Address>& replicas) {
  std::shared_future<Coordinates> captured;
  std::vector<std::future<void>> jobs;
  if (task == "apply") {
    captured = beside([&] { return prepare_primary(primary); }).share();
    for (const auto& replica : replicas)
      jobs.push_back(beside([&, captured] { attach_replica(replica, advertised, captured); }));
  } else if (task == "check") {
    jobs.push_back(beside([&] { check_primary(primary); }));
    for (const auto& replica : replicas) jobs.push_back(beside([&replica] { check_replica(replica); }));
  } else {
    throw std::runtime_error("apply or check, not " + task);
  }
  for (auto& job : jobs) job.get();
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 4) {
    std::cerr << "usage: bench_limit apply|check PRIMARY ADVERTISED REPLICA...\n";
    return 1;
  }
  mysql_library_init(0, nullptr, nullptr);
  try {
    std::vector<Address> replicas;
    for (std::size_t i = 3; i < words.size(); ++i) replicas.push_back(parse_address(words[i]));
    run(words[0], parse_address(words[1]), parse_address(words[2]), replicas);
  } catch (const std::exception& error) {
    std::cerr << "bench_limit: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
