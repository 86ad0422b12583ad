// The changing half of the SQL: what each kind of step sends.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "plans/starting_place.h"
#include "providers/mysql/sql.h"
#include "providers/mysql/sql_parts.h"

namespace stemma::mysql {
namespace {

StartingPoint literal(const Coordinates& at) { return {quoted(at.file), std::to_string(at.position)}; }

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
  std::string gtid;  // a quoted literal; "": none is told
};

// Everything that the text of a step depends on.
struct Rendering {
  const Step& step;
  const Topology& desired;
  const ServerState* state;  // of the step's server
  const Dialect& dialect;
  bool source_offers_tls;
  const Values& values;
  std::chrono::seconds lock_wait;
};

// Where the server can, what is set at run time outlives a restart.
std::string set_global(const Dialect& dialect, const std::string& variable, std::string_view value) {
  return fmt::format("SET {} {} = {}", dialect.persist ? "PERSIST" : "GLOBAL", variable, value);
}

std::vector<std::string> adopt(const Rendering& r) {
  if (r.dialect.flavor == Flavor::mariadb)
    return {fmt::format("SET GLOBAL gtid_slave_pos = {}", r.values.gtid)};
  std::vector<std::string> work;
  const auto& hazards = r.step.hazards;
  if (std::find(hazards.begin(), hazards.end(), Hazard::reset_binlog) != hazards.end())
    work.emplace_back(r.dialect.reset_binlog);
  if (!r.values.gtid.empty()) work.push_back(fmt::format("SET GLOBAL gtid_purged = {}", r.values.gtid));
  return work;
}

std::vector<std::string> configure(const Rendering& r) {
  const DeclaredChannel& channel = *r.desired.find(r.step.server)->channel(link_of(r.step)->channel);
  const ReplicationAccount& account = *r.desired.replication;
  std::vector<std::string> work;
  if (!r.values.gtid.empty())
    work.push_back(fmt::format("SET GLOBAL {} = {}",
                               r.dialect.flavor == Flavor::mysql ? "gtid_purged" : "gtid_slave_pos",
                               r.values.gtid));
  const bool sha2 =
      r.dialect.sha2_password && account.plugin.value_or("caching_sha2_password") != "mysql_native_password";
  work.push_back(
      change_source(r.dialect, {.channel = channel,
                                .source = *r.desired.find(channel.source),
                                .account = account,
                                .password = r.values.password,
                                .from = r.values.from,
                                .now = r.state == nullptr ? nullptr : r.state->channel(channel.name),
                                .source_offers_tls = r.source_offers_tls,
                                .sha2_account = sha2}));
  for (std::string& filter : set_filters(r.dialect, channel)) work.push_back(std::move(filter));
  return work;
}

std::vector<std::string> fence(const Rendering& r) {
  const bool wants_super = r.dialect.super_read_only && wants_super_read_only(*r.desired.find(r.step.server));
  std::vector<std::string> work = {limit_lock_wait(r.lock_wait), set_global(r.dialect, "read_only", "ON")};
  if (wants_super) work.push_back(set_global(r.dialect, "super_read_only", "ON"));
  if (!wants_super && r.state != nullptr && r.state->super_read_only.value_or(false))
    work.push_back(set_global(r.dialect, "super_read_only", "OFF"));
  return work;
}

std::vector<std::string> unfence(const Rendering& r) {
  std::vector<std::string> work;
  if (r.dialect.super_read_only) work.push_back(set_global(r.dialect, "super_read_only", "OFF"));
  work.push_back(set_global(r.dialect, "read_only", "OFF"));
  return work;
}

std::vector<std::string> account_work(const Rendering& r) {
  const ReplicationAccount& account = *r.desired.replication;
  const std::string& password = r.values.password;
  switch (r.step.kind) {
    case StepKind::create_user: {
      // Where the source's own history was replayed first, the account may have come with it.
      const bool after_history = std::any_of(r.step.needs.begin(), r.step.needs.end(), [](const Fact& need) {
        return std::holds_alternative<CaughtUp>(need);
      });
      return after_history ? create_or_alter_account(r.dialect, account, password)
                           : create_account(r.dialect, account, password);
    }
    case StepKind::alter_user: return alter_account(r.dialect, account, password);
    case StepKind::grant: return grant_replication(account);
    default: break;
  }
  return r.state != nullptr && r.state->replication_account
             ? revocations(*r.state->replication_account, account)
             : std::vector<std::string>{};
}

// START and STOP, of both threads or of one.
std::string threads(const Rendering& r, std::string_view verb, std::string_view which) {
  const std::string& channel = link_of(r.step)->channel;
  return fmt::format("{} {}{}{}{}", verb, r.dialect.replica, after_verb(r.dialect, channel), which,
                     at_end(r.dialect, channel));
}

std::vector<std::string> render(const Rendering& r) {
  switch (r.step.kind) {
    case StepKind::create_user:
    case StepKind::alter_user:
    case StepKind::grant:
    case StepKind::revoke:
      return outside_binlog(r.state != nullptr && r.state->super_read_only.value_or(false)
                                ? beside_super_read_only(account_work(r), r.lock_wait)
                                : account_work(r));
    case StepKind::set_variable:
      return {set_global(r.dialect, identifier(r.step.variable),
                         set_value(r.desired.find(r.step.server)->variables.at(r.step.variable)))};
    case StepKind::adopt_position: return adopt(r);
    case StepKind::stop_replica:
      return {threads(r, "STOP",
                      std::holds_alternative<ReceiverOff>(r.step.ensures.front()) ? " IO_THREAD" : "")};
    case StepKind::configure_source: return configure(r);
    case StepKind::start_replica: return {threads(r, "START", "")};
    case StepKind::fence: return fence(r);
    case StepKind::unfence: return unfence(r);
    case StepKind::capture_coordinates:  // their reading is all they do
    case StepKind::await_running:
    case StepKind::await_caught_up: break;
  }
  return {};
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
  const ServerState& state = context.state;
  const auto place = starting_place(step, context.desired, state, context.outputs,
                                    dialect_for(state.flavor, state.version).purged_takes_more);
  if (!place) return tl::unexpected(place.error());
  if (place->from.known()) values.from = literal(place->from);
  if (place->gtid) values.gtid = quoted((place->adds ? "+" : "") + to_text(*place->gtid));
  return values;
}

}  // namespace

