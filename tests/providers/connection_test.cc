// Connections to real servers, and to ports where there is none.
#include "providers/mysql/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>

#include "tests/catch.h"
#include "tests/providers/support_sandbox.h"

namespace stemma {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using mysql::Connection;

Address local(std::uint16_t port) { return {.host = "127.0.0.1", .port = port, .socket = {}}; }

// A file that OpenSSL takes for the system's certificate authorities.
class SystemAuthorities {
 public:
  SystemAuthorities() : watch_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    const std::string file = place_.path() / "authorities.pem";
    std::ofstream(file) << "";
    REQUIRE(inotify_add_watch(watch_, file.c_str(), IN_OPEN) > 0);
    setenv("SSL_CERT_FILE", file.c_str(), 1);
  }
  ~SystemAuthorities() {
    unsetenv("SSL_CERT_FILE");
    close(watch_);
  }
  SystemAuthorities(const SystemAuthorities&) = delete;
  SystemAuthorities& operator=(const SystemAuthorities&) = delete;
  [[nodiscard]] bool were_read() const {
    std::array<char, 512> events{};
    return read(watch_, events.data(), events.size()) > 0;
  }

 private:
  test::TemporaryDirectory place_;
  int watch_;
};

// Takes connections and never says a word.
class SilentListener {
 public:
  explicit SilentListener(std::uint16_t port) : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int yes = 1;
    setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    REQUIRE(bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(descriptor_, 4) == 0);
  }
  ~SilentListener() { close(descriptor_); }
  SilentListener(const SilentListener&) = delete;
  SilentListener& operator=(const SilentListener&) = delete;

 private:
  int descriptor_;
};

std::chrono::milliseconds since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
}

TEST_CASE("escape makes any text safe between single quotes") {
  CHECK(mysql::escape("plain äöü 🐬") == "plain äöü 🐬");
  CHECK(mysql::escape("it's") == "it\\'s");
  CHECK(mysql::escape("a\\b\"c") == "a\\\\b\\\"c");
  CHECK(mysql::escape(std::string_view("\0\n\r\x1a", 4)) == "\\0\\n\\r\\Z");
}

TEST_CASE("a table is read by column name, without case") {
  const mysql::Table table{.columns = {"Slave_IO_Running", "n"}, .rows = {{"Yes", std::nullopt}}};
  CHECK(table.at(0, "slave_io_running") == "Yes");
  CHECK(table.at(0, "n") == std::nullopt);
  CHECK(table.at(0, "nosuch") == std::nullopt);
  CHECK(table.at(1, "n") == std::nullopt);
}

TEST_CASE("who can't be reached is unreachable, and the hint says what to check") {
  const mysql::Credentials root{"root", Secret("x"), {}};

  SECTION("a port where nobody listens") {
    const auto refused = Connection::open(local(27999), root, {});
    REQUIRE(!refused);
    CHECK(refused.error().trouble == Trouble::unreachable);
    CHECK((refused.error().number == 2002 || refused.error().number == 2003));
    CHECK(refused.error().hint.find("127.0.0.1:27999") != std::string::npos);
  }
  SECTION("a host that does not exist") {
    const auto unknown = Connection::open({.host = "nosuch.invalid", .port = 3306, .socket = {}}, root, {});
    REQUIRE(!unknown);
    CHECK(unknown.error().trouble == Trouble::unreachable);
    CHECK(unknown.error().number == 2005);
  }
  SECTION("a socket that is not there") {
    const auto absent = Connection::open({.host = {}, .port = 0, .socket = "/nosuch/mysqld.sock"}, root, {});
    REQUIRE(!absent);
    CHECK(absent.error().trouble == Trouble::unreachable);
    CHECK(absent.error().hint.find("/nosuch/mysqld.sock") != std::string::npos);
  }
  SECTION("a listener that takes the connection and stays silent") {
    const SilentListener listener(27998);
    const auto begin = std::chrono::steady_clock::now();
    const auto silent = Connection::open(local(27998), root, {.connect = 900ms, .read = 10s});
    REQUIRE(!silent);
    CHECK(silent.error().trouble == Trouble::unreachable);
    CHECK(since(begin) >= 900ms);
    CHECK(since(begin) < 2500ms);
  }
  SECTION("verification without a CA") {
    mysql::Credentials verified = root;
    verified.tls.mode = TlsMode::verify_identity;
    const auto refused = Connection::open(local(27999), verified, {});
    REQUIRE(!refused);
    CHECK(refused.error().message.find("CA") != std::string::npos);
  }
}

