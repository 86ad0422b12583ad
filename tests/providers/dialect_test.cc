// What each version is told: every statement that Stemma can send, letter by letter.
#include "providers/mysql/dialect.h"

#include <algorithm>

#include "plans/topology_file.h"
#include "providers/mysql/sql.h"
#include "tests/catch.h"
#include "tests/expected.h"

using namespace stemma;
using namespace stemma::mysql;

namespace {

const ServerName primary{"primary"}, replica{"replica"}, beta{"beta"};

constexpr const char* kFile = R"(
[replication]
user     = "repl"
password = { env = "REPL" }
%PLUGIN%
[server.primary]
address   = "10.0.0.1:3306"
[server.replica]
address       = "10.0.0.2"
source        = "primary"
variables     = { sync_binlog = "1" }
[server.filtered]
address   = "10.0.0.4"
source    = "primary"
ignore_db = ["scratch"]
[server.beta]
address   = "10.0.0.3:3306"
[server.replica.channel.from-beta]
source    = "beta"
delay     = "1h"
do_db     = ["app"]
)";

Topology topology_with(const std::string& plugin) {
  std::string text = kFile;
  const std::string place = "%PLUGIN%";
  text.replace(text.find(place), place.size(), plugin);
  auto read = read_topology(text, "tree.toml");
  if (!read) FAIL(render(read.error().front()));
  return read->topology;
}

// A server of that dialect with a channel that has one of everything.
ServerState state_of(const Dialect& dialect, bool with_channel) {
  ServerState state;
  state.flavor = dialect.flavor;
  state.version = dialect.since;
  if (dialect.super_read_only) state.super_read_only = with_channel;
  state.replication_account = AccountState{"", "", false, {{{"SELECT"}, "`app`.*", false}}};
  if (dialect.flavor == Flavor::mysql) state.mysql_gtids.emplace().mode = "ON";
  if (!with_channel) return state;
  Channel& channel = state.channels.emplace_back();
  channel.executed = {"binlog.000007", 99};
  channel.heartbeat = 12.5;
  channel.delay = 3600;
  channel.tls = channel.verify = true;
  channel.ca = "/ca";
  channel.cert = "/cert";
  channel.key = "/key";
  if (dialect.flavor == Flavor::mysql) {
    channel.retry_count = 86400;
    channel.bind = "10.0.0.2";
    channel.compression = dialect.compression ? "zlib" : "";
    channel.public_key = dialect.sha2_password ? "/public" : "";
  }
  return state;
}

Step step(StepKind kind, Fact ensures, std::optional<Origin> origin = std::nullopt,
          std::vector<Hazard> hazards = {}) {
  Step made;
  made.id = std::string(to_text(kind));
  made.kind = kind;
  made.server = subject(ensures);
  made.ensures = {std::move(ensures)};
  made.origin = std::move(origin);
  if (kind == StepKind::adopt_position) made.needs = {CoordinatesNoted{primary, std::nullopt}};
  made.hazards = std::move(hazards);
  made.variable = "sync_binlog";
  return made;
}

class Sheet {
 public:
  explicit Sheet(const Dialect& dialect) : dialect_(dialect) { text_ += std::string(dialect.name) + "\n"; }

