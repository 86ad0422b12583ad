#include "tests/live/support_story.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <stdexcept>

#include "providers/mysql/reader.h"
#include "tests/live/support_grants.h"
#include "tests/live/support_tongue.h"
#include "tests/servers/support_servers.h"

extern char** environ;

namespace stemma::live {
namespace fs = std::filesystem;
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int first_port = 28000, last_port = 31990, block = 10;

[[noreturn]] void broken(const std::string& what) { throw std::runtime_error(what); }

bool is_free(int port) {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): how sockets are
  const bool free = ::bind(probe, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
  ::close(probe);
  return free;
}

// A block of ports that no other test has, also of another run of the suite: the lock on a file goes
// away with this process. Returns the file; `first` is the first port.
int take_ports(int& first) {
  static int next = first_port;
  for (int tried = 0; tried <= (last_port - first_port) / block; ++tried) {
    first = next;
    next = next + block > last_port ? first_port : next + block;
    const std::string name = fmt::format("/tmp/stemma-live-{}-{}.lock", ::getuid(), first);
    const int lock = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0) continue;
    bool free = ::flock(lock, LOCK_EX | LOCK_NB) == 0;
    for (int port = first; free && port < first + block; ++port) free = is_free(port);
    if (free) return lock;
    ::close(lock);
  }
  broken("no block of free ports from 28000 up");
}

// Text that runs the program needs as a NULL-terminated list.
std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

std::vector<std::string> command_line(const std::string& pid) {
  std::vector<std::string> arguments;
  std::istringstream in(read_text("/proc/" + pid + "/cmdline"));
  for (std::string argument; std::getline(in, argument, '\0');) arguments.push_back(argument);
  return arguments;
}

std::string joined(const mysql::Table& table) {
  std::string text;
  for (const auto& row : table.rows) {
    for (const auto& value : row) text += value.value_or("NULL") + "\t";
    text += "\n";
  }
  return text;
}

}  // namespace

void disorder(const Story& story) {
  story.sql("replica-1",
            {"STOP SLAVE", "CHANGE MASTER TO MASTER_HOST = '127.0.0.9'", "SET GLOBAL read_only = OFF"});
  story.sql("replica-2", {"STOP SLAVE"});
}

void arrives(Story& story, std::chrono::seconds patience) {
  const auto until = steady_clock::now() + patience;
  for (;;) {
    const Ran again = story.stemma({"apply", "--yes", "--lock-timeout", "20s"});
    if (again.code == 0) return;
    if (again.code != 5 || steady_clock::now() >= until)
      broken(fmt::format("the next run ended with {}:\n{}", again.code, again.all()));
  }
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool has(const Codes& codes, const std::string& code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

std::string read_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_text(const fs::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  if (!out.flush()) broken("can't write " + file.string());
}

json Ran::document() const {
  json parsed = json::parse(out, nullptr, false);
  if (parsed.is_discarded()) broken(fmt::format("no JSON, exit {}:\n{}\n{}", code, out, err));
  return parsed;
}

Running::Running(const std::vector<std::string>& command,
                 const std::map<std::string, std::string>& environment, const fs::path& outputs)
    : out_(outputs.string() + ".out"), err_(outputs.string() + ".err"), began_(steady_clock::now()) {
  std::vector<std::string> arguments = command, variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    if (!environment.contains(text.substr(0, text.find('=')))) variables.push_back(text);
  }
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int failed = posix_spawnp(&pid_, arguments.front().c_str(), &actions, nullptr,
                                  pointers(arguments).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) broken("can't start " + command.front());
}

Running::~Running() {
  if (!alive()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool Running::alive() {
  if (ended_) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == 0) return true;
  ended_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return false;
}

void Running::signal(int number) const {
  if (!ended_) ::kill(pid_, number);
}

Ran Running::wait(std::chrono::seconds patience) {
  const auto deadline = steady_clock::now() + patience;
  while (alive()) {
    if (steady_clock::now() > deadline) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
      ended_ = -SIGKILL;
      broken(
          fmt::format("took longer than {} s:\n{}\n{}", patience.count(), read_text(out_), read_text(err_)));
    }
    std::this_thread::sleep_for(milliseconds(1));
  }
  const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - began_);
  return {*ended_, read_text(out_), read_text(err_), took};
}