TEST_CASE("a connection to a real server", "[server]") {
  test::LocalServers servers({27101});
  const auto up = servers.up();
  INFO((up ? std::string() : up.error().message + " | " + up.error().hint));
  REQUIRE(up);
  auto opened = servers.connect(0, {.connect = 5s, .read = 1s});
  INFO((opened ? std::string() : opened.error().message));
  REQUIRE(opened);
  Connection& connection = *opened;

  // One server for all of these: a start costs more than the checks.
  // What it is.
  CHECK(connection.alive());
  const auto binary = servers.binary();
  const bool has_tls = binary.release >= (binary.flavor == sandbox::Flavor::mariadb ? 1104 : 507);
  CHECK(connection.encrypted() == has_tls);
  CHECK(connection.server_version().rfind("5.5.5-", 0) == std::string::npos);
  CHECK(connection.query("SELECT CONNECTION_ID()")->rows[0][0] == std::to_string(connection.id()));
  // Oracle's library alone would leave an older server with latin1.
  CHECK_FALSE(connection.query_all(mysql::session_setup()).failed);
  CHECK(connection.query("SELECT @@character_set_client")->rows[0][0] == "utf8mb4");

  // A name is reached by TCP, "localhost" too.
  const auto& login = servers.topology.servers[0];
  const auto by_name = Connection::open({.host = "localhost", .port = 27101, .socket = {}},
                                        {login.admin.user, servers.passwords[login.name], {}}, {});
  CHECK(by_name);

  // NULL is not the empty string, and bytes are bytes.
  const auto cells = connection.query("SELECT NULL AS nothing, '' AS blank, x'00ff0a27' AS bytes");
  REQUIRE(cells);
  CHECK(cells->rows[0] == std::vector<std::optional<std::string>>{std::nullopt, "", "\0\xff\n'"s});
  CHECK(cells->columns == std::vector<std::string>{"nothing", "blank", "bytes"});

  // A statement without rows.
  const auto without_rows = connection.query("SET @x = 1");
  REQUIRE(without_rows);
  CHECK(without_rows->columns.empty());

  // What escape() makes comes back as it was, even where backslashes were switched off.
  REQUIRE(connection.query("SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES'"));
  REQUIRE(!connection.query_all(mysql::session_setup()).failed);
  CHECK(connection.query("SELECT @@sql_mode LIKE '%STRICT_ALL%'")->rows[0][0] == "1");
  const std::string odd = "'; DROP \\ \"x\" \0\n\r\x1a ä 🐬"s;
  CHECK(connection.query(fmt::format("SELECT '{}'", mysql::escape(odd)))->rows[0][0] == odd);

  // A batch ends at the first error and keeps what came before; the connection goes on.
  const auto batch = connection.query_all({"SELECT 1", "SET @y = 2", "SELECT nosuch", "SET @y = 3"});
  REQUIRE(batch.failed);
  CHECK(batch.failed->trouble == Trouble::refused);
  CHECK(batch.failed->number == 1054);
  CHECK(batch.results.size() == 2);
  CHECK(connection.alive());
  CHECK(connection.query("SELECT @y")->rows[0][0] == "2");
  CHECK(connection.query_all({}).results.empty());
  CHECK(connection.query_all({"SELECT 1", "SELECT 2"}).results.at(1).rows[0][0] == "2");
  CHECK(connection.query("SELEC 1").error().number == 1064);

  // The login.
  const auto denied = Connection::open(local(27101), {"root", Secret("wrong"), {}}, {});
  REQUIRE(!denied);
  CHECK(denied.error().trouble == Trouble::denied);
  CHECK(denied.error().number == 1045);
  CHECK(denied.error().message.rfind("1045 Access denied for user 'root'", 0) == 0);
  CHECK(denied.error().message.find('\n') == std::string::npos);
  CHECK(denied.error().message.find("wrong") == std::string::npos);

  // TLS, where the server made itself a certificate, and where it has none.
  mysql::Credentials encrypted{login.admin.user, servers.passwords[login.name], {}};
  encrypted.tls.mode = TlsMode::required;
  const auto secret = Connection::open(local(27101), encrypted, {});
  CHECK(secret.has_value() == has_tls);
  if (secret) {
    CHECK(secret->encrypted());
    // The system's authorities, which verify nothing here, are not read for it; who asks for them later gets them.
    const SystemAuthorities authorities;
    CHECK(Connection::open(local(27101), encrypted, {}));
    CHECK_FALSE(authorities.were_read());
    SSL_CTX* const other = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_default_verify_paths(other);
    SSL_CTX_free(other);
    CHECK(authorities.were_read());
  } else {
    CHECK(secret.error().trouble == Trouble::unreachable);
    CHECK(secret.error().number == 2026);
  }

  // A moved connection works, and its old name may go.
  Connection moved = std::move(connection);
  CHECK(moved.query("SELECT 1"));

  // Silence for longer than the read time-out breaks it, for good.
  const auto begin = std::chrono::steady_clock::now();
  const auto silent = moved.query("SELECT SLEEP(5)");
  REQUIRE(!silent);
  CHECK(silent.error().trouble == Trouble::unreachable);
  CHECK(since(begin) < 2500ms);
  // 2013 Lost connection, or 2026 Connection timed out below TLS
  CHECK(silent.error().message.starts_with("no answer within 1 s: 20"));
  CHECK(silent.error().hint ==
        "the server may still be at it: whether the statement took effect is not known");
  CHECK(!moved.alive());
  CHECK(moved.query("SELECT 1").error().trouble == Trouble::unreachable);

  // So does being killed.
  auto victim = servers.connect(0);
  REQUIRE(victim);
  CHECK(servers.ask(0, fmt::format("KILL {}", victim->id())) == "no row");
  const auto killed = victim->query("SELECT 1");
  REQUIRE(!killed);
  CHECK(killed.error().trouble == Trouble::unreachable);
  CHECK(killed.error().hint == "the connection broke: whether the statement took effect is not known");
  CHECK(!victim->alive());
}

}  // namespace
}  // namespace stemma
