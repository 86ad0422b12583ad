// Real servers for tests, in a directory that goes away with them.
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "providers/mysql/connection.h"
#include "providers/sandbox/sandbox.h"
#include "providers/sandbox/server_binary.h"

namespace stemma::test {

// A private directory, removed with all that is in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A topology of servers at 127.0.0.1, named s<port>, and what a sandbox of it needs; they run on
// test_server(). The destructor stops them and removes everything.
class LocalServers {
 public:
  explicit LocalServers(const std::vector<std::uint16_t>& ports);
  ~LocalServers();
  LocalServers(const LocalServers&) = delete;
  LocalServers& operator=(const LocalServers&) = delete;

  Result<std::vector<sandbox::SandboxServer>> up(const sandbox::Progress& progress = {});
  Result<mysql::Connection> connect(std::size_t server, mysql::Timeouts timeouts = {}) const;
  // The first cell of a query's result as the admin, "NULL" for NULL, or the error's message.
  [[nodiscard]] std::string ask(std::size_t server, const std::string& query) const;
  // Of the program that they run on.
  [[nodiscard]] sandbox::ServerBinary binary() const;
  // The same for a command line.
  [[nodiscard]] std::vector<std::string> binary_arguments() const;

  TemporaryDirectory directory;
  Topology topology;
  sandbox::SandboxOptions options;
  std::map<ServerName, Secret> passwords;
  std::atomic<bool> stop{false};
};

}  // namespace stemma::test