Shape quickstart(const std::string& coordinates) {
  Shape shape;
  shape.coordinates = coordinates;
  return shape;
}

Shape chain(const std::string& coordinates, const std::vector<std::string>& names) {
  Shape shape;
  shape.coordinates = coordinates;
  shape.servers.clear();
  for (std::size_t i = 0; i < names.size(); ++i)
    shape.servers.push_back({names[i], i == 0 ? "" : names[i - 1], ""});
  return shape;
}

Writer::Writer(Address address, mysql::Credentials credentials)
    : address_(std::move(address)), credentials_(std::move(credentials)), thread_([this] { run(); }) {}

Writer::~Writer() { stop(); }

void Writer::stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void Writer::must_write() {
  // The next row may have been begun before this call; the one after it was not.
  const std::uint64_t enough = rows_.load() + 2;
  eventually("the writer writes", [&] { return rows_.load() >= enough; });
}

void Writer::run() {
  std::optional<mysql::Connection> connection;
  bool unsure = false;
  unsigned long session = 0;
  for (int last_tries = 1000; !stop_.load() || (unsure && last_tries > 0);
       last_tries -= stop_.load() ? 1 : 0) {
    std::this_thread::sleep_for(milliseconds(3));
    if (!connection || !connection->alive()) {
      auto opened = mysql::Connection::open(address_, credentials_, {});
      if (!opened) continue;
      connection.emplace(std::move(*opened));
    }
    const auto number = rows_.load() + 1;
    if (unsure) {
      // A connection that was lost says nothing of the COMMIT that was under way, and after a network's failure that may
      // still be to come: first the old session has to be gone.
      static_cast<void>(connection->query(fmt::format("KILL {}", session)));
      const auto alive = connection->query(
          fmt::format("SELECT 1 FROM information_schema.processlist WHERE id = {}", session));
      if (!alive || !alive->rows.empty()) continue;
      const auto there = connection->query(fmt::format("SELECT 1 FROM app.t WHERE n = {}", number));
      if (!there) continue;
      unsure = false;
      if (!there->rows.empty()) ++rows_;
      continue;
    }
    session = connection->id();
    const auto written = connection->query_all(
        {"START TRANSACTION",
         fmt::format("INSERT INTO app.t (n, note) VALUES ({}, 'row {}')", number, number),
         "UPDATE app.counter SET n = n + 1", "COMMIT"});
    if (written.failed) {
      unsure = !connection->query("ROLLBACK").has_value();
      continue;
    }
    ++rows_;
  }
}