  void section(const std::string& name) { text_ += "\n" + name + "\n"; }
  void line(const std::string& sql) { text_ += "  " + (sql.empty() ? "(nothing)" : sql) + "\n"; }
  void step(const std::string& name, const Step& step, const Topology& topology, bool with_channel) {
    Secrets secrets;
    secrets.replication = Secret("it's");
    Outputs outputs;
    outputs.noted[primary] = Moment{{"binlog.000001", 328}, {}};
    if (dialect_.flavor == Flavor::mysql)
      outputs.noted[primary].gtid = *GtidSet::parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5");
    else
      outputs.noted[primary].gtid = *GtidPosition::parse("0-1-10");
    outputs.noted[beta] = Moment{{"binlog.000004", 512}, {}};
    const ServerState state = state_of(dialect_, with_channel);
    const auto sent = statements(step, {topology, secrets, state, true, outputs});
    if (!sent) FAIL(sent.error().message);
    section(name);
    for (const std::string& sql : *sent) line(sql);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  const Dialect& dialect_;
  std::string text_;
};

std::string sheet_of(const Dialect& dialect) {
  const Topology plain = topology_with(""), native = topology_with("plugin = \"mysql_native_password\"");
  Sheet sheet(dialect);
  sheet.section("observing");
  sheet.line(select_server(dialect));
  for (const auto& sql :
       {select_coordinates(dialect), select_channels(dialect), select_channel_details(dialect),
        select_worker_errors(dialect), select_channel_settings(dialect), select_attached(dialect),
        select_login_plugins(), select_own_grants(), select_accounts(dialect, &*plain.replication),
        select_grants(*plain.replication), select_variables(dialect, {"read_only"}), select_semi_sync(),
        select_schemas(), select_tables(dialect, {"app"}), select_binlogs()})
    sheet.line(sql);

  const auto account = AccountIs{replica, AccountAspect::exists};
  Step after_history = step(StepKind::create_user, account);
  after_history.needs = {CaughtUp{replica, primary}};
  sheet.step("a new account", step(StepKind::create_user, account), plain, false);
  sheet.step("a new account with a plugin", step(StepKind::create_user, account), native, false);
  sheet.step("an account that may have come by replication", after_history, plain, true);
  sheet.step("another password", step(StepKind::alter_user, account), plain, false);
  sheet.step("another plugin", step(StepKind::alter_user, account), native, false);
  sheet.step("a grant", step(StepKind::grant, account), plain, false);
  sheet.step("less grants", step(StepKind::revoke, account), plain, false);
  sheet.step("a variable", step(StepKind::set_variable, VariableIs{replica, "sync_binlog"}), plain, false);
  sheet.step("fence", step(StepKind::fence, ReadOnly{replica, true}), plain, false);
  sheet.step("unfence", step(StepKind::unfence, ReadOnly{primary, false}), plain, false);
  sheet.step("adopt a position", step(StepKind::adopt_position, PositionAdopted{replica}, FromNoted{}), plain,
             false);
  sheet.step("adopt a position over GTIDs of its own",
             step(StepKind::adopt_position, PositionAdopted{replica}, FromNoted{}, {Hazard::reset_binlog}),
             plain, false);
  const Fact by_position = Follows{replica, primary, false}, by_gtid = Follows{replica, primary, true};
  sheet.step("a new channel by position", step(StepKind::configure_source, by_position, FromNoted{}), plain,
             false);
  sheet.step("a new channel by GTID", step(StepKind::configure_source, by_gtid, FromNoted{}), native, false);
  sheet.step("a channel with options, from where it stands",
             step(StepKind::configure_source, by_position, FromExecuted{}), plain, true);
  sheet.step("a new channel with a filter",
             step(StepKind::configure_source, Follows{ServerName{"filtered"}, primary, false}, FromNoted{}),
             plain, false);
  sheet.step("stop the receiver", step(StepKind::stop_replica, ReceiverOff{replica}), plain, true);
  sheet.step("stop", step(StepKind::stop_replica, ChannelOff{replica}), plain, true);
  sheet.step("start", step(StepKind::start_replica, ChannelOn{replica}), plain, true);
  if (!dialect.named_channels) return sheet.text();
  const Link named{replica, "from-beta"};
  sheet.step("a named channel by position",
             step(StepKind::configure_source, Follows{named, beta, false}, FromNoted{}), plain, false);
  sheet.step("a named channel by GTID",
             step(StepKind::configure_source, Follows{named, beta, true}, FromNoted{}), plain, true);
  sheet.step("stop the receiver of a named channel", step(StepKind::stop_replica, ReceiverOff{named}), plain,
             true);
  sheet.step("stop a named channel", step(StepKind::stop_replica, ChannelOff{named}), plain, true);
  sheet.step("start a named channel", step(StepKind::start_replica, ChannelOn{named}), plain, true);
  return sheet.text();
}

}  // namespace

TEST_CASE("every statement in every dialect") {
  for (const Dialect& dialect : all_dialects()) {
    std::string name(dialect.name);
    std::replace(name.begin(), name.end(), ' ', '-');
    check_text("providers", name, sheet_of(dialect));
  }
}

TEST_CASE("which dialect a version speaks") {
  const auto mysql = [](Version version) { return dialect_for(Flavor::mysql, version).name; };
  CHECK(mysql({5, 5, 62}) == "MySQL 5.6");
  CHECK(mysql({5, 6, 24}) == "MySQL 5.6");
  CHECK(mysql({5, 7, 44}) == "MySQL 5.7");
  CHECK(mysql({8, 0, 21}) == "MySQL 8.0");
  CHECK(mysql({8, 0, 22}) == "MySQL 8.0.22");
  CHECK(mysql({8, 0, 23}) == "MySQL 8.0.23");
  CHECK(mysql({8, 0, 40}) == "MySQL 8.0.26");
  CHECK(mysql({8, 1, 0}) == "MySQL 8.0.26");
  CHECK(mysql({8, 4, 3}) == "MySQL 8.4");
  CHECK(mysql({9, 7, 4}) == "MySQL 9");
  CHECK(mysql({12, 0, 0}) == "MySQL 9");
  const auto mariadb = [](Version version) { return dialect_for(Flavor::mariadb, version).name; };
  CHECK(mariadb({10, 5, 23}) == "MariaDB 10.5");
  CHECK(mariadb({10, 6, 1}) == "MariaDB 10.5");
  CHECK(mariadb({10, 11, 19}) == "MariaDB 10.11");
  CHECK(mariadb({11, 8, 6}) == "MariaDB 11");
  CHECK(mariadb({13, 0, 0}) == "MariaDB 11");
}
