// The changing half of the dialect: what each kind of step sends.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "plans/judge_parts.h"
#include "providers/mysql/dialect.h"

namespace stemma::mysql {
namespace {

// Where a channel starts, as the text of two SQL values; both empty for "by its own gtid_slave_pos".
struct StartingPoint {
  std::string file, position;
};

StartingPoint literal(const Coordinates& at) { return {quoted(at.file), std::to_string(at.position)}; }

std::string account_name(const ReplicationAccount& account) {
  return fmt::format("{}@{}", quoted(account.user), quoted(account.host));
}

std::string identified(const ReplicationAccount& account, const std::string& password) {
  // `IDENTIFIED BY` is the one form that leaves the plugin to the server.
  return account.plugin ? fmt::format("IDENTIFIED VIA {} USING PASSWORD({})", *account.plugin, password)
                        : fmt::format("IDENTIFIED BY {}", password);
}

// Accounts are made on each server by itself: in the binlog they would be errant transactions of a replica, and
// stop the applier of one that has them already.
std::vector<std::string> outside_binlog(std::vector<std::string> work) {
  work.insert(work.begin(), "SET SESSION sql_log_bin = 0");
  work.emplace_back("SET SESSION sql_log_bin = 1");
  return work;
}

std::vector<std::string> revocations(const AccountState& account, const std::string& name) {
  std::vector<std::string> work;
  for (const Grant& grant : account.grants) {
    if (grant.object.empty()) {
      for (const std::string& role : grant.privileges)
        work.push_back(fmt::format("REVOKE {} FROM {}", role, name));
      continue;
    }
    std::vector<std::string> excess;
    for (const std::string& privilege : grant.privileges)
      if (privilege != "USAGE" && !(grant.object == "*.*" && privilege == "REPLICATION SLAVE"))
        excess.push_back(privilege);
    if (!excess.empty())
      work.push_back(fmt::format("REVOKE {} ON {} FROM {}", fmt::join(excess, ", "), grant.object, name));
    if (grant.grant_option)
      work.push_back(fmt::format("REVOKE GRANT OPTION ON {} FROM {}", grant.object, name));
    if (grant.object == "*.*" && grant.privileges.contains("ALL PRIVILEGES"))
      work.push_back(fmt::format("GRANT REPLICATION SLAVE ON *.* TO {}", name));
  }
  return work;
}

std::string id_list(const std::vector<std::uint32_t>& ids) {
  return fmt::format("({})", fmt::join(ids, ","));
}

// Every option is said each time. What CHANGE MASTER is not told it keeps, but for the heartbeat, which falls
// back to its default (MariaDB 10.11, sql_repl.cc); and the SSL words depend on what was said before.
std::string change_master(const Server& server, const Server& source, const ReplicationAccount& account,
                          const std::string& password, const StartingPoint& from, const Channel* now,
                          bool source_offers_tls) {
  std::vector<std::string> words;
  const auto say = [&](std::string_view word, const std::string& value) {
    words.push_back(fmt::format("{} = {}", word, value));
  };
  const ChannelOptions& declared = server.channel;
  say("MASTER_HOST", quoted(source.advertise.host));
  say("MASTER_PORT", std::to_string(source.advertise.port));
  say("MASTER_USER", quoted(account.user));
  say("MASTER_PASSWORD", password);
  if (from.file.empty()) {
    say("MASTER_USE_GTID", "slave_pos");
  } else {
    say("MASTER_LOG_FILE", from.file);
    say("MASTER_LOG_POS", from.position);
    say("MASTER_USE_GTID", "no");
  }
  if (declared.connect_retry || now != nullptr)
    say("MASTER_CONNECT_RETRY",
        std::to_string(declared.connect_retry ? static_cast<std::uint64_t>(declared.connect_retry->count())
                                              : now->connect_retry));
  if (declared.heartbeat || now != nullptr)
    say("MASTER_HEARTBEAT_PERIOD",
        fmt::format("{:.3f}", declared.heartbeat ? static_cast<double>(declared.heartbeat->count()) / 1000
                                                 : now->heartbeat));
  if (declared.delay || now != nullptr)
    say("MASTER_DELAY",
        std::to_string(declared.delay ? static_cast<std::uint64_t>(declared.delay->count()) : now->delay));
  ServerState offer;
  offer.offers_tls = source_offers_tls;
  const ChannelTls tls =
      declared.tls || now == nullptr ? channel_tls(declared, &offer) : ChannelTls{now->tls, now->verify};
  say("MASTER_SSL", tls.on ? "1" : "0");
  say("MASTER_SSL_VERIFY_SERVER_CERT", tls.verify ? "1" : "0");
  const auto path = [&](std::string_view word, const std::optional<std::string>& wanted,
                        const std::string* kept) {
    if (wanted || (kept != nullptr && !kept->empty())) say(word, quoted(wanted ? *wanted : *kept));
  };
  path("MASTER_SSL_CA", declared.ca, now == nullptr ? nullptr : &now->ca);
  path("MASTER_SSL_CERT", declared.cert, now == nullptr ? nullptr : &now->cert);
  path("MASTER_SSL_KEY", declared.key, now == nullptr ? nullptr : &now->key);
  if (declared.do_domain_ids) say("DO_DOMAIN_IDS", id_list(*declared.do_domain_ids));
  if (declared.ignore_domain_ids) say("IGNORE_DOMAIN_IDS", id_list(*declared.ignore_domain_ids));
  return fmt::format("CHANGE MASTER TO {}", fmt::join(words, ", "));
}

// Numbers go bare, with the K, M and G that option files know worked out: SET GLOBAL takes neither them nor a
// number in quotes.
std::string set_value(const std::string& value) {
  static constexpr std::array<std::pair<char, std::uint64_t>, 3> units = {
      {{'K', 1ULL << 10}, {'M', 1ULL << 20}, {'G', 1ULL << 30}}};
  std::uint64_t whole = 0;
  const auto [rest, error] = std::from_chars(value.data(), value.data() + value.size(), whole);
  const std::string_view unit(rest, static_cast<std::size_t>(value.data() + value.size() - rest));
  if (error == std::errc{} && unit.empty()) return value;
  if (error == std::errc{} && unit.size() == 1)
    for (const auto& [letter, factor] : units)
      if (std::toupper(static_cast<unsigned char>(unit.front())) == letter && whole <= UINT64_MAX / factor)
        return std::to_string(whole * factor);
  const bool decimal = value.find_first_not_of("0123456789.-+") == std::string::npos &&
                       value.find_first_of("0123456789") != std::string::npos;
  return decimal ? value : quoted(value);
}

// What differs between sending and showing a step.
struct Values {
  std::string password;  // a quoted literal
  StartingPoint from;
  std::string gtid;                // for adopt-position: a quoted literal
  std::string gtid_with_position;  // gtid_slave_pos to set beside file and position; "" for none
};

std::vector<std::string> render(const Step& step, const Topology& desired, const ServerState* state,
                                bool source_offers_tls, const Values& values,
                                std::chrono::seconds lock_wait) {
  const Server& server = *desired.find(step.server);
  const std::string name = desired.replication ? account_name(*desired.replication) : "";
  switch (step.kind) {
    case StepKind::create_user: {
      // Where the source's own history was replayed first, the account may have come with it.
      const bool after_history = std::any_of(step.needs.begin(), step.needs.end(), [](const Fact& need) {
        return std::holds_alternative<CaughtUp>(need);
      });
      const std::string how = identified(*desired.replication, values.password);
      if (after_history)
        return outside_binlog({fmt::format("CREATE USER IF NOT EXISTS {} {}", name, how),
                               fmt::format("ALTER USER {} {}", name, how),
                               fmt::format("GRANT REPLICATION SLAVE ON *.* TO {}", name)});
      return outside_binlog({fmt::format("CREATE USER {} {}", name, how),
                             fmt::format("GRANT REPLICATION SLAVE ON *.* TO {}", name)});
    }
    case StepKind::alter_user:
      return outside_binlog(
          {fmt::format("ALTER USER {} {}", name, identified(*desired.replication, values.password))});
    case StepKind::grant: return outside_binlog({fmt::format("GRANT REPLICATION SLAVE ON *.* TO {}", name)});
    case StepKind::revoke:
      return outside_binlog(state != nullptr && state->replication_account
                                ? revocations(*state->replication_account, name)
                                : std::vector<std::string>{});
    case StepKind::set_variable:
      return {fmt::format("SET GLOBAL {} = {}", identifier(step.variable),
                          set_value(server.variables.at(step.variable)))};
    case StepKind::capture_coordinates: return {};  // its reading is all it does
    case StepKind::adopt_position: return {fmt::format("SET GLOBAL gtid_slave_pos = {}", values.gtid)};
    case StepKind::stop_replica:
      return {std::holds_alternative<ReceiverOff>(step.ensures.front()) ? "STOP SLAVE IO_THREAD"
                                                                        : "STOP SLAVE"};
    case StepKind::configure_source: {
      std::vector<std::string> work;
      if (!values.gtid_with_position.empty())
        work.push_back(fmt::format("SET GLOBAL gtid_slave_pos = {}", values.gtid_with_position));
      work.push_back(change_master(server, *desired.find(*server.source), *desired.replication,
                                   values.password, values.from,
                                   state == nullptr ? nullptr : state->channel(), source_offers_tls));
      return work;
    }
    case StepKind::start_replica: return {"START SLAVE"};
    case StepKind::await_running:
    case StepKind::await_caught_up: return {};
    case StepKind::fence:
      return {fmt::format("SET SESSION lock_wait_timeout = {}", std::max<std::int64_t>(1, lock_wait.count())),
              "SET GLOBAL read_only = ON"};
    case StepKind::unfence: break;
  }
  return {"SET GLOBAL read_only = OFF"};
}

bool by_gtid(const Step& step) {
  const auto* follows = std::get_if<Follows>(&step.ensures.front());
  return follows != nullptr && follows->by_gtid;
}

Result<Values> values_for(const Step& step, const StepContext& context) {
  Values values;
  if (context.secrets.replication) values.password = quoted(context.secrets.replication->reveal());
  const bool needs_password = step.kind == StepKind::create_user || step.kind == StepKind::alter_user ||
                              step.kind == StepKind::configure_source;
  if (needs_password && !context.secrets.replication)
    return fail(Trouble::bug, "{} has no password", step.id);
  if (!step.origin) return values;
  const Server& server = *context.desired.find(step.server);
  const auto noted = context.outputs.noted.find(server.source ? *server.source : step.server);
  if (std::holds_alternative<FromNoted>(*step.origin)) {
    if (noted == context.outputs.noted.end() || !noted->second.coordinates.known())
      return fail(Trouble::bug, "{} has no coordinates to start from", step.id);
    values.from = literal(noted->second.coordinates);
    values.gtid = quoted(to_text(noted->second.gtid));
    // GTIDs are told to a replica that goes by file and position too: only then does it know its place in every
    // domain, should it ever be moved to another server. One with GTIDs of its own may be refused (1947).
    if (!noted->second.gtid.empty() && context.state.gtid_state.empty())
      values.gtid_with_position = by_gtid(step) ? "" : values.gtid;
  } else if (const auto* at = std::get_if<FromCoordinates>(&*step.origin)) {
    values.from = literal(at->at);
  } else if (const auto* gtid = std::get_if<FromGtid>(&*step.origin)) {
    values.gtid = quoted(to_text(gtid->at));
  } else if (const auto* first = std::get_if<FromFirstBinlog>(&*step.origin)) {
    values.from = literal(Coordinates{first->file, 4});
  } else if (std::holds_alternative<FromExecuted>(*step.origin)) {
    const Channel* channel = context.state.channel();
    if (channel == nullptr || !channel->executed.known())
      return fail(Trouble::stale, "{} shows no executed position any more", step.server.text);
    values.from = literal(channel->executed);
  }
  if (by_gtid(step)) values.from = {};
  return values;
}

}  // namespace

Result<std::vector<std::string>> statements(const Step& step, const StepContext& context) {
  const auto values = values_for(step, context);
  if (!values) return tl::unexpected(values.error());
  return render(step, context.desired, &context.state, context.source_offers_tls, *values, context.lock_wait);
}

std::vector<std::string> preview(const Step& step, const Topology& desired, const Fleet& fleet) {
  Values values;
  values.password = "<secret>";
  const Server& server = *desired.find(step.server);
  const std::string from = server.source ? server.source->text : step.server.text;
  const ServerState* source = server.source ? fleet.find(*server.source) : nullptr;
  if (step.origin && !by_gtid(step)) {
    if (std::holds_alternative<FromNoted>(*step.origin))
      values.from = {fmt::format("<binlog file of {}>", from), fmt::format("<binlog position of {}>", from)};
    else if (const auto* at = std::get_if<FromCoordinates>(&*step.origin))
      values.from = literal(at->at);
    else if (const auto* first = std::get_if<FromFirstBinlog>(&*step.origin))
      values.from = literal(Coordinates{first->file, 4});
    else
      values.from = {fmt::format("<executed file of {}>", step.server.text),
                     fmt::format("<executed position of {}>", step.server.text)};
  }
  if (step.kind == StepKind::adopt_position) {
    const auto* gtid = std::get_if<FromGtid>(&*step.origin);
    values.gtid = gtid != nullptr ? quoted(to_text(gtid->at)) : fmt::format("<gtid_binlog_pos of {}>", from);
  }
  if (step.kind == StepKind::capture_coordinates) return {select_coordinates(), select_gtid_binlog_pos()};
  auto lines = render(step, desired, fleet.find(step.server), source != nullptr && source->offers_tls, values,
                      desired.limits.step - kUnderReadTimeout);
  if (step.kind == StepKind::await_running || step.kind == StepKind::await_caught_up)
    lines.push_back(fmt::format("-- look at {} until {}", select_channels(), describe(step.ensures.front())));
  return lines;
}

}  // namespace stemma::mysql