Story::Story(Shape shape, const std::map<std::string, std::string>& secrets) : shape_(std::move(shape)) {
  std::string name = (fs::temp_directory_path() / "stemma-live-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) broken("can't make " + name);
  directory_ = name;
  environment = {{"LIVE_ADMIN_PASSWORD", "admin's \\ \"secret\""},
                 {"LIVE_REPL_PASSWORD", "replica's \\ \"secret\""},
                 {"XDG_STATE_HOME", state_home().string()}};
  for (const auto& [variable, secret] : secrets) environment[variable] = secret;
  int port = 0;
  port_lock_ = take_ports(port);
  for (const ServerLines& server : shape_.servers) {
    ports_[server.name] = static_cast<std::uint16_t>(port++);
    if (server.source.empty() && root_.empty()) root_ = server.name;
  }
  try {
    bring_up();
  } catch (...) {
    fs::remove_all(directory_);
    ::close(port_lock_);
    throw;
  }
}

void Story::bring_up() {
  rewrite(shape_);
  const Ran up = sandbox_up();
  if (up.code != 0) broken("sandbox up failed: " + up.all());
  const auto connection = connect(root_);
  if (!connection) broken(root_ + ": " + connection.error().message);
  flavor_ = mysql::flavor_of(connection->server_version());
  version_ = mysql::parse_version(connection->server_version());
  make_accounts();
}

std::vector<std::string> Story::grants(const std::string& file, const std::string& server) {
  const std::string purpose = file == looking_file() ? "looking" : "applying";
  const Ran ran = run({"grants", file, "--for", purpose});
  if (ran.code != 0) broken("grants failed: " + ran.all());
  const auto line = std::find_if(shape_.servers.begin(), shape_.servers.end(),
                                 [&](const ServerLines& one) { return one.name == server; });
  // A source may be that of a further channel, too.
  return granted(ran.out, flavor_, version_, line->source.empty() && !contains(line->more, "source"));
}

// As an administrator would: root, outside the binlog, one statement after the other, before there is any replication.
void Story::make_accounts() {
  for (const auto& [user, file] : {std::pair{"stemma", this->file()}, {"stemma_looks", looking_file()}})
    for (const ServerLines& server : shape_.servers) {
      auto connection = connect(server.name);
      if (!connection) broken(server.name + ": " + connection.error().message);
      std::vector<std::string> statements = {
          "SET SESSION sql_log_bin = 0", fmt::format("CREATE USER '{}'@'%' IDENTIFIED BY '{}'", user,
                                                     mysql::escape(environment.at("LIVE_ADMIN_PASSWORD")))};
      for (std::string& grant : grants(file, server.name)) statements.push_back(std::move(grant));
      for (const std::string& statement : statements)
        if (const auto done = connection->query(statement); !done)
          broken(fmt::format("{}: {}: {}", server.name, statement, done.error().message));
    }
}

Ran Story::sandbox_up() {
  std::vector<std::string> words{"sandbox", "up", path("servers.toml"), "--dir", sandbox().string()};
  if (const auto& binary = test::test_server().binary)
    words.insert(words.end(), {"--server-binary", *binary});
  // Off by default there, and without them no replica can be moved to another source.
  if (test::test_server().name == "mysql-5.6")
    words.insert(words.end(),
                 {"--server-option", "gtid_mode=ON", "--server-option", "enforce_gtid_consistency=ON"});
  for (const std::string& option : shape_.options) words.insert(words.end(), {"--server-option", option});
  return run(words);
}

Story::~Story() {
  writer_.reset();
  try {
    rewrite(shape_);
    static_cast<void>(run({"sandbox", "down", "--purge", path("servers.toml"), "--dir", sandbox().string()}));
  } catch (const std::exception& left) {
    fmt::print(stderr, "sandbox down: {}\n", left.what());
  }
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
  ::close(port_lock_);
}

void Story::rewrite(const Shape& shape) {
  const auto admin = [&](std::string_view user) {
    return fmt::format("user = \"{}\"\npassword = {{ env = \"LIVE_ADMIN_PASSWORD\" }}", user);
  };
  ours_ = shape.admin == admin("stemma");
  const std::string head =
      fmt::format("[topology]\nname = \"story\"\ncoordinates = \"{}\"\n[admin]\n", shape.coordinates);
  const auto body = [&](int beyond) {
    std::string text =
        fmt::format("[replication]\n{}\n{}\n{}\n", shape.account,
                    test::test_server().name == "mysql-9.7" || contains(shape.account, "plugin =")
                        ? ""
                        : "plugin = \"mysql_native_password\"",
                    shape.replication);
    int id = 0;
    for (const ServerLines& server : shape.servers) {
      ++id;
      const auto port = static_cast<std::uint16_t>(ports_.at(server.name) + beyond);
      text += fmt::format("[server.{}]\naddress = \"{}\"\n", server.name,
                          to_text(Address{.host = shape.host, .port = port, .socket = {}}));
      if (shape.server_ids) text += fmt::format("server_id = {}\n", id);
      if (!server.source.empty()) text += fmt::format("source = \"{}\"\n", server.source);
      text += server.more + "\n";
    }
    return fmt::format("\n{}[limits]\nstep = \"{}\"\n{}\n", text, shape.step, shape.rest);
  };
  write_text(file(), head + shape.admin + body(shape.by_way_of));
  write_text(looking_file(), head + admin("stemma_looks") + body(shape.by_way_of));
  write_text(path("servers.toml"), head + admin("root") + body(0));
}

std::unique_ptr<Running> Story::start(const std::vector<std::string>& arguments,
                                      std::vector<std::string> wrapper) {
  static int count = 0;
  const char* other = std::getenv("STEMMA_TEST_PROGRAM");  // of a build with sanitizers
  wrapper.emplace_back(other == nullptr ? STEMMA_BINARY : other);
  wrapper.insert(wrapper.end(), arguments.begin(), arguments.end());
  fs::create_directories(directory_ / "outputs");
  return std::make_unique<Running>(wrapper, environment, directory_ / "outputs" / std::to_string(++count));
}

Ran Story::run(const std::vector<std::string>& arguments) { return start(arguments)->wait(); }

Ran Story::stemma(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin() + 1, file());
  return run(arguments);
}

