// Good topology files: what is read from them, and that their JSON says the same.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "plans/topology_file.h"
#include "tests/catch.h"
#include "tests/plans/support_topology.h"

using namespace stemma;
using namespace std::chrono_literals;

namespace {

using Variables = std::map<std::string, std::string>;

// To JSON text and back.
Topology through_json(const Topology& topology) {
  const auto json = to_json(topology);
  REQUIRE(json.has_value());
  const auto back = topology_from_json(nlohmann::json::parse(json->dump()));
  REQUIRE(back.has_value());
  return *back;
}

}  // namespace

TEST_CASE("what the file does not say") {
  const Topology topology = good(replica(""), "trees/employees.toml").topology;
  CHECK(topology.name == "employees");
  CHECK(topology.path == "trees/employees.toml");
  CHECK(topology.coordinates == CoordinatesMode::automatic);
  CHECK(topology.limits == Limits{});
  CHECK(topology.verify == VerifyOptions{});
  REQUIRE(topology.servers.size() == 2);
  const Server& root = topology.servers[0];
  const Server& below = topology.servers[1];
  CHECK_FALSE(root.read_only);
  CHECK(below.read_only);
  CHECK(to_text(below.address) == "b:3306");
  CHECK(below.advertise == below.address);
  CHECK(below.provision == Provision::refuse);
  CHECK(below.admin == Login{});
  CHECK(below.channels.at(0).options == ChannelOptions{});
  REQUIRE(topology.replication.has_value());
  CHECK(topology.replication->host == "%");
  CHECK_FALSE(topology.replication->plugin.has_value());
}

TEST_CASE("every kind of value") {
  const TopologyFile file = good(R"([topology]
name = "employees"
coordinates = "gtid"
[admin]
user = "boss"
password = { command = ["vault", "read"] }
tls = "verify-identity"
ca = "/ca.pem"
[replication]
user = "repl_user"
host = "10.%"
password = { file = "secret" }
plugin = "ed25519"
connect_retry = "1m"
heartbeat = "1500ms"
[server.root]
address = "unix:/run/mysqld/mysqld.sock"
advertise = "mysql-write:3306"
server_id = 4294967295
[server.leaf]
address = "[::1]:3307"
source = "root"
read_only = true
super_read_only = true
provision = "assume-identical"
at = "mysql-bin.000003:154"
delay = "1h"
tls = "required"
do_domain_ids = [0, 1]
[server.leaf.admin]
user = "leaf"
[server.leaf.variables]
sync_binlog = 1
Relay_Log_Recovery = true
long_query_time = 0.5
binlog_format = "ROW"
[limits]
lag = "2m"
step = "30s"
[verify]
read = "mysql-read"
database = "canary"
[[ignore]]
code = "replica.lag"
server = "leaf"
reason = "CHG-123"
until = 2026-12-31
[[ignore]]
code = "user.plugin"
reason = "later"
until = "2026-02-28"
)");
  CHECK(file.warnings.empty());
  const Topology& topology = file.topology;
  CHECK(topology.name == "employees");
  CHECK(topology.coordinates == CoordinatesMode::gtid);
  CHECK(topology.replication == ReplicationAccount{"repl_user", "10.%", FromFile{"secret"}, "ed25519"});
  CHECK(topology.limits == Limits{120s, 30s});
  CHECK(topology.verify == VerifyOptions{Address{"mysql-read", 3306, ""}, "canary"});
  REQUIRE(topology.ignores.size() == 2);
  CHECK(topology.ignores[0] == Ignore{"replica.lag", ServerName{"leaf"}, "CHG-123", "2026-12-31", {43, 1}});
  CHECK(topology.ignores[1].until == "2026-02-28");

  const Server* root = topology.find(ServerName{"root"});
  REQUIRE(root != nullptr);
  CHECK(to_text(root->address) == "unix:/run/mysqld/mysqld.sock");
  CHECK(to_text(root->advertise) == "mysql-write:3306");
  CHECK(root->server_id == 4294967295U);
  CHECK(root->admin ==
        Login{"boss", FromCommand{{"vault", "read"}}, {TlsMode::verify_identity, "/ca.pem", "", ""}});
  CHECK(root->is_root());

  const Server* leaf = topology.find(ServerName{"leaf"});
  REQUIRE(leaf != nullptr);
  CHECK(to_text(leaf->address) == "[::1]:3307");
  CHECK(leaf->super_read_only == true);
  CHECK(leaf->provision == Provision::assume_identical);
  CHECK(leaf->provision_at == "mysql-bin.000003:154");
  CHECK(leaf->admin.user == "leaf");
  CHECK(leaf->admin.tls.ca == "/ca.pem");
  CHECK(leaf->channels.at(0).options.delay == 3600s);
  CHECK(leaf->channels.at(0).options.heartbeat == 1500ms);
  CHECK(leaf->channels.at(0).options.tls == TlsMode::required);
  CHECK(leaf->channels.at(0).options.do_domain_ids == std::vector<std::uint32_t>{0, 1});
  CHECK(leaf->variables == Variables{{"sync_binlog", "1"},
                                     {"relay_log_recovery", "ON"},
                                     {"long_query_time", "0.5"},
                                     {"binlog_format", "ROW"}});
  CHECK(topology.replicas_of(root->name) == std::vector<const Server*>{leaf});
  CHECK(topology.roots_of(*leaf) == std::vector<const Server*>{root});
  CHECK(topology.find(ServerName{"nobody"}) == nullptr);

  CHECK(leaf->place == Place{20, 1});
  CHECK(leaf->places.at("source") == Place{22, 1});
  CHECK(leaf->places.at("variables.sync_binlog") == Place{33, 1});
  CHECK(leaf->places.at("connect_retry") == Place{14, 1});
  CHECK(leaf->places.at("admin.user") == Place{31, 1});
  CHECK(leaf->places.at("admin.password") == Place{6, 1});
  CHECK(topology.places.at("replication.password") == Place{12, 1});
  CHECK(topology.places.at("limits.lag") == Place{38, 1});

  CHECK(through_json(topology) == without_places(topology));
}

