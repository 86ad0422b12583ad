#include "tests/providers/support_sandbox.h"

#include <cstdlib>
#include <stdexcept>

#include "tests/servers/support_servers.h"

namespace stemma::test {
namespace fs = std::filesystem;

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (fs::temp_directory_path() / "stemma-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("can't make " + name);
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

LocalServers::LocalServers(const std::vector<std::uint16_t>& ports) {
  topology.name = "test";
  for (const std::uint16_t port : ports) {
    Server server;
    server.name = ServerName{fmt::format("s{}", port)};
    server.address = Address{.host = "127.0.0.1", .port = port, .socket = {}};
    server.advertise = server.address;
    passwords[server.name] = Secret("it's a \\ \"secret\"");
    topology.servers.push_back(server);
  }
  options.directory = directory.path() / "sandbox";
  options.server_binary = test_server().binary;
}

LocalServers::~LocalServers() { static_cast<void>(sandbox::sandbox_down(topology, options, true)); }

Result<std::vector<sandbox::SandboxServer>> LocalServers::up(const sandbox::Progress& progress) {
  return sandbox::sandbox_up(topology, passwords, options, progress, stop);
}

Result<mysql::Connection> LocalServers::connect(std::size_t server, mysql::Timeouts timeouts) const {
  const Server& wanted = topology.servers.at(server);
  return mysql::Connection::open(wanted.address, {wanted.admin.user, passwords.at(wanted.name), {}},
                                 timeouts);
}

std::string LocalServers::ask(std::size_t server, const std::string& query) const {
  auto connection = connect(server);
  if (!connection) return connection.error().message;
  const auto table = connection->query(query);
  if (!table) return table.error().message;
  return table->rows.empty() ? "no row" : table->rows.front().front().value_or("NULL");
}

sandbox::ServerBinary LocalServers::binary() const {
  auto found = sandbox::find_server_binary(options.server_binary);
  if (!found) throw std::runtime_error(found.error().message);
  return *found;
}

std::vector<std::string> LocalServers::binary_arguments() const {
  return options.server_binary ? std::vector<std::string>{*options.server_binary}
                               : std::vector<std::string>{};
}

}  // namespace stemma::test