Ran Story::apply() { return stemma({"apply", "--yes", "--format", "json"}); }

Codes Story::codes() {
  Codes seen = codes_of(file());
  if (!ours_) return seen;
  Codes by_looker = codes_of(looking_file());
  // Something may be passing, but not for long.
  const auto deadline = steady_clock::now() + std::chrono::seconds(20);
  while (by_looker != seen && steady_clock::now() < deadline) {
    seen = codes_of(file());
    by_looker = codes_of(looking_file());
  }
  if (by_looker != seen)
    broken(fmt::format("who applies sees {}\nand who may only look {}", fmt::join(seen, ", "),
                       fmt::join(by_looker, ", ")));
  return seen;
}

Codes Story::codes_of(const std::string& file) {
  std::set<std::string> found;
  const json drift = run({"drift", file, "--format", "json"}).document();
  for (const json& finding : drift.at("findings"))
    if (finding.at("severity") == "error" && !finding.at("ignored").get<bool>())
      found.insert(finding.at("server").get<std::string>() + " " + finding.at("code").get<std::string>());
  return {found.begin(), found.end()};
}

std::vector<std::string> Story::applied_steps() {
  const Ran ran = apply();
  if (ran.code != 0) broken(fmt::format("apply ended with {}:\n{}", ran.code, ran.all()));
  std::vector<std::string> steps;
  const json document = ran.document();
  for (const json& step : document.at("steps")) steps.push_back(step.at("id").get<std::string>());
  return steps;
}

Address Story::address(const std::string& server) const {
  return {.host = shape_.host, .port = ports_.at(server), .socket = {}};
}

Result<mysql::Connection> Story::connect(const std::string& server, const std::string& user) const {
  mysql::Credentials login{user, Secret(environment.at("LIVE_ADMIN_PASSWORD")), {}};
  // The tests' own looks are many, and MariaDB 11.4 and later has a TLS with a 4096-bit key ready. MySQL's
  // caching_sha2_password wants it.
  if (!test::on_mysql()) login.tls.mode = TlsMode::disabled;
  return mysql::Connection::open(address(server), login, {});
}

void Story::sql(const std::string& server, const std::vector<std::string>& statements) const {
  auto connection = connect(server);
  if (!connection) broken(server + ": " + connection.error().message);
  for (const std::string& statement : statements)
    if (const auto done = connection->query(spoken(statement)); !done)
      broken(fmt::format("{}: {}: {}", server, statement, done.error().message));
}

void Story::unlogged(const std::string& server, std::vector<std::string> statements) const {
  statements.insert(statements.begin(), "SET SESSION sql_log_bin = 0");
  // It stops root, too.
  if (flavor_ == Flavor::mysql && cell(server,
                                       "SHOW GLOBAL VARIABLES WHERE Variable_name = 'super_read_only' AND "
                                       "Value = 'ON'") == "super_read_only") {
    statements.insert(statements.begin(), "SET GLOBAL super_read_only = OFF");
    statements.emplace_back("SET GLOBAL super_read_only = ON");
  }
  sql(server, statements);
}

