// CHANGE MASTER TO, CHANGE REPLICATION SOURCE TO.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "plans/judge_parts.h"
#include "providers/mysql/sql.h"
#include "providers/mysql/sql_parts.h"

namespace stemma::mysql {
namespace {

std::string id_list(const std::vector<std::uint32_t>& ids) {
  return fmt::format("({})", fmt::join(ids, ","));
}

// Collects "WORD = value"; a word that starts with '_' gets MASTER or SOURCE before it.
class Options {
 public:
  explicit Options(const Dialect& dialect) : dialect_(dialect) {}

  void say(std::string_view word, const std::string& value) {
    words_.push_back(fmt::format("{}{} = {}", word.starts_with('_') ? dialect_.source : "", word, value));
  }
  // Where the file says nothing, what the channel has is said again.
  void path(std::string_view word, const std::optional<std::string>& wanted, const std::string* kept) {
    if (wanted || (kept != nullptr && !kept->empty())) say(word, quoted(wanted ? *wanted : *kept));
  }
  [[nodiscard]] std::string text() const { return fmt::format("{}", fmt::join(words_, ", ")); }

 private:
  const Dialect& dialect_;
  std::vector<std::string> words_;
};

void say_where(Options& options, const Dialect& dialect, const StartingPoint& from) {
  const bool mysql = dialect.flavor == Flavor::mysql;
  if (from.file.empty()) {
    options.say(mysql ? "_AUTO_POSITION" : "_USE_GTID", mysql ? "1" : "slave_pos");
    return;
  }
  options.say("_LOG_FILE", from.file);
  options.say("_LOG_POS", from.position);
  options.say(mysql ? "_AUTO_POSITION" : "_USE_GTID", mysql ? "0" : "no");
}

void say_tls(Options& options, Flavor flavor, const ChannelChange& change) {
  const ChannelOptions& declared = change.channel.options;
  const Channel* now = change.now;
  ServerState offer;
  offer.offers_tls = change.source_offers_tls;
  const bool has_ca = !declared.ca.value_or(now == nullptr ? "" : now->ca).empty();
  const ChannelTls tls = declared.tls || now == nullptr ? channel_tls(declared, &offer, flavor, has_ca)
                                                        : ChannelTls{now->tls, now->verify};
  options.say("_SSL", tls.on ? "1" : "0");
  options.say("_SSL_VERIFY_SERVER_CERT", tls.verify ? "1" : "0");
  options.path("_SSL_CA", declared.ca, now == nullptr ? nullptr : &now->ca);
  options.path("_SSL_CERT", declared.cert, now == nullptr ? nullptr : &now->cert);
  options.path("_SSL_KEY", declared.key, now == nullptr ? nullptr : &now->key);
}

// app, `app`.`t`: a name of a schema, or of a table after its schema.
std::string dotted_identifier(const std::string& name) {
  const auto dot = name.find('.');
  return dot == std::string::npos
             ? identifier(name)
             : fmt::format("{}.{}", identifier(name.substr(0, dot)), identifier(name.substr(dot + 1)));
}

}  // namespace

std::string after_verb(const Dialect& dialect, std::string_view channel) {
  return dialect.flavor == Flavor::mysql || channel.empty() ? "" : " " + quoted(channel);
}

std::string at_end(const Dialect& dialect, std::string_view channel) {
  const bool says = dialect.flavor == Flavor::mysql && dialect.named_channels;
  return says ? " FOR CHANNEL " + quoted(channel) : "";
}

// They don't outlive a restart on either flavor.
std::vector<std::string> set_filters(const Dialect& dialect, const DeclaredChannel& channel) {
  // What is declared is in the option file already: anything else has been refused.
  if (dialect.flavor == Flavor::mysql && !dialect.channel_filters) return {};
  const ChannelOptions& declared = channel.options;
  const std::pair<const char*, const std::optional<std::vector<std::string>>&> filters[] = {
      {"do_db", declared.do_db},
      {"ignore_db", declared.ignore_db},
      {"do_table", declared.do_table},
      {"ignore_table", declared.ignore_table}};
  std::vector<std::string> work, rules;
  for (const auto& [name, wanted] : filters) {
    if (!wanted) continue;
    if (dialect.flavor == Flavor::mariadb) {
      // The name of a connection stands before the variable, as an identifier.
      const std::string of = channel.name.empty() ? "" : identifier(channel.name) + ".";
      work.push_back(fmt::format("SET GLOBAL {}replicate_{} = {}", of, name,
                                 quoted(fmt::format("{}", fmt::join(*wanted, ",")))));
      continue;
    }
    std::vector<std::string> names;
    for (const std::string& one : *wanted) names.push_back(dotted_identifier(one));
    std::string word = fmt::format("REPLICATE_{}", name);
    std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::toupper(c); });
    rules.push_back(fmt::format("{} = ({})", word, fmt::join(names, ", ")));
  }
  if (!rules.empty())
    work.push_back(
        fmt::format("CHANGE REPLICATION FILTER {}{}", fmt::join(rules, ", "), at_end(dialect, channel.name)));
  return work;
}