Result<std::vector<std::string>> statements(const Step& step, const StepContext& context) {
  const auto values = values_for(step, context);
  if (!values) return tl::unexpected(values.error());
  return render({step, context.desired, &context.state,
                 dialect_for(context.state.flavor, context.state.version), context.source_offers_tls, *values,
                 context.lock_wait});
}

std::vector<std::string> preview(const Step& step, const Topology& desired, const Fleet& fleet) {
  Values values;
  values.password = "<secret>";
  std::vector<std::string> sources;
  for (const ServerName& source : sources_of(step)) sources.push_back(source.text);
  const std::string from = fmt::format("{}", fmt::join(sources, " and "));
  const auto* follows = std::get_if<Follows>(&step.ensures.front());
  const ServerState* source = follows == nullptr ? nullptr : fleet.find(follows->source);
  const ServerState* state = fleet.find(step.server);
  const Dialect& dialect = state == nullptr ? dialect_for(Flavor::mariadb, newest_known(Flavor::mariadb))
                                            : dialect_for(state->flavor, state->version);
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
    const char* noted = dialect.flavor == Flavor::mysql ? "gtid_executed" : "gtid_binlog_pos";
    values.gtid = gtid != nullptr ? quoted(to_text(gtid->at)) : fmt::format("<{} of {}>", noted, from);
  }
  if (step.kind == StepKind::capture_coordinates) {
    std::vector<std::string> reading = {select_coordinates(dialect)};
    if (dialect.flavor == Flavor::mariadb) reading.push_back(select_gtid_binlog_pos());
    return reading;
  }
  auto lines = render({step, desired, state, dialect, source != nullptr && source->offers_tls, values,
                       desired.limits.step - kUnderReadTimeout});
  if (step.kind == StepKind::await_running || step.kind == StepKind::await_caught_up)
    lines.push_back(
        fmt::format("-- look at {} until {}", select_channels(dialect), describe(step.ensures.front())));
  return lines;
}

}  // namespace stemma::mysql
