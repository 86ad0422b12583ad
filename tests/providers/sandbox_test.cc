// The sandbox with real servers, on ports 27200 and up.
#include "providers/sandbox/sandbox.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "cli/exit_code.h"
#include "cli/sandbox_command.h"
#include "providers/sandbox/data_directory.h"
#include "providers/sandbox/local_server.h"
#include "providers/sandbox/ports.h"
#include "providers/sandbox/process.h"
#include "providers/sandbox/sandbox_directory.h"
#include "providers/sandbox/server_options.h"
#include "tests/catch.h"
#include "tests/providers/support_sandbox.h"

namespace stemma {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using sandbox::SandboxServer;
using sandbox::ServerState;

Address at(const std::string& host, std::uint16_t port = 3306) {
  return {.host = host, .port = port, .socket = {}};
}

// Whether any process works in this directory.
bool anything_runs_in(const fs::path& directory) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    for (const std::string& word : sandbox::command_line(std::stoi(name)))
      if (word.find(directory.string()) != std::string::npos) return true;
  }
  return false;
}

TEST_CASE("only loopback TCP addresses are a sandbox's") {
  CHECK(sandbox::loopback_ip(at("127.0.0.1")) == "127.0.0.1");
  CHECK(sandbox::loopback_ip(at("127.8.9.10")) == "127.8.9.10");
  CHECK(sandbox::loopback_ip(at("LocalHost")) == "127.0.0.1");
  CHECK(sandbox::loopback_ip(at("::1")) == "::1");
  CHECK(sandbox::loopback_ip(at("10.0.0.1")).empty());
  CHECK(sandbox::loopback_ip(at("db.example.org")).empty());
  CHECK(sandbox::loopback_ip({.host = {}, .port = 0, .socket = "/run/mysqld/mysqld.sock"}).empty());
}

TEST_CASE("a server program is known by what its --version says") {
  const auto mariadb = sandbox::read_version_line(
      "/usr/sbin/mariadbd", "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu");
  REQUIRE(mariadb);
  CHECK(mariadb->flavor == sandbox::Flavor::mariadb);
  CHECK(mariadb->version == "10.11.19");
  const auto mysql = sandbox::read_version_line(
      "/opt/mysql/bin/mysqld",
      "/opt/mysql/bin/mysqld  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)\n");
  REQUIRE(mysql);
  CHECK(mysql->flavor == sandbox::Flavor::mysql);
  CHECK(mysql->base() == "/opt/mysql");
  CHECK(mysql->release == 804);
  const auto old = sandbox::read_version_line("/x/mysqld", "/x/mysqld  Ver 5.6.24 for Linux on x86_64");
  REQUIRE(old);
  CHECK(old->release == 506);
  CHECK(old->launch == std::vector<std::string>{"/x/mysqld"});
  CHECK(!sandbox::read_version_line("/x", "mysqld  Ver 5.5.62 for Linux on x86_64"));
  CHECK(!sandbox::read_version_line("/bin/ls", "ls (GNU coreutils) 9.1"));
}

TEST_CASE("a user's option is any but those that a sandbox lives by") {
  CHECK(sandbox::option_of("sync_binlog=1").value() == "--sync_binlog=1");
  CHECK(sandbox::option_of("--sync-binlog=1").value() == "--sync-binlog=1");
  CHECK(sandbox::option_of("skip-slave-start").value() == "--skip-slave-start");
  CHECK(sandbox::option_of("init-connect=SET @a = 1").value() == "--init-connect=SET @a = 1");
  for (const char* ours : {"port=1", "--socket=/x", "loose_datadir=/x", "pid_file=x", "server-id=7"})
    CHECK(sandbox::option_of(ours).error().message.find("the sandbox itself chooses") == 0);
  for (const char* none : {"", "--", "=1", "-x", "a b=1", "a;b"})
    CHECK(sandbox::option_of(none).error().message.find("is not a server option") != std::string::npos);
}

TEST_CASE("names of servers become file names of their own") {
  CHECK(sandbox::as_file_name("replica-1.eu") == "replica-1.eu");
  CHECK(sandbox::as_file_name("../x").find('/') == std::string::npos);
  CHECK(sandbox::as_file_name("..") != "..");
  CHECK(sandbox::as_file_name("a/b") != sandbox::as_file_name("a b"));
}

