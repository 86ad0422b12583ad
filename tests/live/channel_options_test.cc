// Every option that a channel can have and Stemma knows, on every version: set by hand it outlives a re-point, declared
// it is set and read back, and where a version doesn't know it, that is said before anything is changed.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <sstream>

#include "tests/catch.h"
#include "tests/live/support_story.h"
#include "tests/servers/support_servers.h"

namespace stemma::live {
namespace {

constexpr Version kNever{99, 0, 0};

// Read from SHOW ALL SLAVES STATUS, but for what MySQL does not tell there.
struct Row {
  const char* key;           // in the topology file
  const char* by_hand;       // what CHANGE MASTER is told
  const char* kept;          // as it is read back then
  const char* declared;      // the value in the file
  const char* made;          // as it is read back then
  const char* column;        // where
  Version mysql, mariadb{};  // known from here on
};

const std::vector<Row> kRows = {
    {"connect_retry", "MASTER_CONNECT_RETRY = 7", "7", "\"9s\"", "9", "Connect_Retry", {}},
    {"retry_count", "MASTER_RETRY_COUNT = 777", "777", "999", "999", "Master_Retry_Count", {}, kNever},
    {"heartbeat", "MASTER_HEARTBEAT_PERIOD = 3.5", "3.500", "\"2500ms\"", "2.500", "heartbeat", {}},
    {"delay", "MASTER_DELAY = 1", "1", "\"2s\"", "2", "SQL_Delay", {}},
    {"ca",
     "MASTER_SSL_CA = '/hand/ca.pem'",
     "/hand/ca.pem",
     "\"/file/ca.pem\"",
     "/file/ca.pem",
     "Master_SSL_CA_File",
     {}},
    {"cert",
     "MASTER_SSL_CERT = '/hand/cert.pem'",
     "/hand/cert.pem",
     "\"/file/cert.pem\"",
     "/file/cert.pem",
     "Master_SSL_Cert",
     {}},
    {"key",
     "MASTER_SSL_KEY = '/hand/key.pem'",
     "/hand/key.pem",
     "\"/file/key.pem\"",
     "/file/key.pem",
     "Master_SSL_Key",
     {}},
    {"bind",
     "MASTER_BIND = '127.0.0.2'",
     "127.0.0.2",
     "\"127.0.0.3\"",
     "127.0.0.3",
     "Master_Bind",
     {},
     kNever},
    {"public_key",
     "MASTER_PUBLIC_KEY_PATH = 'public_key.pem'",
     "public_key.pem",
     "\"./public_key.pem\"",
     "./public_key.pem",
     "Master_public_key_path",
     {8, 0, 4},
     kNever},
    {"compression",
     "MASTER_COMPRESSION_ALGORITHMS = 'zstd,uncompressed'",
     "zstd,uncompressed",
     "\"zlib\"",
     "zlib",
     "compression",
     {8, 0, 18},
     kNever},
    {"do_domain_ids", "DO_DOMAIN_IDS = (0,7)", "0, 7", "[0, 8]", "0, 8", "Replicate_Do_Domain_Ids", kNever},
    {"ignore_domain_ids", "IGNORE_DOMAIN_IDS = (7)", "7", "[8, 9]", "8, 9", "Replicate_Ignore_Domain_Ids",
     kNever},
    {"do_db",
     nullptr,
     "app,hand,stemma_canary",
     "[\"app\", \"file\", \"stemma_canary\"]",
     "app,file,stemma_canary",
     "Replicate_Do_DB",
     {5, 7, 3}},
    {"ignore_db", nullptr, "hand", "[\"file\"]", "file", "Replicate_Ignore_DB", {5, 7, 3}},
    {"do_table",
     nullptr,
     "app.t,app.counter",
     "[\"app.t\", \"app.counter\", \"app.file\"]",
     "app.counter,app.file,app.t",
     "Replicate_Do_Table",
     {5, 7, 3}},
    {"ignore_table", nullptr, "app.hand", "[\"app.file\"]", "app.file", "Replicate_Ignore_Table", {5, 7, 3}},
};

// MariaDB filters by domain only where there are GTIDs.
bool by_domain(const Row& row) { return contains(row.key, "domain_ids"); }

bool known(const Story& story, const Row& row) {
  return story.version() >= (story.flavor() == Flavor::mysql ? row.mysql : row.mariadb);
}

// A filter has a statement of its own.
std::string filter_statement(const Story& story, const Row& row) {
  if (story.flavor() == Flavor::mariadb)
    return fmt::format("SET GLOBAL replicate_{} = '{}'", row.key, row.kept);
  std::string word = row.key;
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::toupper(c); });
  return fmt::format("CHANGE REPLICATION FILTER REPLICATE_{} = ({})", word, row.kept);
}

