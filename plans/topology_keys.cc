#include "plans/topology_keys.h"

#include <algorithm>
#include <array>

#include "plans/finding.h"
#include "plans/topology_values.h"

namespace stemma {
namespace {

constexpr unsigned in(Section section) { return static_cast<unsigned>(section); }
template <class... More>
constexpr unsigned in(Section section, More... more) {
  return static_cast<unsigned>(section) | in(more...);
}

// The codes of findings, as [[ignore]] names them.
std::span<const std::string_view> code_words() {
  static const std::vector<std::string_view> words = [] {
    std::vector<std::string_view> all;
    for (const CodeInfo& info : finding_codes()) all.push_back(info.code);
    return all;
  }();
  return words;
}

constexpr std::int64_t max32 = 4294967295, max31 = 2147483647;
constexpr unsigned of_channel = in(Section::replication, Section::server, Section::channel);

}  // namespace

std::span<const Key> topology_keys() {
  static const auto keys = std::to_array<Key>({
      {{in(Section::file), "topology", KeyType::table, "the tree as a whole"}, {.below = Section::topology}},
      {{in(Section::file), "admin", KeyType::table, "how stemma logs in"}, {.below = Section::admin}},
      {{in(Section::file), "replication", KeyType::table,
        "the account that replicas use, and every channel's options"},
       {.below = Section::replication}},
      {{in(Section::file), "server", KeyType::tables, "one server of the tree"}, {.below = Section::server}},
      {{in(Section::file), "defaults", KeyType::table, "any key of a server, for all servers"},
       {.below = Section::server}},
      {{in(Section::file), "limits", KeyType::table, "how late is too late"}, {.below = Section::limits}},
      {{in(Section::file), "verify", KeyType::table, "where the canary is read"}, {.below = Section::verify}},
      {{in(Section::file), "ignore", KeyType::table_list, "drift that is accepted, with a reason and an end"},
       {.below = Section::ignore}},

      {{in(Section::topology), "name", KeyType::text,
        "names journals and reports; left out: the file's name"},
       {}},
      {{in(Section::topology), "coordinates", KeyType::choice, "how replicas are attached"},
       {.choices = coordinates_words}},

      {{in(Section::admin), "user", KeyType::text, "the account that stemma logs in with; left out: root"},
       {}},
      {{in(Section::admin), "password", KeyType::secret, "its password; left out: none"}, {}},
      {{in(Section::admin), "tls", KeyType::choice, "TLS of stemma's own connections"},
       {.choices = tls_words}},
      {{in(Section::admin), "ca", KeyType::text, "file of the authorities that stemma trusts"}, {}},
      {{in(Section::admin), "cert", KeyType::text, "file of stemma's own certificate"}, {}},
      {{in(Section::admin), "key", KeyType::text, "file of that certificate's key"}, {}},

      {{in(Section::replication), "user", KeyType::text,
        "the account that replicas log in with at their source"},
       {}},
      {{in(Section::replication), "host", KeyType::text, "the host part of that account; left out: %"}, {}},
      {{in(Section::replication), "password", KeyType::secret, "its password"}, {}},
      {{in(Section::replication), "plugin", KeyType::text,
        "its authentication plugin; left out: the server's own default"},
       {}},

      {{in(Section::server), "address", KeyType::address, "how stemma reaches the server"},
       {.required = true}},
      {{in(Section::server), "advertise", KeyType::host_address,
        "how replicas reach it; left out: the address"},
       {}},
      {{in(Section::server), "server_id", KeyType::integer, "the server_id that it must have; left out: any"},
       {.min = 1, .max = max32}},
      {{in(Section::server), "source", KeyType::server,
        "the server that it replicates from; left out: a root"},
       {}},
      {{in(Section::server), "read_only", KeyType::boolean,
        "whether it refuses writes; left out: true with a source, false without"},
       {}},
      {{in(Section::server), "super_read_only", KeyType::boolean, "whether it refuses privileged writes too"},
       {}},
      {{in(Section::server), "provision", KeyType::choice, "what to do when its data are not its source's"},
       {.choices = provision_words, .not_yet = "clone|dump"}},
      {{in(Section::server), "at", KeyType::coordinates,
        "with assume-identical: FILE:POS or the GTID set that its data stand at"},
       {}},
      {{in(Section::server), "tunnel", KeyType::texts, "a command that forwards a local port to the server"},
       {.not_yet = "all"}},
      {{in(Section::server), "variables", KeyType::variables, "global variables of the server"}, {}},
      {{in(Section::server), "admin", KeyType::table, "its own login for stemma"}, {.below = Section::admin}},
      {{in(Section::server), "channel", KeyType::tables, "a further channel, from another source"},
       {.below = Section::channel}},

      {{in(Section::channel), "source", KeyType::server, "the server that this channel replicates from"},
       {.required = true}},

      {{of_channel, "connect_retry", KeyType::seconds, "pause between two attempts to connect"},
       {.min = 1, .max = max31}},
      {{of_channel, "retry_count", KeyType::integer, "attempts to connect before the receiver gives up"},
       {.max = max32}},
      {{of_channel, "heartbeat", KeyType::milliseconds, "silence after which the source says that it lives"},
       {.max = 4294967000}},
      {{of_channel, "delay", KeyType::seconds, "how far the replica stays behind on purpose"},
       {.max = max31}},
      {{of_channel, "tls", KeyType::choice, "TLS between replica and source"}, {.choices = tls_words}},
      {{of_channel, "ca", KeyType::text, "file, on the replica, of the authorities that it trusts"}, {}},
      {{of_channel, "cert", KeyType::text, "file, on the replica, of its own certificate"}, {}},
      {{of_channel, "key", KeyType::text, "file, on the replica, of that certificate's key"}, {}},
      {{of_channel, "public_key", KeyType::text, "file, on the replica, of its source's RSA key"}, {}},
      {{of_channel, "compression", KeyType::text, "compression algorithms of the connection"}, {}},
      {{of_channel, "bind", KeyType::text, "network interface that the replica connects from"}, {}},
      {{of_channel, "do_db", KeyType::texts, "only these schemas are applied"}, {}},
      {{of_channel, "ignore_db", KeyType::texts, "these schemas are not applied"}, {}},
      {{of_channel, "do_table", KeyType::texts, "only these tables are applied"}, {}},
      {{of_channel, "ignore_table", KeyType::texts, "these tables are not applied"}, {}},
      {{of_channel, "do_domain_ids", KeyType::integers, "only these GTID domains are applied"},
       {.max = max32}},
      {{of_channel, "ignore_domain_ids", KeyType::integers, "these GTID domains are not applied"},
       {.max = max32}},

      {{in(Section::limits), "lag", KeyType::seconds,
        "more than this is a finding; left out: lag is not judged"},
       {.max = max31}},
      {{in(Section::limits), "step", KeyType::seconds, "the longest that one step may take; left out: 60s"},
       {.min = 1, .max = max31}},

      {{in(Section::verify), "read", KeyType::host_address,
        "where the canary is read besides the replicas, perhaps a load balancer"},
       {}},
      {{in(Section::verify), "database", KeyType::text, "the schema of the canary; left out: stemma_canary"},
       {}},

      {{in(Section::ignore), "code", KeyType::choice, "the finding that is accepted"},
       {.choices = code_words(), .required = true}},
      {{in(Section::ignore), "server", KeyType::server, "the server on which; left out: all"}, {}},
      {{in(Section::ignore), "reason", KeyType::text, "why it is accepted"}, {.required = true}},
      {{in(Section::ignore), "until", KeyType::date, "the last day on which it counts; left out: no end"},
       {}},
  });
  return keys;
}

const Key* find_key(Section section, std::string_view name) {
  const std::span<const Key> keys = topology_keys();
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const Key& key) {
    return (key.sections & in(section)) != 0 && key.name == name;
  });
  return found == keys.end() ? nullptr : &*found;
}

std::vector<std::string_view> key_names(Section section) {
  std::vector<std::string_view> names;
  for (const Key& key : topology_keys()) {
    if ((key.sections & in(section)) != 0) names.push_back(key.name);
  }
  return names;
}

bool is_not_yet(const Key& key, std::string_view value) {
  std::string_view rest = key.not_yet;
  if (rest == "all") return true;
  while (!rest.empty()) {
    const std::size_t end = rest.find('|');
    if (rest.substr(0, end) == value) return true;
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  return false;
}

std::string_view header_of(Section section) {
  switch (section) {
    case Section::topology: return "[topology]";
    case Section::admin: return "[admin]";
    case Section::replication: return "[replication]";
    case Section::server: return "[server.NAME]";
    case Section::channel: return "[server.NAME.channel.NAME]";
    case Section::limits: return "[limits]";
    case Section::verify: return "[verify]";
    case Section::ignore: return "[[ignore]]";
    case Section::none:
    case Section::file: break;
  }
  return "";
}

}  // namespace stemma
