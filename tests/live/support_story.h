// Stories about real servers: a fleet that lives as long as the test, the program that is run against it,
// a writer that never rests, and the questions that a careful operator would ask afterwards.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "plans/observed.h"
#include "providers/mysql/connection.h"
#include "tests/servers/support_servers.h"

namespace stemma::live {

using nlohmann::json;
using Codes = std::vector<std::string>;  // "replica-1 replica.writable", sorted, each once

// What a run of the program left behind.
struct Ran {
  int code = -1;  // the exit code, or minus the signal that ended it
  std::string out, err;
  std::chrono::milliseconds took{0};
  [[nodiscard]] std::string all() const { return out + err; }
  [[nodiscard]] json document() const;  // of `out`; throws with both outputs when it is none
};

// The program while it runs. Killed when it is forgotten.
class Running {
 public:
  Running(const std::vector<std::string>& command, const std::map<std::string, std::string>& environment,
          const std::filesystem::path& outputs);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  [[nodiscard]] bool alive();
  void signal(int number) const;
  Ran wait(std::chrono::seconds patience = std::chrono::seconds(120));  // killed when it takes longer

 private:
  pid_t pid_ = 0;
  std::optional<int> ended_;
  std::filesystem::path out_, err_;
  std::chrono::steady_clock::time_point began_;
};

struct ServerLines {
  std::string name, source;  // source: empty for a root
  std::string more;          // further lines of its table
};

// [admin] for an account that may do everything.
inline constexpr const char* kRoot = "user = \"root\"\npassword = { env = \"LIVE_ADMIN_PASSWORD\" }";

// The topology file of a story.
struct Shape {
  std::string coordinates = "position";
  std::vector<ServerLines> servers = {
      {"primary", "", ""}, {"replica-1", "primary", ""}, {"replica-2", "primary", ""}};
  // An account that may do what `stemma grants` prints for applying, and no more.
  std::string admin = "user = \"stemma\"\npassword = { env = \"LIVE_ADMIN_PASSWORD\" }";
  std::string replication = "password = { env = \"LIVE_REPL_PASSWORD\" }";  // more of them
  std::string account =
      "user = \"repl_user\"\nhost = \"%\"";  // lines of [replication], with `plugin` or without
  std::string host = "127.0.0.1";            // where the servers are: or "::1"
  std::string rest;                          // further tables
  int by_way_of =
      0;  // not 0: stemma and the replicas find each server at its port and so many more: a proxy's
  bool server_ids = true;
  // limits.step. MySQL's STOP REPLICA waits up to a minute for the rest of a transaction whose receiver is gone.
  std::string step = test::on_mysql() ? "90s" : "20s";
  std::vector<std::string> options;  // of the servers: "--skip-ssl"
};

Shape quickstart(const std::string& coordinates);
Shape chain(const std::string& coordinates,
            const std::vector<std::string>& names = {"primary", "middle", "leaf"});

// Writes numbered rows at one server, every few milliseconds, until it is stopped or destroyed. A row
// written twice or left out anywhere shows: app.t has no unique key, and app.counter counts along.
class Writer {
 public:
  Writer(Address address, mysql::Credentials credentials);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Returns when a row was written that was begun after this call; throws when that takes too long.
  void must_write();
  void stop();
  [[nodiscard]] std::uint64_t rows() const { return rows_.load(); }

 private:
  void run();
  Address address_;
  mysql::Credentials credentials_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> rows_{0};
  std::thread thread_;
};

// Servers of its own, a state directory of its own, ports of its own. What goes wrong in a helper is an
// exception that says where.
class Story {
 public:
  explicit Story(Shape shape = {}, const std::map<std::string, std::string>& secrets = {});
  ~Story();
  Story(const Story&) = delete;
  Story& operator=(const Story&) = delete;