TEST_CASE("a sandbox from up to purge", "[server]") {
  test::LocalServers servers({27201, 27202, 27203});
  const bool mariadb = servers.binary().flavor == sandbox::Flavor::mariadb;
  const std::vector<std::string> positions =
      mariadb ? std::vector<std::string>{"gtid_binlog_pos", "gtid_binlog_state", "gtid_slave_pos",
                                         "gtid_current_pos"}
              : std::vector<std::string>{"gtid_executed", "gtid_purged"};
  auto& files = servers.topology.servers;
  files[1].server_id = 1;  // so the first has to take another one
  files[2].advertise = at("db3.example.org", 3306);
  files[2].admin.user = "boss";
  files.emplace_back(files[0]);
  files.back().name = ServerName{"far"};
  files.back().address = at("192.0.2.1");

  std::vector<std::string> told;
  const auto up = servers.up([&](const SandboxServer& server) { told.push_back(server.name.text); });
  INFO((up ? std::string() : up.error().message + " | " + up.error().hint));
  REQUIRE(up);
  CHECK(told.size() == 3);
  REQUIRE(up->size() == 4);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK((*up)[i].state == ServerState::started);
    // A server is fresh: nothing in the binlog, no GTID, no schema of ours.
    for (const std::string& position : positions)
      CHECK(servers.ask(i, "SELECT @@GLOBAL." + position).empty());
    CHECK(servers.ask(i, "SHOW BINARY LOGS") == "mysql-bin.000001");
    CHECK(servers.ask(i, "SELECT @@log_slave_updates") == "1");
    CHECK(servers.ask(i,
                      "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name NOT IN "
                      "('mysql','sys','information_schema','performance_schema')") == "0");
    // Nobody gets in without a password, but for us over the socket.
    CHECK(servers.ask(i, "SELECT COUNT(*) FROM mysql.user WHERE user = ''") == "0");
    for (const char* user : {"root", "", "mariadb.sys", "boss"}) {
      const auto open = mysql::Connection::open(files[i].address, {user, Secret(), {}}, {});
      CHECK(!open);
    }
  }
  CHECK((*up)[3].state == ServerState::elsewhere);
  CHECK(servers.ask(0, "SELECT @@server_id") == "2");
  CHECK(servers.ask(1, "SELECT @@server_id") == "1");
  CHECK(servers.ask(2, "SELECT @@server_id") == "3");
  CHECK(servers.ask(2, "SELECT @@report_host") == "db3.example.org");
  CHECK(servers.ask(2, "SELECT CURRENT_USER()") == "boss@%");
  // The admin may make accounts, over TCP and over the socket.
  CHECK(servers.ask(2, "SHOW GRANTS").find("WITH GRANT OPTION") != std::string::npos);
  const std::string socket = (servers.options.directory / "s27201" / "mysqld.sock").string();
  CHECK(mysql::Connection::open({.host = {}, .port = 0, .socket = socket},
                                {"root", servers.passwords[files[0].name], {}}, {}));

  // No secret is in a process title or a file.
  for (std::size_t i = 0; i < 3; ++i)
    for (const std::string& word : sandbox::command_line((*up)[i].pid))
      CHECK(word.find("secret") == std::string::npos);
  struct stat directory {};
  REQUIRE(stat(servers.options.directory.c_str(), &directory) == 0);
  CHECK((directory.st_mode & 077) == 0);

  // Once more: everything is kept. A server that died comes back, with its data.
  CHECK(servers.ask(0, "CREATE DATABASE kept") == "no row");
  REQUIRE(kill((*up)[0].pid, SIGKILL) == 0);
  REQUIRE(waitpid((*up)[0].pid, nullptr, 0) == (*up)[0].pid);  // its port is free only now
  const auto again = servers.up();
  INFO((again ? std::string() : again.error().message + " | " + again.error().hint));
  REQUIRE(again);
  CHECK((*again)[0].state == ServerState::started);
  CHECK((*again)[1].state == ServerState::kept);
  CHECK((*again)[1].pid == (*up)[1].pid);
  CHECK(servers.ask(0, "SHOW DATABASES LIKE 'kept'") == "kept");

  // A new password in the file is given to the servers that run, where we get in without the old one.
  const Secret before = servers.passwords[files[1].name];
  servers.passwords[files[1].name] = Secret("another");
  if (mariadb) {
    REQUIRE(servers.up());
    CHECK(servers.ask(1, "SELECT @@gtid_binlog_pos").empty());
  } else {
    const auto refused = servers.up();
    REQUIRE(!refused);
    CHECK(refused.error().trouble == Trouble::denied);
    CHECK(refused.error().hint.find("--purge") != std::string::npos);
    servers.passwords[files[1].name] = before;
    REQUIRE(servers.up());
  }

  // A file that has changed its mind about a port is told so.
  files[1].address.port = 27209;
  const auto moved = servers.up();
  REQUIRE(!moved);
  CHECK(moved.error().message.find("--port=27209") != std::string::npos);
  files[1].address.port = 27202;

  // Status, also for a server that the file has lost.
  const Server lost = files[2];
  files.erase(files.begin() + 2);
  auto status = sandbox::sandbox_status(servers.topology, servers.options);
  REQUIRE(status.size() == 4);
  CHECK(status[0].state == ServerState::running);
  CHECK(status[2].state == ServerState::elsewhere);
  CHECK(status[3].name.text == "s27203");
  CHECK(status[3].state == ServerState::running);
  CHECK(status[3].uptime < 60s);

  // Down keeps the data, and a second one finds nothing to do.
  REQUIRE(sandbox::sandbox_down(servers.topology, servers.options, false));
  CHECK(!anything_runs_in(servers.options.directory));
  CHECK(fs::exists(servers.options.directory / "s27201" / "data"));
  REQUIRE(sandbox::sandbox_down(servers.topology, servers.options, false));
  status = sandbox::sandbox_status(servers.topology, servers.options);
  CHECK(status[0].state == ServerState::stopped);
  CHECK(status[0].pid == 0);

  // Purge leaves nothing.
  REQUIRE(sandbox::sandbox_down(servers.topology, servers.options, true));
  CHECK(!fs::exists(servers.options.directory));
  const auto nothing = sandbox::sandbox_down(servers.topology, servers.options, true);
  REQUIRE(nothing);
  CHECK(nothing->empty());
}