TEST_CASE("defaults are every server's, its own word wins key by key") {
  const Topology topology = good(account + R"([defaults]
source = "a"
provision = "replay"
delay = "5s"
variables = { sync_binlog = 1, binlog_format = "ROW" }
admin = { user = "all" }
[server.c]
address = "c"
delay = "7s"
[server.a]
address = "a"
[server.b]
address = "b"
variables = { sync_binlog = 0 }
admin = { password = { env = "B" } }
)")
                                .topology;
  REQUIRE(topology.servers.size() == 3);
  const Server& c = topology.servers[0];
  const Server& a = topology.servers[1];
  const Server& b = topology.servers[2];
  CHECK(c.name.text == "c");  // the order of the file, not of the alphabet
  CHECK(a.is_root());         // the default is not meant for the server that it names
  CHECK(a.provision == Provision::refuse);
  CHECK_FALSE(a.read_only);
  REQUIRE(b.channel() != nullptr);
  CHECK(b.channel()->source == ServerName{"a"});
  CHECK(b.provision == Provision::replay);
  CHECK(b.channel()->options.delay == 5s);
  CHECK(c.channels.at(0).options.delay == 7s);
  CHECK(b.variables == Variables{{"sync_binlog", "0"}, {"binlog_format", "ROW"}});
  CHECK(b.admin == Login{"all", FromEnv{"B"}, {}});
  CHECK(b.places.at("delay") == Place{7, 1});
  CHECK(c.places.at("delay") == Place{12, 1});
  CHECK(through_json(topology) == without_places(topology));
}

TEST_CASE("line ends of Windows and a byte order mark are no mistakes") {
  const std::string text = replica("server_id = 2\n");
  std::string windows = "\xEF\xBB\xBF";
  for (const char c : text) windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
  CHECK(good(windows).topology == good(text).topology);
}

TEST_CASE("a literal secret is a warning, and can't be saved") {
  const TopologyFile file = good("[server.a]\naddress = \"a\"\nadmin.password = \"hunter2\"\n");
  REQUIRE(file.warnings.size() == 1);
  CHECK(file.warnings[0].severity == Severity::warning);
  CHECK(file.warnings[0].place == Place{3, 18});
  CHECK(file.warnings[0].line == "admin.password = *********");
  const auto json = to_json(file.topology);
  REQUIRE_FALSE(json.has_value());
  CHECK(json.error().trouble == Trouble::input);
  CHECK(json.error().message == "admin.password of a stands in the file itself and can't be saved");
}

TEST_CASE("a secret is described by where it is kept") {
  CHECK(describe(FromLiteral{Secret("hunter2")}) == "a literal");
  CHECK(describe(FromEnv{"PASSWORD"}) == "env PASSWORD");
  CHECK(describe(FromFile{"/etc/secret"}) == "file /etc/secret");
  CHECK(describe(FromCommand{{"vault", "--token=hunter2"}}) == "command vault");
}

TEST_CASE("JSON that is no topology") {
  const auto refusal = [](const char* text) {
    const auto read = topology_from_json(nlohmann::json::parse(text));
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().trouble == Trouble::input);
    return read.error().message;
  };
  CHECK(refusal("[]") == "a topology must be a JSON object");
  CHECK(refusal("{}") == "topology: the file has no server");
  CHECK(refusal(R"({"servers": {}})") == "'servers' must be a list");
  CHECK(refusal(R"({"servers": [{}]})") == "each of 'servers' must be a table with a name");
  CHECK(refusal(R"({"servers": [{"name": "a"}, {"name": "a"}]})") == "'servers' has \"a\" twice");
  CHECK(refusal(R"({"servers": [{"name": "a"}]})") == "topology: [server.a] has no 'address'");
  CHECK(refusal(R"({"servers": [{"name": "a", "address": null}]})") ==
        "topology: 'address' must be an address, not nothing");
  CHECK(refusal(R"({"servers": [{"name": "a", "address": "a", "server_id": 18446744073709551615}]})") ==
        "topology: 'server_id' must be a whole number, not a number of that size");
  CHECK(refusal(("{\"x\":" + repeated("[", 20) + repeated("]", 20) + "}").c_str()) ==
        "the topology is nested too deeply");
}

TEST_CASE("ten thousand servers") {
  std::string text = account + "[server.s0]\naddress = \"h0\"\n";
  for (int i = 1; i < 10'000; ++i) {
    text += fmt::format("[server.s{}]\naddress = \"h{}\"\nsource = \"s{}\"\n", i, i, i - 1);
  }
  const Topology topology = good(text).topology;
  REQUIRE(topology.servers.size() == 10'000);
  CHECK(topology.servers[9'999].name.text == "s9999");
}

TEST_CASE("the examples are good files") {
  const std::filesystem::path examples = std::filesystem::path(STEMMA_SOURCE_DIR) / "examples";
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(examples)) {
    const std::filesystem::path path = entry.path() / "topology.toml";
    if (!std::filesystem::exists(path)) continue;
    ++found;
    INFO(path.string());
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    const TopologyFile file = good(text.str(), path.string());
    INFO(rendered(file.warnings));
    CHECK(file.warnings.empty());
    CHECK(through_json(file.topology) == without_places(file.topology));
  }
  CHECK(found >= 3);
}
