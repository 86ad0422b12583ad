// The desired picture: what a topology file says, as plain values. Nothing here was seen on a server.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "plans/secret.h"

namespace stemma {

struct ServerName {
  std::string text;
  auto operator<=>(const ServerName&) const = default;
};

// A channel of a replica, by their names. The default channel has none: a replica's name stands for it.
struct Link {
  Link() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): see above
  Link(ServerName of, std::string name = {}) : replica(std::move(of)), channel(std::move(name)) {}

  ServerName replica;
  std::string channel;
  auto operator<=>(const Link&) const = default;
};
// "replica-1", "channel 'b' of replica-1": what stands in a sentence for that channel.
std::string to_text(const Link&);

// A place in the topology file, counted from 1; {0, 0} is "not from a file".
struct Place {
  int line = 0;
  int column = 0;
  bool operator==(const Place&) const = default;
};

// Where a server listens: host and port, or a unix socket (then host is empty).
struct Address {
  std::string host;
  std::uint16_t port = 3306;
  std::string socket;
  auto operator<=>(const Address&) const = default;
};
// "127.0.0.1:3306", "[::1]:3306", "unix:/run/mysqld/mysqld.sock": the form that files use.
std::string to_text(const Address&);

enum class TlsMode { disabled, preferred, required, verify_ca, verify_identity };

// TLS of stemma's own connections. Empty paths: the library's default.
struct Tls {
  TlsMode mode = TlsMode::preferred;
  std::string ca, cert, key;
  bool operator==(const Tls&) const = default;
};
// The same with its relative paths counted from `directory`, that of the topology file; "" is the current one.
Tls below(const std::string& directory, Tls);

// How stemma logs in.
struct Login {
  std::string user = "root";
  std::optional<SecretRef> password;  // none: an empty password
  Tls tls;
  bool operator==(const Login&) const = default;
};

// The account that replicas use to read from their source.
struct ReplicationAccount {
  std::string user;
  std::string host = "%";
  std::optional<SecretRef> password;
  std::optional<std::string> plugin;  // none: the server's own default
  bool operator==(const ReplicationAccount&) const = default;
};

// Options of a replication channel. An empty optional is not declared: what the channel has is kept.
struct ChannelOptions {
  std::optional<std::chrono::seconds> connect_retry;
  std::optional<std::uint64_t> retry_count;
  std::optional<std::chrono::milliseconds> heartbeat;
  std::optional<std::chrono::seconds> delay;
  std::optional<TlsMode> tls;
  std::optional<std::string> ca, cert, key;
  std::optional<std::string> public_key, compression, bind;
  std::optional<std::vector<std::string>> do_db, ignore_db, do_table, ignore_table;
  std::optional<std::vector<std::uint32_t>> do_domain_ids, ignore_domain_ids;
  bool operator==(const ChannelOptions&) const = default;
};

// What to do when a fresh replica's data are not its source's.
enum class Provision { refuse, assume_identical, replay, clone, dump };

// Whether replicas are attached by binlog file and position or by GTID.
enum class CoordinatesMode { position, gtid, automatic };

// One channel as the file wants it.
struct DeclaredChannel {
  std::string name;  // "" is the default channel
  ServerName source;
  ChannelOptions options;  // its own, over those of [replication]
  Place place;             // of its `source`
  bool operator==(const DeclaredChannel&) const = default;
};

struct Server {
  ServerName name;
  Address address;    // how stemma reaches it
  Address advertise;  // how replicas reach it; the address if the file says nothing
  std::optional<std::uint32_t> server_id;
  std::vector<DeclaredChannel>
      channels;            // none: a root, one that takes the writes; the default one is the first
  bool read_only = false;  // the file's word, or the default: true with a source
  std::optional<bool> super_read_only;
  Provision provision = Provision::refuse;
  std::optional<std::string> provision_at;  // `at`: "FILE:POS" or a GTID set
  std::map<std::string, std::string> variables;
  Login admin;  // [admin] with [server.X.admin] over it
  std::vector<std::string> tunnel;
  Place place;                          // of [server.X]
  std::map<std::string, Place> places;  // of each key of this server, dotted ("variables.sync_binlog")
  bool operator==(const Server&) const = default;

  [[nodiscard]] bool is_root() const { return channels.empty(); }
  [[nodiscard]] bool follows(const ServerName& source) const;
  // The declared channel of that name, nullptr if there is none. Borrowed.
  [[nodiscard]] const DeclaredChannel* channel(std::string_view wanted = "") const;
};

// A declared channel and the replica that it belongs to. Borrowed from the Topology.
struct DeclaredLink {
  const Server& replica;
  const DeclaredChannel& channel;

  [[nodiscard]] Link name() const { return {replica.name, channel.name}; }
  [[nodiscard]] const ServerName& source() const { return channel.source; }
};
std::vector<DeclaredLink> links_of(const Server&);

struct Limits {
  std::optional<std::chrono::seconds> lag;  // none: lag is shown, not judged
  std::chrono::seconds step{60};            // the longest that one step may take
  bool operator==(const Limits&) const = default;
};

struct VerifyOptions {
  std::optional<Address> read;  // perhaps a load balancer in front of the replicas
  std::string database = "stemma_canary";
  bool operator==(const VerifyOptions&) const = default;
};

// Drift that somebody has accepted, with a reason and an end.
struct Ignore {
  std::string code;
  std::optional<ServerName> server;
  std::string reason;
  std::string until;  // "2026-12-31", the last day on which it counts; empty: no end
  Place place;
  bool operator==(const Ignore&) const = default;
};

// Who is where in Topology::servers. Looked up by what it was made from, so it is equal to any other.
struct ServerIndex {
  std::unordered_map<std::string, std::size_t> by_name;
  std::unordered_map<std::string, std::vector<std::size_t>> replicas;  // by the names of their sources
  bool operator==(const ServerIndex&) const { return true; }
};

struct Topology {
  std::string name;
  CoordinatesMode coordinates = CoordinatesMode::automatic;
  std::vector<Server> servers;                    // in the order of the file
  std::optional<ReplicationAccount> replication;  // always set when some server has a source
  Limits limits;
  VerifyOptions verify;
  std::vector<Ignore> ignores;
  std::string path;                     // of the file; "" when it was read from a plan
  std::map<std::string, Place> places;  // of the keys outside [server.*], dotted
  bool operator==(const Topology&) const = default;

  // Makes the look-ups below take the same time for any number of servers; until it is called, and after the
  // servers have changed, they search.
  void build_index();
  ServerIndex index;

  // The server of that name, nullptr if there is none. Borrowed: lives as long as the Topology.
  [[nodiscard]] const Server* find(const ServerName&) const;
  // The servers that name `source` as one of theirs, in the order of the file.
  [[nodiscard]] std::vector<const Server*> replicas_of(const ServerName& source) const;
  // Whether it is a replica or has one in the file.
  [[nodiscard]] bool replicates(const Server&) const;
  // All servers of the chains that hang on it, in the order of the file; without itself.
  [[nodiscard]] std::vector<const Server*> below(const Server&) const;
  // The server of that name and all above it, the nearest first: those whose writes come from there.
  [[nodiscard]] std::vector<const Server*> upstream(const ServerName& source) const;
  // The roots at the top of the chains that `server` hangs in (itself, when it has no source).
  [[nodiscard]] std::vector<const Server*> roots_of(const Server& server) const;
};

}  // namespace stemma