TEST_CASE("a port that is taken is named before anything starts, with its holder", "[server]") {
  const int holder = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(27212);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int yes = 1;
  setsockopt(holder, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  REQUIRE(bind(holder, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(listen(holder, 1) == 0);

  test::LocalServers servers({27211, 27212});
  const auto up = servers.up();
  close(holder);
  REQUIRE(!up);
  CHECK(up.error().trouble == Trouble::refused);
  CHECK(up.error().message.find("s27212: port 27212 is already taken by ") == 0);
  CHECK(up.error().message.find(std::to_string(getpid())) != std::string::npos);
  CHECK(!fs::exists(servers.options.directory));
}

TEST_CASE("what can't be a sandbox is refused with what to do") {
  test::LocalServers servers({27221});

  SECTION("a program that is not there") {
    servers.options.server_binary = "/nosuch/mariadbd";
    const auto up = servers.up();
    REQUIRE(!up);
    CHECK(up.error().trouble == Trouble::input);
    CHECK(up.error().message.find("/nosuch/mariadbd") != std::string::npos);
    CHECK(up.error().hint.find("--server-binary") != std::string::npos);
  }
  SECTION("a program that is no server") {
    servers.options.server_binary = "/bin/true";
    CHECK(servers.up().error().message.find("not a MySQL or MariaDB server") != std::string::npos);
  }
  SECTION("a root directory without a server, or without a loader") {
    servers.options.server_binary = "chroot:" + servers.directory.path().string();
    CHECK(servers.up().error().message.find("there is no server program in the root directory /") == 0);
    const fs::path programs = servers.directory.path() / "usr" / "sbin";
    fs::create_directories(programs);
    fs::copy("/bin/true", programs / "mysqld");
    CHECK(servers.up().error().message.find("there is no dynamic loader in the root directory /") == 0);
    // A link to this machine's own does not count: it leads out of the root.
    fs::create_directories(servers.directory.path() / "lib64");
    fs::create_symlink("/bin/true", servers.directory.path() / "lib64" / "ld-linux-x86-64.so.2");
    CHECK(servers.up().error().message.find("there is no dynamic loader in the root directory /") == 0);
  }
  SECTION("a program for a server that is not in the file") {
    servers.options.server_binaries[ServerName{"nosuch"}] = "/usr/sbin/mariadbd";
    CHECK(servers.up().error().message.find("the sandbox has no server nosuch") == 0);
  }
  SECTION("an option that is the sandbox's own") {
    servers.options.server_options = {"datadir=/var/lib/mysql"};
    CHECK(servers.up().error().message == "the sandbox itself chooses a server's datadir");
  }
  SECTION("no loopback address") {
    servers.topology.servers[0].address.host = "192.0.2.1";
    CHECK(servers.up().error().message == "no server of the file has a loopback address");
  }
  SECTION("one address twice") {
    servers.topology.servers.push_back(servers.topology.servers[0]);
    servers.topology.servers[1].name = ServerName{"twin"};
    servers.topology.servers[1].address.host = "localhost";
    CHECK(servers.up().error().message == "twin: 127.0.0.1:27221 is the address of s27221 already");
  }
  SECTION("a directory with somebody's files, which no purge touches") {
    fs::create_directories(servers.options.directory / "s27221" / "data");
    std::ofstream(servers.options.directory / "s27221" / "data" / "precious") << "x";
    CHECK(servers.up().error().message.find("not a sandbox's") != std::string::npos);
    REQUIRE(sandbox::sandbox_down(servers.topology, servers.options, true));
    CHECK(fs::exists(servers.options.directory / "s27221" / "data" / "precious"));
  }
  SECTION("another sandbox command at work") {
    const auto lock = sandbox::DirectoryLock::take(servers.options.directory);
    REQUIRE(lock);
    CHECK(servers.up().error().trouble == Trouble::locked);
    CHECK(sandbox::sandbox_down(servers.topology, servers.options, true).error().trouble == Trouble::locked);
  }
}

TEST_CASE("an interrupted up leaves nothing running", "[server]") {
  test::LocalServers servers({27231, 27232, 27233});

  SECTION("before anything was started") { servers.stop = true; }
  SECTION("while the servers start") {
    servers.options.start_timeout = 30s;
    std::jthread user([&](const std::stop_token& over) {
      // As soon as the first server's log shows up.
      while (!over.stop_requested() && !fs::exists(servers.options.directory / "s27231" / "mysqld.log"))
        std::this_thread::sleep_for(1ms);
      servers.stop = true;
    });
    const auto begin = std::chrono::steady_clock::now();
    const auto up = servers.up();
    user.request_stop();
    user.join();
    CHECK(std::chrono::steady_clock::now() - begin < 5s);
    REQUIRE(!up);
    CHECK(up.error().trouble == Trouble::interrupted);
  }
  SECTION("when one is ready already") {
    const auto up = servers.up([&](const SandboxServer&) { servers.stop = true; });
    // Those that were ready by then make a whole sandbox only if all were.
    if (up) return;
    CHECK(up.error().trouble == Trouble::interrupted);
  }
  CHECK(!servers.up());
  CHECK(!anything_runs_in(servers.options.directory));
  CHECK(!fs::exists(servers.options.directory));
}

TEST_CASE("a server that fails takes the others of its up with it, but not its log", "[server]") {
  test::LocalServers servers({27241, 27242});
  REQUIRE(servers.up());
  REQUIRE(sandbox::sandbox_down(servers.topology, servers.options, false));
  servers.topology.servers.push_back(servers.topology.servers[0]);
  servers.topology.servers[2].name = ServerName{"third"};
  servers.topology.servers[2].address.port = 27243;
  // The data of one are spoiled: it can't start.
  std::ofstream(servers.options.directory / "s27242" / "data" / "ibdata1") << "rubbish";

  std::ostringstream out, err;
  const cli::SandboxArguments arguments{.action = cli::SandboxAction::up,
                                        .file = "test.toml",
                                        .server_binaries = servers.binary_arguments(),
                                        .server_options = {},
                                        .directory = servers.options.directory.string(),
                                        .purge = false};
  CHECK(run_sandbox(arguments, servers.topology, servers.passwords, servers.stop, out, err) ==
        cli::ExitCode::error);
  INFO(err.str());
  CHECK(err.str().find("error: s27242: the server ended with") == 0);
  CHECK(err.str().find("mysqld.log") != std::string::npos);
  CHECK(err.str().find("  | ") != std::string::npos);
  CHECK(!anything_runs_in(servers.options.directory));
  CHECK(fs::exists(servers.options.directory / "s27241" / "data"));  // it was there before
  CHECK(!fs::exists(servers.options.directory / "third"));           // it was not
  CHECK(fs::exists(servers.options.directory / "s27242" / "mysqld.log"));
}

TEST_CASE("a directory too deep for a socket works all the same", "[server]") {
  test::LocalServers servers({27251});
  servers.options.directory /= std::string(90, 'd');
  const auto up = servers.up();
  INFO((up ? std::string() : up.error().message + " | " + up.error().hint));
  REQUIRE(up);
  const fs::path link = (*up)[0].directory / "mysqld.sock";
  REQUIRE(fs::is_symlink(link));
  const fs::path target = fs::read_symlink(link).parent_path();
  CHECK((fs::status(target).permissions() & fs::perms::others_all) == fs::perms::none);
  REQUIRE(sandbox::sandbox_down(servers.topology, servers.options, true));
  CHECK(!fs::exists(target));
}

TEST_CASE("options of the user's, on the command line, in the file and persisted", "[server]") {
  test::LocalServers servers({27271});
  const auto binary = servers.binary();
  servers.options.server_options = {"max_connections=77", "--loose-nosuch=1"};
  const auto up = servers.up();
  INFO((up ? std::string() : up.error().message + " | " + up.error().hint));
  REQUIRE(up);
  CHECK(servers.ask(0, "SELECT @@max_connections") == "77");
  const bool persists = binary.flavor == sandbox::Flavor::mysql && binary.release >= 800;
  if (persists) CHECK(servers.ask(0, "SET PERSIST sync_binlog = 5") == "no row");

  // A server that runs without an option of this call is not taken for one that has it.
  servers.options.server_options.emplace_back("back_log=11");
  const auto other = servers.up();
  REQUIRE(!other);
  CHECK(other.error().message.find("but without --back_log=11") != std::string::npos);

  REQUIRE(sandbox::sandbox_down(servers.topology, servers.options, false));
  std::ofstream((*up)[0].directory / "my.cnf") << "[mysqld]\nmax_connect_errors = 123\n";
  servers.options.server_binary.reset();  // the data are that server's, not one's from PATH
  REQUIRE(servers.up());
  CHECK(servers.ask(0, "SELECT VERSION()").find(binary.version) == 0);
  CHECK(servers.ask(0, "SELECT @@back_log") == "11");
  CHECK(servers.ask(0, "SELECT @@max_connect_errors") == "123");
  if (persists) CHECK(servers.ask(0, "SELECT @@sync_binlog") == "5");
  REQUIRE(sandbox::sandbox_down(servers.topology, servers.options, true));
  CHECK(!fs::exists(servers.options.directory));
}

TEST_CASE("a server is small, and finds its own files wherever they are", "[server]") {
  test::LocalServers servers({27272});
  const auto binary = servers.binary();
  const auto up = servers.up();
  INFO((up ? std::string() : up.error().message + " | " + up.error().hint));
  REQUIRE(up);
  CHECK(servers.ask(0, "SELECT VERSION()").find(binary.version) == 0);
  CHECK(servers.ask(0, "SELECT @@character_sets_dir").find(binary.share().string()) == 0);
  CHECK(!servers.ask(0, "SELECT @@lc_messages_dir").empty());
  CHECK(servers.ask(0, "SELECT @@plugin_dir").find(binary.base().string()) == 0);
  CHECK(servers.ask(0, "SELECT HEX(CONVERT(_gbk x'c4e3' USING utf8))") == "E4BDA0");
  if (fs::exists(servers.ask(0, "SELECT @@plugin_dir") + "auth_ed25519.so")) {
    CHECK(servers.ask(0, "INSTALL SONAME 'auth_ed25519'") == "no row");
    CHECK(servers.ask(0, "CREATE USER e IDENTIFIED VIA ed25519 USING PASSWORD('x')") == "no row");
    const auto login =
        mysql::Connection::open(servers.topology.servers[0].address, {"e", Secret("x"), {}}, {});
    CHECK((login || login.error().number == 2059));  // where the client library has no such plugin
  }
  std::ifstream status(fmt::format("/proc/{}/status", (*up)[0].pid));
  long resident = 0;
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) resident = std::stol(line.substr(6));
  CHECK(resident > 0);
  CHECK(resident < 300 * 1024);
}

TEST_CASE("the servers of one sandbox need not be of one release", "[server]") {
  test::LocalServers servers({27273, 27274});
  const auto first = servers.binary();
  const auto second = sandbox::find_server_binary(std::nullopt);
  REQUIRE(second);
  cli::SandboxArguments arguments{.action = cli::SandboxAction::up,
                                  .file = "test.toml",
                                  .server_binaries = servers.binary_arguments(),
                                  .server_options = {},
                                  .directory = servers.options.directory.string(),
                                  .purge = false};
  arguments.server_binaries.push_back("s27274=" + second->path.string());
  for (const auto* when : {"made", "kept"}) {
    INFO(when);
    std::ostringstream out, err;
    CHECK(run_sandbox(arguments, servers.topology, servers.passwords, servers.stop, out, err) ==
          cli::ExitCode::ok);
    CHECK(err.str().empty());
    CHECK(servers.ask(0, "SELECT VERSION()").find(first.version) == 0);
    CHECK(servers.ask(1, "SELECT VERSION()").find(second->version) == 0);
  }
}

TEST_CASE("a relative directory is one directory from the first up on") {
  test::LocalServers servers({27275});
  const fs::path here = fs::current_path();
  fs::current_path(servers.directory.path());
  servers.options.directory = "box";
  const fs::path wanted = fs::canonical(servers.directory.path()) / "box";
  CHECK(sandbox::directory_of(servers.topology, servers.options) == wanted);
  fs::create_directory("box");
  CHECK(sandbox::directory_of(servers.topology, servers.options) == wanted);
  fs::current_path(here);
  servers.options.directory = wanted;
}

TEST_CASE("the command prints a line for each server", "[server]") {
  test::LocalServers servers({27261});
  servers.topology.servers.push_back(servers.topology.servers[0]);
  servers.topology.servers[1].name = ServerName{"far"};
  servers.topology.servers[1].address = at("db.example.org");
  cli::SandboxArguments arguments{.action = cli::SandboxAction::up,
                                  .file = "test.toml",
                                  .server_binaries = servers.binary_arguments(),
                                  .server_options = {},
                                  .directory = servers.options.directory.string(),
                                  .purge = true};
  const auto run = [&](cli::SandboxAction action) {
    std::ostringstream out, err;
    arguments.action = action;
    CHECK(run_sandbox(arguments, servers.topology, servers.passwords, servers.stop, out, err) ==
          cli::ExitCode::ok);
    CHECK(err.str().empty());
    return out.str();
  };
  const std::string up = run(cli::SandboxAction::up);
  CHECK(up.find("  s27261  127.0.0.1:27261        ready  pid ") == 0);
  CHECK(up.find("  far     db.example.org:3306    elsewhere  not a loopback address") != std::string::npos);
  CHECK(up.find("1 server ready in ") != std::string::npos);
  CHECK(run(cli::SandboxAction::up).find("ready (ran already)") != std::string::npos);
  const std::string status = run(cli::SandboxAction::status);
  CHECK(status.find("running  pid ") != std::string::npos);
  CHECK(status.find("1 server running") != std::string::npos);
  CHECK(run(cli::SandboxAction::down).find("removed") != std::string::npos);
  CHECK(run(cli::SandboxAction::down).find("there is no sandbox in ") == 0);
}

}  // namespace
}  // namespace stemma