// The parts of a list in order, the servers print them as they like.
std::string in_order(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream list(text);
  for (std::string part; std::getline(list >> std::ws, part, ',');) parts.push_back(part);
  std::sort(parts.begin(), parts.end());
  return fmt::format("{}", fmt::join(parts, ","));
}

std::string read_back(const Story& story, const std::string& server, const Row& row) {
  const std::string configuration = " FROM performance_schema.replication_connection_configuration";
  const std::string column = row.column;
  if (column == "compression")
    return in_order(story.cell(server, "SELECT COMPRESSION_ALGORITHM" + configuration));
  if (column != "heartbeat") return in_order(story.slave(server, column));
  if (story.flavor() == Flavor::mariadb) return story.slave(server, "Slave_heartbeat_period");
  if (story.version() >= Version{5, 7, 0})
    return story.cell(server, "SELECT HEARTBEAT_INTERVAL" + configuration);
  return story.cell(server,
                    "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = "
                    "'Slave_heartbeat_period'");
}

std::string declared(const Row& row) { return fmt::format("{} = {}\n", row.key, row.declared); }

// What to do and what to leave out exclude each other: they take turns.
std::vector<Row> rows(const Story& story, const std::string& mode, const std::string& without) {
  std::vector<Row> some;
  for (const Row& row : kRows)
    if (known(story, row) && !std::string(row.key).starts_with(without) &&
        (mode == "gtid" || !by_domain(row)))
      some.push_back(row);
  return some;
}

void set_by_hand(const Story& story, const std::string& server, const std::vector<Row>& rows) {
  story.sql(server, {"STOP SLAVE", "CHANGE MASTER TO MASTER_SSL = 0"});
  std::string change;
  for (const Row& row : rows) {
    // All in one: MariaDB forgets the heartbeat that it is not told again.
    if (row.by_hand != nullptr)
      change += fmt::format("{}{}", change.empty() ? "CHANGE MASTER TO " : ", ", row.by_hand);
    else
      story.sql(server, {filter_statement(story, row)});
  }
  story.sql(server, {change, "START SLAVE"});
  story.await(server, "Slave_IO_Running", "Yes");
}

}  // namespace

TEST_CASE("options of a channel outlive a re-point, and are set as declared", "[live][server][options]") {
  std::vector<std::pair<const char*, const char*>> turns = {{"position", "do_"}, {"gtid", "ignore_"}};
  if (!test::on_mysql()) turns.emplace_back("gtid", "do_");  // filters by domain
  for (const auto& turn : turns) {
    const char* const mode = turn.first;
    const char* const without = turn.second;
    Shape shape = quickstart(mode);
    Story story(shape);
    REQUIRE(story.apply().code == 0);
    const auto options = rows(story, mode, without);
    set_by_hand(story, "replica-2", options);
    for (const Row& row : options) {
      INFO(row.key);
      REQUIRE(read_back(story, "replica-2", row) == in_order(row.kept));
    }
    CHECK(story.codes().empty());

    const auto moved = [&](const std::string& how) {
      story.rewrite(shape);
      const Ran apply = story.apply();
      INFO(mode << ", without " << without << ", " << how << "\n" << apply.all());
      REQUIRE(apply.code == 0);
      CHECK_FALSE(apply.document()["steps"].empty());
      for (const Row& row : options) {
        INFO(row.key);
        CHECK(read_back(story, "replica-2", row) == in_order(row.kept));
      }
      CHECK(story.codes().empty());
      CHECK(story.applied_steps().empty());
    };
    shape.servers[0].more = fmt::format("advertise = \"localhost:{}\"", story.port("primary"));
    moved("another name of its source");
    shape.servers[2].source = "replica-1";
    moved("another source");
    CHECK(story.slave("replica-2", "Master_Port") == std::to_string(story.port("replica-1")));

    shape.servers[2].more = "tls = \"disabled\"\n";
    for (const Row& row : options) shape.servers[2].more += declared(row);
    story.rewrite(shape);
    CHECK(has(story.codes(), "replica-2 channel.option-differs"));
    const Ran apply = story.apply();
    INFO(mode << ", without " << without << ", declared\n" << apply.all());
    REQUIRE(apply.code == 0);
    for (const Row& row : options) {
      INFO(row.key);
      CHECK(read_back(story, "replica-2", row) == in_order(row.made));
    }
    CHECK(story.codes().empty());
    CHECK(story.applied_steps().empty());
  }
}