std::string Story::lines(const std::string& server, const std::string& query) const {
  auto connection = connect(server);
  if (!connection) broken(server + ": " + connection.error().message);
  const auto table = connection->query(spoken(query));
  if (!table) broken(fmt::format("{}: {}: {}", server, query, table.error().message));
  return joined(*table);
}

std::string Story::spoken(const std::string& statement) const {
  return in_words_of(flavor_, version_, statement);
}

std::string Story::cell(const std::string& server, const std::string& query) const {
  const std::string text = lines(server, query);
  return text.substr(0, text.find_first_of("\t\n"));
}

std::string Story::slave(const std::string& server, const std::string& column) const {
  auto connection = connect(server);
  if (!connection) broken(server + ": " + connection.error().message);
  const auto table = connection->query(spoken("SHOW ALL SLAVES STATUS"));
  if (!table) broken(table.error().message);
  if (table->rows.empty()) return "";
  if (column == "Using_Gtid" && flavor_ == Flavor::mysql)
    return table->at(0, "Auto_Position") == "1" ? "Slave_Pos" : "No";
  if (auto cell = table->at(0, column)) return *cell;
  return table->at(0, status_column(column)).value_or("NULL");
}

void Story::await(const std::string& server, const std::string& slave_column,
                  const std::string& value) const {
  eventually(fmt::format("{}: {} = {}", server, slave_column, value),
             [&] { return slave(server, slave_column) == value; });
}

pid_t Story::pid(const std::string& server) const {
  return std::stoi(read_text(cell(server, "SELECT @@pid_file")));
}

void Story::kill_server(const std::string& server) const {
  const pid_t victim = pid(server);
  ::kill(victim, SIGKILL);
  eventually(server + " is gone", [&] { return ::kill(victim, 0) != 0; });
}

void Story::stop_server(const std::string& server) const {
  const fs::path pid_file = cell(server, "SELECT @@pid_file");
  ::kill(pid(server), SIGTERM);
  eventually(server + " ends", [&] { return !fs::exists(pid_file); });
  // The process outlives its pid file for a moment, and with it the port.
  eventually(server + " frees its port", [&] { return is_free(ports_.at(server)); });
}

void Story::restart(const std::string& server, const std::vector<std::string>& options) const {
  std::string pid = read_text(cell(server, "SELECT @@pid_file"));
  pid.erase(pid.find_last_not_of(" \n") + 1);
  std::vector<std::string> arguments = command_line(pid);
  const std::string directory = cell(server, "SELECT @@datadir");
  stop_server(server);
  arguments.insert(arguments.end(), options.begin(), options.end());
  // A child of nobody here, as those of the sandbox are.
  std::vector<std::string> shell = {"sh", "-c", "cd \"$0\" && setsid \"$@\" >/dev/null 2>&1 &", directory};
  shell.insert(shell.end(), arguments.begin(), arguments.end());
  Running(shell, {}, directory_ / "restart").wait();
  eventually(server + " is back", [&] { return connect(server).has_value(); });
}

void Story::make_app() {
  sql(root_, {"CREATE DATABASE app", "CREATE TABLE app.t (n BIGINT NOT NULL, note VARCHAR(40), KEY (n))",
              "CREATE TABLE app.counter (n BIGINT NOT NULL)", "INSERT INTO app.counter VALUES (0)"});
}

Writer& Story::writer() {
  if (!writer_) {
    if (cell(root_, "SHOW DATABASES LIKE 'app'").empty()) make_app();
    writer_ = std::make_unique<Writer>(
        address(root_), mysql::Credentials{"root", Secret(environment.at("LIVE_ADMIN_PASSWORD")), {}});
    writer_->must_write();
  }
  return *writer_;
}

void Story::stop_writing() {
  if (writer_) writer_->stop();
}