std::string change_verb(const Dialect& dialect, std::string_view channel) {
  return dialect.flavor == Flavor::mysql || channel.empty()
             ? std::string(dialect.change)
             : fmt::format("CHANGE MASTER{} TO", after_verb(dialect, channel));
}

// Every option is said each time. What CHANGE MASTER is not told it keeps, but for the heartbeat, which falls
// back to its default (MariaDB 10.11, sql_repl.cc); and the SSL words depend on what was said before.
std::string change_source(const Dialect& dialect, const ChannelChange& change) {
  Options options(dialect);
  const ChannelOptions& declared = change.channel.options;
  const Channel* now = change.now;
  const bool mysql = dialect.flavor == Flavor::mysql;
  options.say("_HOST", quoted(change.source.advertise.host));
  options.say("_PORT", std::to_string(change.source.advertise.port));
  options.say("_USER", quoted(change.account.user));
  options.say("_PASSWORD", change.password);
  say_where(options, dialect, change.from);
  if (declared.connect_retry || now != nullptr)
    options.say(
        "_CONNECT_RETRY",
        std::to_string(declared.connect_retry ? static_cast<std::uint64_t>(declared.connect_retry->count())
                                              : now->connect_retry));
  if (mysql && (declared.retry_count || (now != nullptr && now->retry_count)))
    options.say("_RETRY_COUNT",
                std::to_string(declared.retry_count ? *declared.retry_count : *now->retry_count));
  if (declared.heartbeat || now != nullptr)
    options.say(
        "_HEARTBEAT_PERIOD",
        fmt::format("{:.3f}", declared.heartbeat ? static_cast<double>(declared.heartbeat->count()) / 1000
                                                 : now->heartbeat));
  if (declared.delay || now != nullptr)
    options.say("_DELAY", std::to_string(declared.delay ? static_cast<std::uint64_t>(declared.delay->count())
                                                        : now->delay));
  say_tls(options, dialect.flavor, change);
  if (mysql) {
    options.path("_BIND", declared.bind, now == nullptr ? nullptr : &now->bind);
    if (dialect.compression)
      options.path("_COMPRESSION_ALGORITHMS", declared.compression,
                   now == nullptr ? nullptr : &now->compression);
  }
  if (dialect.sha2_password) {
    // Without TLS and without the source's key a caching_sha2_password login works only as long as the source
    // has it in its cache: until its next restart (error 2061).
    const std::string key = declared.public_key.value_or(now == nullptr ? "" : now->public_key);
    const bool fetch = key.empty() && (change.sha2_account || (now != nullptr && now->fetches_public_key));
    if (declared.public_key || !key.empty()) options.say("_PUBLIC_KEY_PATH", quoted(key));
    options.say(fmt::format("GET_{}_PUBLIC_KEY", dialect.source), fetch ? "1" : "0");
  }
  if (!mysql) {
    // MariaDB takes no channel that has both (1201): what it had gives way to the other.
    using Ids = std::optional<std::vector<std::uint32_t>>;
    const auto say = [&](const char* option, const Ids& wanted, const Ids& other, bool has_some) {
      const bool gives_way = has_some && other && !other->empty();
      if (wanted || gives_way) options.say(option, id_list(wanted.value_or(std::vector<std::uint32_t>{})));
    };
    const auto& only = declared.do_domain_ids;
    const auto& without = declared.ignore_domain_ids;
    say("DO_DOMAIN_IDS", only, without, now != nullptr && !now->do_domain_ids.empty());
    say("IGNORE_DOMAIN_IDS", without, only, now != nullptr && !now->ignore_domain_ids.empty());
  }
  const std::string& name = change.channel.name;
  return fmt::format("{} {}{}", change_verb(dialect, name), options.text(), at_end(dialect, name));
}

}  // namespace stemma::mysql