TEST_CASE("an option that the server does not know is a refusal", "[live][server][options]") {
  Story story(quickstart("position"));
  std::size_t unknown = 0;
  const std::string before = story.snapshot();
  for (const Row& row : kRows) {
    if (known(story, row) && !by_domain(row)) continue;  // by position
    ++unknown;
    Shape shape = quickstart("position");
    shape.servers[2].more = declared(row);
    story.rewrite(shape);
    const Ran plan = story.stemma({"plan"});
    INFO(plan.all());
    CHECK(plan.code == 3);
    CHECK(
        contains(plan.out, row.by_hand == nullptr ? "channel.option-differs" : "channel.option-unsupported"));
    CHECK(contains(plan.out, row.key));
    CHECK(story.apply().code == 3);
  }
  CHECK(unknown > 0);
  CHECK(story.snapshot() == before);
}

TEST_CASE("a filter by domain that was set by hand does not go with a channel by position",
          "[live][options][mariadb]") {
  Story story(quickstart("gtid"));
  REQUIRE(story.apply().code == 0);
  story.sql("replica-1", {"STOP SLAVE", "CHANGE MASTER TO IGNORE_DOMAIN_IDS = (7)", "START SLAVE"});
  Shape shape = quickstart("position");
  story.rewrite(shape);
  const std::string before = story.snapshot();
  const Ran refused = story.apply();
  INFO(refused.all());
  CHECK(refused.code == 3);  // the server would say 1201, with the channel stopped by then
  CHECK(contains(refused.out, "ignore_domain_ids = []"));
  CHECK(story.snapshot() == before);
  shape.servers[1].more = "ignore_domain_ids = []";
  story.rewrite(shape);
  const Ran apply = story.apply();
  INFO(apply.all());
  CHECK(apply.code == 0);
  CHECK(story.codes().empty());
}

TEST_CASE("a filter of some domains becomes one of the others, and back", "[live][options][mariadb]") {
  Shape shape = quickstart("gtid");
  shape.servers[1].more = "do_domain_ids = [0]";
  Story story(shape);
  REQUIRE(story.apply().code == 0);
  story.make_app();
  for (const char* lines : {"ignore_domain_ids = [7]", "do_domain_ids = [0]"}) {
    INFO(lines);
    shape.servers[1].more = lines;
    story.rewrite(shape);
    const Ran apply = story.apply();
    INFO(apply.all());
    CHECK(apply.code == 0);
    CHECK(story.codes().empty());
    CHECK(story.applied_steps().empty());
  }
  story.caught_up();
  story.same_data();
}

TEST_CASE("variables that are set only while no channel runs", "[live][server][options]") {
  const std::string name = test::on_server("mysql-9.7")   ? "replica_parallel_workers"
                           : test::on_server("mysql-5.6") ? "slave_parallel_workers"
                                                          : "slave_parallel_threads";
  for (const char* mode : {"position", "gtid"}) {
    INFO(mode);
    Shape shape = quickstart(mode);
    Story story(shape);
    const auto declare = [&](int count) {
      shape.servers[1].more = fmt::format("variables = {{ {} = {} }}", name, count);
      story.rewrite(shape);
    };
    declare(3);
    const Ran first = story.apply();  // together with the channel
    INFO(first.all());
    REQUIRE(first.code == 0);
    CHECK(story.cell("replica-1", fmt::format("SELECT @@GLOBAL.{}", name)) == "3");
    CHECK(story.applied_steps().empty());
    story.writer().must_write();
    // One that runs is not stopped for it: a person is told how.
    declare(5);
    const Ran running = story.stemma({"apply", "--yes"});
    INFO(running.all());
    CHECK(running.code == 5);
    CHECK(contains(running.all(), "SET GLOBAL " + name + " = 5"));
    CHECK(story.slave("replica-1", "Slave_SQL_Running") == "Yes");
    story.sql("replica-1", {"STOP SLAVE", fmt::format("SET GLOBAL {} = 5", name)});
    CHECK(story.applied_steps() ==
          std::vector<std::string>{"replica-1.start-replica", "replica-1.await-running"});
    CHECK(story.codes().empty());
    story.writer().must_write();
    story.same_data();
  }
}

TEST_CASE("a value that the server makes another of is told at once", "[live][options][mariadb]") {
  Shape shape = quickstart("position");
  shape.servers[0].more = "variables = { max_connections = 5 }";
  Story story(shape);
  const Ran apply = story.apply();
  INFO(apply.all());
  CHECK(apply.code == 5);
  CHECK(apply.took < std::chrono::seconds(20));
  CHECK(contains(apply.all(), "max_connections is 10, declared is 5"));
}

}  // namespace stemma::live