  // --- the file and the program; the same file for an account that may only look
  [[nodiscard]] std::string file() const { return (directory_ / "topology.toml").string(); }
  [[nodiscard]] std::string looking_file() const { return (directory_ / "looking.toml").string(); }
  [[nodiscard]] std::filesystem::path path(const std::string& name) const { return directory_ / name; }
  [[nodiscard]] std::filesystem::path state_home() const { return directory_ / "state"; }
  [[nodiscard]] std::filesystem::path sandbox() const { return directory_ / "servers"; }
  [[nodiscard]] std::uint16_t port(const std::string& server) const { return ports_.at(server); }
  void rewrite(const Shape& shape);                    // another file for the same servers
  Ran run(const std::vector<std::string>& arguments);  // as they are
  Ran stemma(std::vector<std::string> arguments);      // the topology file comes after the command
  // As the last words of another command, if one is given: {"faketime", "-1h"}.
  std::unique_ptr<Running> start(const std::vector<std::string>& arguments,
                                 std::vector<std::string> wrapper = {});
  Ran sandbox_up();  // on test_server(); the servers that run are kept
  Ran apply();       // apply --yes --format json
  // Errors that drift finds, for the account that applies and, where the file names no other, for one that may only
  // look: throws when the two do not see the same.
  Codes codes();
  std::vector<std::string>
  applied_steps();  // ids of the steps of `apply --yes`; throws unless it exits with 0
  std::map<std::string, std::string> environment;

  // --- the servers, all of one version
  [[nodiscard]] Flavor flavor() const { return flavor_; }
  [[nodiscard]] Version version() const { return version_; }
  Result<mysql::Connection> connect(const std::string& server, const std::string& user = "root") const;
  void sql(const std::string& server, const std::vector<std::string>& statements) const;  // one session
  void unlogged(const std::string& server, std::vector<std::string> statements) const;    // sql_log_bin = 0
  [[nodiscard]] std::string cell(const std::string& server,
                                 const std::string& query) const;  // "NULL", "" no row
  [[nodiscard]] std::string lines(const std::string& server, const std::string& query) const;
  [[nodiscard]] std::string slave(const std::string& server,
                                  const std::string& column) const;  // "" no channel
  void await(const std::string& server, const std::string& slave_column, const std::string& value) const;
  [[nodiscard]] pid_t pid(const std::string& server) const;
  void stop_server(const std::string& server) const;  // SIGTERM, until it is gone
  void kill_server(const std::string& server) const;  // SIGKILL, until it is gone
  void restart(const std::string& server, const std::vector<std::string>& options) const;

  // The GRANTs that `stemma grants` prints for the account of that file on this server.
  std::vector<std::string> grants(const std::string& file, const std::string& server);

  // --- the data
  void make_app();  // schema app at the root: after the first apply
  Writer& writer();
  void stop_writing();
  void caught_up() const;  // every replica has what the root has now
  void same_data();        // stops the writer; throws with the difference
  // Everything about every server that reading, or a refusal, must leave as it is, once they have come to rest.
  [[nodiscard]] std::string snapshot() const;

  [[nodiscard]] std::string spoken(const std::string& statement) const;  // in the servers' own words

 private:
  [[nodiscard]] std::string checksums(const std::string& server) const;
  [[nodiscard]] std::string snapshot_now() const;
  void bring_up();
  void make_accounts();
  Codes codes_of(const std::string& file);
  [[nodiscard]] Address address(const std::string& server) const;

  Shape shape_;
  std::filesystem::path directory_;
  std::map<std::string, std::uint16_t> ports_;
  int port_lock_ = -1;
  std::string root_;
  Flavor flavor_ = Flavor::mariadb;
  Version version_;
  std::unique_ptr<Writer> writer_;
  bool ours_ = false;  // the file's account is the one of make_accounts()
};

// What an operator has left of the two replicas of quickstart() that were in order.
void disorder(const Story& story);
// The run after a failure: it ends well. With patience, the last of several, of which the others may end partly.
void arrives(Story& story, std::chrono::seconds patience = {});

[[nodiscard]] bool contains(const std::string& text, const std::string& part);
[[nodiscard]] bool has(const Codes& codes, const std::string& code);
std::string read_text(const std::filesystem::path& file);
void write_text(const std::filesystem::path& file, const std::string& text);

// Throws unless `done` comes true in time. The patience is for a machine with other things to do: a MySQL server that
// others replicate from took more than ten seconds to end beside a second suite.
template <class Done>
void eventually(const std::string& what, const Done& done,
                std::chrono::milliseconds patience = std::chrono::seconds(60)) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("waited in vain: " + what);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace stemma::live
