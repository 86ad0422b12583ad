#include "providers/mysql/provider.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "plans/privileges.h"
#include "plans/semi_sync.h"
#include "providers/mysql/mask.h"
#include "providers/mysql/reader.h"
#include "providers/mysql/relay_log.h"
#include "providers/mysql/sql.h"

namespace stemma::mysql {
namespace {

constexpr int kNoSuchGrant = 1141;
constexpr int kNameTooLong = 1470;  // then there is no such account either

bool is_privilege_error(int number) {
  static constexpr std::array numbers = {1044, 1045, 1142, 1143, 1227, 1370};
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

// A statement of an observation, and what to do with its answer.
struct Question {
  std::string sql;
  std::function<void(const Table&)> read;
  int harmless_error = 0;  // an error number that is an answer, too
};

bool is_an_answer(const Question& question, int error) {
  return error == question.harmless_error ||
         (question.harmless_error == kNoSuchGrant && error == kNameTooLong);
}

Error lacking(const Server& server, const Dialect& dialect, const Error& error) {
  std::vector<PrivilegeNeed> needs = privileges_for(dialect.flavor, dialect.since);
  std::erase_if(needs, [](const PrivilegeNeed& need) { return need.to_apply; });
  return {
      Trouble::denied,
      fmt::format("stemma's account '{}' may not read what it needs: {}", server.admin.user, error.message),
      privilege_hint(server.admin.user, needs), error.number, "server.privilege-missing"};
}

}  // namespace

struct MysqlProvider::Lane {
  explicit Lane(const Server& s) : server(s) {}