// A mark written at the root and removed again would itself be history; asking for the GTID is not. Without GTIDs, the
// data tell.
void Story::caught_up() const {
  const std::string goal = cell(root_, select_executed(flavor_));
  const std::string wanted = goal.empty() ? checksums(root_) : "";
  for (const ServerLines& server : shape_.servers) {
    if (server.source.empty()) continue;
    if (goal.empty())
      eventually(server.name + " has all data", [&] { return checksums(server.name) == wanted; });
    else if (cell(server.name, wait_for_executed(flavor_, version_, goal)) != "0")
      broken(fmt::format("{} has not executed {}", server.name, goal));
  }
}

std::string Story::checksums(const std::string& server) const {
  std::string result;
  std::istringstream tables(lines(
      server,
      "SELECT table_name FROM information_schema.tables WHERE table_schema = 'app' ORDER BY table_name"));
  for (std::string table; std::getline(tables, table, '\t'); tables.ignore())
    result += fmt::format("{} rows {}", lines(server, "CHECKSUM TABLE app." + table),
                          lines(server, "SELECT COUNT(*) FROM app." + table));
  return result;
}

void Story::same_data() {
  stop_writing();
  const std::string wanted = checksums(root_);
  if (writer_ && cell(root_, "SELECT COUNT(*) FROM app.t") != std::to_string(writer_->rows()))
    broken("the root does not hold what the writer wrote");
  for (const ServerLines& server : shape_.servers) {
    const auto deadline = steady_clock::now() + std::chrono::seconds(60);
    std::string there = checksums(server.name);
    while (there != wanted) {
      if (steady_clock::now() > deadline)
        broken(fmt::format("{} has other data than {}:\n{}\nbut\n{}", server.name, root_, there, wanted));
      std::this_thread::sleep_for(milliseconds(10));
      there = checksums(server.name);
    }
  }
}

// A server that has just been changed goes on for a moment: relay logs rotate, threads come to rest.
std::string Story::snapshot() const {
  std::string before = snapshot_now();
  int equal =
      0;  // one is not enough: MySQL 9.7 wrote down where an applier stood more than 100 ms after its GTIDs
  for (const auto deadline = steady_clock::now() + std::chrono::seconds(30);
       equal < 3 && steady_clock::now() < deadline;) {
    std::this_thread::sleep_for(milliseconds(100));
    std::string now = snapshot_now();
    equal = now == before ? equal + 1 : 0;
    before = std::move(now);
  }
  return before;
}

std::string Story::snapshot_now() const {
  static const std::set<std::string> passing = {
      "Slave_IO_State",       "Seconds_Behind_Master",     "Slave_SQL_Running_State", "Retried_transactions",
      "Executed_log_entries", "Slave_received_heartbeats", "Relay_Log_Space"};
  std::string text;
  for (const ServerLines& server : shape_.servers) {
    auto connection = connect(server.name);
    if (!connection) {
      text += server.name + " is silent\n";
      continue;
    }
    std::vector<std::string> questions = {"SHOW MASTER STATUS", "SHOW ALL SLAVES STATUS",
                                          "SHOW GLOBAL VARIABLES", "SHOW DATABASES"};
    questions.emplace_back(flavor_ == Flavor::mysql ? "SELECT * FROM mysql.user"
                                                    : "SELECT * FROM mysql.global_priv");
    if (flavor_ == Flavor::mariadb)
      questions.emplace_back("SELECT @@gtid_binlog_pos, @@gtid_binlog_state, @@gtid_slave_pos");
    for (const std::string& question : questions) {
      const auto table = connection->query(spoken(question));
      if (!table) broken(table.error().message);
      for (const auto& row : table->rows)
        for (std::size_t i = 0; i < row.size(); ++i)
          if (!passing.contains(old_column(table->columns[i])))
            text += fmt::format("{}: {}: {}\n", server.name, table->columns[i], row[i].value_or("NULL"));
    }
  }
  return text;
}

}  // namespace stemma::live
