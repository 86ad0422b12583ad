#include "providers/sandbox/local_server.h"

#include <unistd.h>

#include <algorithm>
#include <thread>

#include "providers/mysql/connection.h"

namespace stemma::sandbox {
namespace fs = std::filesystem;
namespace {

constexpr auto pause_between_logins = std::chrono::milliseconds(5);
constexpr const char* no_tls_hint =
    "a sandbox's servers have no certificates of their own: use tls = \"preferred\" for [admin]";

// A login over the unix socket that may make accounts. In MariaDB it is the OS user's own, which no
// password opens; MySQL's root has none at first and the admin's password from then on.
Result<mysql::Connection> open_as_owner(const LocalServer& server, const fs::path& socket) {
  const Address address{.host = {}, .port = 0, .socket = socket.string()};
  const mysql::Credentials owners[] = {
      {os_user(), Secret(), {}}, {"root", Secret(), {}}, {"root", server.admin_password, {}}};
  Error last;
  for (const mysql::Credentials& owner : owners) {
    auto opened = mysql::Connection::open(address, owner, mysql::Timeouts());
    if (opened) return opened;
    last = opened.error();
    if (last.trouble != Trouble::denied) return tl::unexpected(last);
  }
  last.hint =
      "the admin's password has changed since this server was made: change it there, or start afresh after "
      "`stemma sandbox down --purge`";
  return tl::unexpected(last);
}

// CREATE USER IF NOT EXISTS and ALTER USER came with 5.7, where GRANT began to lose its way to do both.
bool grant_makes_accounts(const std::string& version) {
  return version.starts_with("5.6.") && version.find("MariaDB") == std::string::npos;
}

std::vector<std::string> account_statements(const LocalServer& server, const std::string& version) {
  const bool mariadb = version.find("MariaDB") != std::string::npos;
  const std::string user = mysql::escape(server.wanted->admin.user);
  const std::string password = mysql::escape(server.admin_password.reveal());
  std::vector<std::string> statements{"SET SESSION sql_log_bin = 0"};
  const auto give = [&](const std::string& account, const std::string& credential) {
    if (grant_makes_accounts(version)) {
      statements.push_back(
          fmt::format("GRANT ALL PRIVILEGES ON *.* TO {} {} WITH GRANT OPTION", account, credential));
      return;
    }
    statements.push_back(fmt::format("CREATE USER IF NOT EXISTS {}", account));
    statements.push_back(fmt::format("ALTER USER {} {}", account, credential));
    statements.push_back(fmt::format("GRANT ALL PRIVILEGES ON *.* TO {} WITH GRANT OPTION", account));
  };
  give(fmt::format("'{}'@'%'", user), fmt::format("IDENTIFIED BY '{}'", password));
  if (!mariadb) {
    // Whoever the admin is: a root without a password must not stay behind.
    give("'root'@'localhost'", fmt::format("IDENTIFIED BY '{}'", password));
  } else if (server.wanted->admin.user == "root" || server.wanted->admin.user == os_user()) {
    // This account hides the one above from the socket; there the OS user's own login works on.
    give(fmt::format("'{}'@'localhost'", user),
         fmt::format("IDENTIFIED VIA mysql_native_password USING PASSWORD('{}') OR unix_socket", password));
  }
  return statements;
}

Result<void> make_admin_account(const LocalServer& server, const fs::path& socket) {
  auto owner = open_as_owner(server, socket);
  if (!owner) return tl::unexpected(owner.error());
  std::vector<std::string> statements = mysql::session_setup();
  for (std::string& statement : account_statements(server, owner->server_version()))
    statements.push_back(std::move(statement));
  if (const auto batch = owner->query_all(statements); batch.failed)
    return tl::unexpected(batch.failed->within("making the admin account"));
  return {};
}

bool is_tls_trouble(const Error& error) { return error.number == 2026 || error.number == 0; }

}  // namespace

std::optional<pid_t> running(const ServerFiles& files) {
  std::error_code unreadable;
  if (!fs::exists(files.data(), unreadable)) return std::nullopt;
  return find_process(files.pid_file(), files.mark());
}

Command start_command(const LocalServer& server, const fs::path& socket) {
  const Server& wanted = *server.wanted;
  const ServerBinary& binary = server.binary;
  const bool replica_word = binary.flavor == Flavor::mysql && binary.release >= 804;  // from 8.0.26
  Command command = binary.launch;
  const auto add = [&](const Options& options) {
    command.insert(command.end(), options.begin(), options.end());
  };
  add({
      "--defaults-file=" + server.files.options_file().string(),  // has to be the first
      server.files.mark(),
      "--socket=" + socket.string(),
      "--pid-file=" + server.files.pid_file().string(),
      "--log-error=" + server.files.log().string(),
      "--tmpdir=" + server.files.tmp().string(),
      fmt::format("--port={}", wanted.address.port),
      "--bind-address=" + server.ip,
      fmt::format("--server-id={}", server.server_id),
      "--skip-name-resolve",
      "--log-bin=mysql-bin",
      replica_word ? "--log-replica-updates" : "--log-slave-updates",
      "--relay-log=relay-bin",
  });
  if (!wanted.advertise.host.empty())
    add({"--report-host=" + wanted.advertise.host, fmt::format("--report-port={}", wanted.advertise.port)});
  if (geteuid() == 0) add({"--user=root"});
  add(place_options(binary));
  add(file_options(binary));
  add(small_options(binary));
  add(server.options);  // the last word is the user's
  return command;
}

std::string outdated_option(const LocalServer& server, const Command& command_line) {
  std::vector<std::string> needed{fmt::format("--port={}", server.wanted->address.port),
                                  "--bind-address=" + server.ip};
  if (server.wanted->server_id) needed.push_back(fmt::format("--server-id={}", *server.wanted->server_id));
  needed.insert(needed.end(), server.options.begin(), server.options.end());
  for (const std::string& option : needed)
    if (std::find(command_line.begin(), command_line.end(), option) == command_line.end()) return option;
  return {};
}

// Asks for the login until it is given: refused connections mean that the server is not yet up. A fresh
// server is asked only after its account was made; any other gets the account when it says "denied".
Result<void> await_admin_login(const LocalServer& server, const fs::path& socket, const Waiting& waiting) {
  const mysql::Credentials admin{server.wanted->admin.user, server.admin_password, server.wanted->admin.tls};
  bool account_missing = waiting.fresh;
  bool account_made = false;
  for (Error last;; std::this_thread::sleep_for(pause_between_logins)) {
    if (waiting.given_up()) return fail(Trouble::interrupted, "interrupted");
    if (waiting.child)
      if (const auto how = ended(*waiting.child))
        return fail(Trouble::refused, "the server ended with {} before it accepted a login", *how);
    if (std::chrono::steady_clock::now() >= waiting.deadline)
      return fail(Trouble::late, "no login in time: {}", last.message.empty() ? "no answer" : last.message);

    if (account_missing) {
      const auto made = make_admin_account(server, socket);
      if (!made) {
        last = made.error();
        if (last.trouble == Trouble::unreachable) continue;
        return tl::unexpected(last);
      }
      account_missing = false;
      account_made = true;
    }
    const auto login = mysql::Connection::open(server.wanted->address, admin, mysql::Timeouts());
    if (login) return {};
    last = login.error();
    if (last.trouble == Trouble::denied && !account_made) {
      account_missing = true;
      continue;
    }
    if (last.trouble == Trouble::unreachable && is_tls_trouble(last)) last.hint = no_tls_hint;
    if (last.trouble == Trouble::denied || is_tls_trouble(last)) return tl::unexpected(last);
  }
}

}  // namespace stemma::sandbox