  const Server& server;
  std::mutex guard;  // one call at a time for one server
  std::optional<Connection> connection;
  bool session_is_set_up = false;
  const Dialect* dialect = &dialect_for(Flavor::mariadb, {});  // as the last greeting told it
  std::optional<Identity> identity;  // as first observed; every later connection must meet it again
  std::optional<Connection> lock_connection;
  std::atomic<bool> offers_tls{false};  // read by the lanes of its replicas
};

MysqlProvider::MysqlProvider(const Topology& topology, const Secrets& secrets, Timeouts timeouts)
    : topology_(topology), secrets_(secrets), timeouts_(timeouts) {
  for (const Server& server : topology.servers) lanes_.emplace(server.name, std::make_unique<Lane>(server));
}

MysqlProvider::~MysqlProvider() = default;

MysqlProvider::Lane& MysqlProvider::lane(const ServerName& name) { return *lanes_.at(name); }

Result<Connection> MysqlProvider::open(const Server& server) const {
  const auto secret = secrets_.admin.find(server.name);
  return Connection::open(server.address,
                          {server.admin.user, secret == secrets_.admin.end() ? Secret() : secret->second,
                           below(secrets_.base, server.admin.tls)},
                          timeouts_);
}

Result<void> MysqlProvider::connect(Lane& lane) {
  if (lane.connection && lane.connection->alive()) return {};
  lane.connection.reset();
  lane.session_is_set_up = false;
  auto opened = open(lane.server);
  if (!opened) return tl::unexpected(opened.error());
  lane.connection.emplace(std::move(*opened));
  const std::string version = lane.connection->server_version();
  lane.dialect = &dialect_for(flavor_of(version), parse_version(version));
  return {};
}

// For everything after the first observation: an address may be a service that now leads elsewhere.
Result<void> MysqlProvider::connect_again(Lane& lane) {
  if (lane.connection && lane.connection->alive()) return {};
  if (auto connected = connect(lane); !connected) return connected;
  if (!lane.identity) return {};
  auto batch = ask(lane, {select_server(*lane.dialect)});
  if (!batch) return tl::unexpected(batch.error());
  if (batch->failed) return tl::unexpected(*batch->failed);
  ServerState now;
  read_server(batch->results.front(), now);
  if (now.identity == *lane.identity) return {};
  lane.connection.reset();
  return tl::unexpected(Error{
      Trouble::stale,
      fmt::format("{} is another server than before: server_id {} on {}:{}, was {} on {}:{}",
                  to_text(lane.server.address), now.identity.server_id, now.identity.hostname,
                  now.identity.port, lane.identity->server_id, lane.identity->hostname, lane.identity->port),
      "plan again",
      0,
      {}});
}

// Sends the statements in one packet; on a new connection the session is set up in the same packet.
Result<Connection::Batch> MysqlProvider::ask(Lane& lane, const std::vector<std::string>& statements) {
  std::vector<std::string> all;
  if (!lane.session_is_set_up) all = session_setup();
  const std::size_t own = all.size();
  all.insert(all.end(), statements.begin(), statements.end());
  auto batch = lane.connection->query_all(all);
  if (batch.results.size() < own) return tl::unexpected(*batch.failed);
  lane.session_is_set_up = true;
  batch.results.erase(batch.results.begin(), batch.results.begin() + static_cast<std::ptrdiff_t>(own));
  if (batch.failed && batch.failed->trouble == Trouble::unreachable) {
    lane.connection.reset();
    return tl::unexpected(*batch.failed);
  }
  return batch;
}

Result<ServerState> MysqlProvider::observe(const ServerName& name) {
  Lane& lane = this->lane(name);
  const std::lock_guard guard(lane.guard);
  if (auto connected = connect_again(lane); !connected) return tl::unexpected(connected.error());
  const Dialect& dialect = *lane.dialect;
  const std::string greeting = lane.connection->server_version();
  if (parse_version(greeting) < oldest_known(dialect.flavor))
    return tl::unexpected(Error{
        Trouble::refused, fmt::format("runs {} {}, which is too old", to_text(dialect.flavor), greeting),
        fmt::format("stemma speaks {} {} and later", to_text(dialect.flavor),
                    to_text(oldest_known(dialect.flavor))),
        0, "server.unreachable"});
  ServerState state;
  const ReplicationAccount* account = topology_.replication ? &*topology_.replication : nullptr;
  std::vector<std::string> declared;
  for (const auto& [variable, value] : lane.server.variables) declared.push_back(variable);
  std::vector<std::string> variables = declared;
  variables.insert(variables.end(),
                   {"read_only", "super_read_only", "wsrep_on", "group_replication_group_name"});
  std::optional<Table> server_row;
  std::vector<Question> questions = {
      {select_server(dialect),
       [&](const Table& t) {
         read_server(t, state);
         server_row = t;
       }},
      {select_coordinates(dialect), [&](const Table& t) { read_coordinates(t, state); }},
      {select_channels(dialect), [&](const Table& t) { read_channels(t, state); }},
      {select_channel_details(dialect), [&](const Table& t) { read_channel_details(t, state); }},
      {select_worker_errors(dialect), [&](const Table& t) { read_worker_errors(t, state); }},
      {select_attached(dialect), [&](const Table& t) { read_attached(t, state); }},
      {select_own_grants(), [&](const Table& t) { read_own_grants(t, state); }},
      {select_accounts(dialect, account), [&](const Table& t) { read_accounts(t, state); }},
      {select_variables(dialect, variables), [&](const Table& t) { read_variables(t, state, declared); }},
  };
  if (semi_sync_variable(lane.server, SemiSyncEnd::replica) != nullptr)
    questions.push_back({select_semi_sync(), [&](const Table& t) { read_semi_sync(t, state); }});
  if (account != nullptr && account->plugin && !always_has(dialect, *account->plugin))
    questions.push_back({select_login_plugins(), [&](const Table& t) { read_login_plugins(t, state); }});
  // Last, because an account that is not there is an error, and an error ends the packet.
  if (account != nullptr)
    questions.push_back(
        {select_grants(*account), [&](const Table& t) { read_grants(t, state); }, kNoSuchGrant});

  std::erase_if(questions, [](const Question& question) { return question.sql.empty(); });
  std::vector<std::string> statements;
  for (const Question& question : questions) statements.push_back(question.sql);
  auto batch = ask(lane, statements);
  if (!batch) return tl::unexpected(batch.error());
  std::optional<Error> denied;
  const auto note = [&](const Question& question, const Error& error) -> Result<void> {
    if (is_an_answer(question, error.number)) return {};
    if (!is_privilege_error(error.number)) return tl::unexpected(error);
    if (!denied) denied = error;
    return {};
  };
  for (std::size_t i = 0; i < batch->results.size(); ++i) questions[i].read(batch->results[i]);
  if (batch->failed) {
    std::size_t at = batch->results.size();
    if (auto noted = note(questions[at], *batch->failed); !noted) return tl::unexpected(noted.error());
    for (++at; at < questions.size(); ++at) {
      auto table = lane.connection->query(questions[at].sql);
      if (table)
        questions[at].read(*table);
      else if (auto noted = note(questions[at], table.error()); !noted)
        return tl::unexpected(noted.error());
    }
  }
  if (denied) return tl::unexpected(lacking(lane.server, dialect, *denied));
  if (server_row)
    if (auto held = check_lock(lane, *server_row); !held) return tl::unexpected(held.error());
  lane.identity = state.identity;
  lane.offers_tls = state.offers_tls;
  return state;
}

Result<void> MysqlProvider::answer(const ServerName& name, const Questions& questions, ServerState& state) {
  Lane& lane = this->lane(name);
  const std::lock_guard guard(lane.guard);
  if (auto connected = connect_again(lane); !connected) return connected;
  std::vector<std::string> statements;
  if (questions.schemas) statements.push_back(select_schemas());
  if (questions.coordinates) statements.push_back(select_coordinates(*lane.dialect));
  if (questions.binlogs) statements.push_back(select_binlogs());
  std::optional<Connection::Batch> batch(std::in_place);
  if (!statements.empty()) {
    auto asked = ask(lane, statements);
    if (!asked) return tl::unexpected(asked.error());
    batch = std::move(*asked);
  }
  if (batch->failed)
    return tl::unexpected(is_privilege_error(batch->failed->number)
                              ? lacking(lane.server, *lane.dialect, *batch->failed)
                              : *batch->failed);
  if (questions.coordinates) {
    ServerState later;
    read_coordinates(batch->results[questions.schemas ? 1 : 0], later);
    state.later_coordinates = later.coordinates;
  }
  if (questions.schemas) {
    read_schemas(batch->results.front(), state);
    if (auto read = read_table_names(lane, state); !read) return read;
  }
  if (questions.binlogs) read_binlogs(batch->results.back(), state);

  // Places in its binlogs, told as GTIDs: the beginning of the oldest, and those that were asked.
  if (lane.dialect->flavor == Flavor::mysql) return {};  // gtid_purged tells it
  std::vector<Coordinates> places = questions.gtid_at;
  if (questions.binlogs && !state.binlogs->empty()) places.push_back({state.binlogs->front(), 4});
  std::vector<std::string> translations;
  for (const Coordinates& place : places) translations.push_back(select_gtid_at(place));
  if (places.empty()) return {};
  auto translated = ask(lane, translations);
  if (!translated) return tl::unexpected(translated.error());
  if (translated->failed) return tl::unexpected(*translated->failed);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto text = translated->results[i].at(0, "gtid");
    const auto position = text ? GtidPosition::parse(*text) : std::nullopt;
    if (i < questions.gtid_at.size())
      state.gtid_at[to_text(places[i])] = position;
    else if (position)
      state.gtid_horizon = *position;
  }
  return {};
}

// A second question, but only where there is something to ask about: most servers it is asked of are empty.
Result<void> MysqlProvider::read_table_names(Lane& lane, ServerState& state) {
  std::vector<std::string> schemas;
  for (const auto& [schema, contents] : *state.schemas) schemas.push_back(schema);
  if (schemas.empty()) return {};
  auto tables = lane.connection->query(select_tables(*lane.dialect, schemas));
  if (!tables)
    return tl::unexpected(is_privilege_error(tables.error().number)
                              ? lacking(lane.server, *lane.dialect, tables.error())
                              : tables.error());
  read_tables(*tables, state);
  return {};
}

Result<void> MysqlProvider::refresh(const ServerName& name, const Reading& reading, ServerState& state) {
  Lane& lane = this->lane(name);
  const std::lock_guard guard(lane.guard);
  return read_back(lane, reading, state, {});
}

Result<void> MysqlProvider::perform(const Step& step, const Outputs& outputs, ServerState& state) {
  Lane& lane = this->lane(step.server);
  const std::lock_guard guard(lane.guard);
  // What the step needs was read on a connection that has broken since: the server may have been restarted, and lost
  // what was not persisted. Nothing is sent before somebody has looked again.
  if (lane.identity && (!lane.connection || !lane.connection->alive()))
    return tl::unexpected(Error{Trouble::unreachable,
                                "the connection was lost before the step began; nothing was sent",
                                "run apply again to go on",
                                0,
                                {}});
  const Link* link = link_of(step);
  const DeclaredChannel* channel = link == nullptr ? nullptr : lane.server.channel(link->channel);
  const bool source_offers_tls = channel != nullptr && this->lane(channel->source).offers_tls.load();
  const auto lock_wait = std::chrono::duration_cast<std::chrono::seconds>(timeouts_.read) - kUnderReadTimeout;
  const StepContext context{topology_, secrets_, state, source_offers_tls, outputs, lock_wait};
  const auto work = statements(step, context);
  if (!work) return tl::unexpected(work.error());
  auto done = read_back(lane, reading_for(step.kind), state, *work);
  if (!done && is_broken_relay_log(done.error().number)) {
    done.error().hint = relay_log_hint(step, state);
    if (const auto anew = start_with_new_relay_log(step, context); !anew.empty()) {
      auto second = read_back(lane, reading_for(step.kind), state, anew);
      if (second || !is_privilege_error(second.error().number)) done = std::move(second);
    }
  }
  if (!done && step.kind == StepKind::set_variable && done.error().trouble == Trouble::refused)
    done.error().hint =
        fmt::format("if it can't be set at run time, put this into the option file: [mysqld] {} = {}",
                    step.variable, lane.server.variables.at(step.variable));
  return done;
}

// The statements of a step and the reading of what they changed, in one packet: one round trip.
Result<void> MysqlProvider::read_back(Lane& lane, const Reading& reading, ServerState& state,
                                      const std::vector<std::string>& first) {
  if (auto connected = connect_again(lane); !connected) return connected;
  const ReplicationAccount* account = topology_.replication ? &*topology_.replication : nullptr;
  std::vector<std::string> declared;
  for (const auto& [variable, value] : lane.server.variables) declared.push_back(variable);

  ServerState fresh = state;
  std::optional<Table> settings;
  std::vector<Question> questions;
  const Dialect& dialect = *lane.dialect;
  const auto then = [&](std::string sql, std::function<void(const Table&)> read, int harmless = 0) {
    if (!sql.empty()) questions.push_back({std::move(sql), std::move(read), harmless});
  };
  // Coordinates first: what is written after them is replicated, what came before is seen in what follows.
  if (reading.coordinates) {
    then(select_coordinates(dialect), [&](const Table& t) { read_coordinates(t, fresh); });
    if (dialect.flavor == Flavor::mariadb)
      then(select_gtid_binlog_pos(), [&](const Table& t) { read_gtid_binlog_pos(t, fresh); });
  }
  if (reading.channel) {
    then(select_channels(dialect), [&](const Table& t) { read_channels(t, fresh); });
    then(select_channel_details(dialect), [&](const Table& t) { read_channel_details(t, fresh); });
    then(select_worker_errors(dialect), [&](const Table& t) { read_worker_errors(t, fresh); });
    if (semi_sync_variable(lane.server, SemiSyncEnd::replica) != nullptr)
      then(select_semi_sync(), [&](const Table& t) { read_semi_sync(t, fresh); });
  }
  then(select_channel_settings(dialect), [&](const Table& t) {
    read_channel_settings(t, fresh);
    settings = t;
  });
  if (reading.variables && !declared.empty())
    then(select_variables(dialect, declared), [&](const Table& t) { read_variables(t, fresh, declared); });
  if (reading.contents) {
    then(select_schemas(), [&](const Table& t) { read_schemas(t, fresh); });
  }
  if (reading.contents || reading.account)
    then(select_accounts(dialect, account), [&](const Table& t) { read_accounts(t, fresh); });
  if (reading.account && account != nullptr)
    then(
        select_grants(*account), [&](const Table& t) { read_grants(t, fresh); }, kNoSuchGrant);

  std::vector<std::string> all = first;
  for (const Question& question : questions) all.push_back(question.sql);
  auto batch = ask(lane, all);
  if (!batch) return tl::unexpected(batch.error());
  for (std::size_t i = first.size(); i < batch->results.size(); ++i)
    questions[i - first.size()].read(batch->results[i]);
  if (batch->failed) {
    const std::size_t at = batch->results.size();
    const bool an_answer =
        at >= first.size() && is_an_answer(questions[at - first.size()], batch->failed->number);
    if (!an_answer) {
      // What a half-done packet left of session settings must not reach the next step.
      lane.connection.reset();
      return tl::unexpected(
          at < first.size()
              ? without_secret(*batch->failed, secrets_).within(first[at].substr(0, first[at].find(' ', 7)))
              : *batch->failed);
    }
  }
  if (settings)
    if (auto held = check_lock(lane, *settings); !held) return held;
  if (reading.contents)
    if (auto read = read_table_names(lane, fresh); !read) return read;
  state = std::move(fresh);
  return {};
}

Result<void> MysqlProvider::check_lock(const Lane& lane, const Table& row) const {
  if (!lane.lock_connection) return {};
  if (read_lock_holder(row) == lane.lock_connection->id()) return {};
  return tl::unexpected(
      Error{Trouble::locked,
            fmt::format("the apply lock on {} was lost: its connection is gone", lane.server.name.text),
            "nothing more was started; run apply again to go on",
            0,
            {}});
}

Result<std::optional<LockHolder>> MysqlProvider::lock(const ServerName& name) {
  Lane& lane = this->lane(name);
  const std::lock_guard guard(lane.guard);
  // The lock sits on a connection of its own that stays idle. The one for the work is opened at the same time:
  // with a slow network that saves its three round trips.
  Result<void> connected;
  std::jthread other([&] { connected = connect(lane); });
  if (!lane.lock_connection || !lane.lock_connection->alive()) {
    auto opened = open(lane.server);
    if (!opened) return tl::unexpected(opened.error());
    lane.lock_connection.emplace(std::move(*opened));
  }
  auto statements = session_setup();
  statements.emplace_back("SET SESSION wait_timeout = 31536000");
  statements.push_back(fmt::format("SELECT GET_LOCK('{}', 0) AS got", kLockName));
  auto batch = lane.lock_connection->query_all(statements);
  other.join();
  if (batch.failed) return tl::unexpected(batch.failed->within("GET_LOCK"));
  if (batch.results.back().at(0, "got") == "1") return std::optional<LockHolder>{};
  LockHolder holder{name, {}, {}, 0};
  auto who = lane.lock_connection->query(
      fmt::format("SELECT USER AS user, HOST AS host, TIME AS time FROM information_schema.PROCESSLIST "
                  "WHERE ID = IS_USED_LOCK('{}')",
                  kLockName));
  if (who && !who->rows.empty()) {
    holder.user = who->at(0, "user").value_or("");
    holder.host = who->at(0, "host").value_or("");
    holder.seconds = std::strtol(who->at(0, "time").value_or("0").c_str(), nullptr, 10);
  }
  lane.lock_connection.reset();
  return std::optional<LockHolder>{holder};
}

void MysqlProvider::unlock_all() {
  // Closing the connection frees its lock, at the server's own pace.
  for (auto& [name, lane] : lanes_) {
    const std::lock_guard guard(lane->guard);
    lane->lock_connection.reset();
  }
}

}  // namespace stemma::mysql
