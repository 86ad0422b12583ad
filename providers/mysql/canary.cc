#include "providers/mysql/canary.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <thread>

#include "plans/attach.h"
#include "providers/mysql/sql.h"

namespace stemma::mysql {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr int kNoSuchDatabase = 1049;
constexpr int kNoSuchTable = 1146;

std::string random_token() {
  std::random_device device;
  std::string token;
  for (int i = 0; i < 4; ++i) token += fmt::format("{:08x}", device());
  return token;
}

struct Place {
  std::string where;
  Address address;
  Login login;
  Secret password;
  bool skipped = false;
};

class Canary {
 public:
  Canary(const Topology& topology, const Server& root, const Secrets& secrets, const Timeouts& timeouts,
         std::chrono::milliseconds patience, const std::atomic<bool>& stop)
      : topology_(topology),
        root_(root),
        secrets_(secrets),
        timeouts_(timeouts),
        patience_(patience),
        stop_(stop),
        token_(random_token()) {}

  CanaryReport run(bool with_read_address) {
    CanaryReport report;
    report.root = root_.name;
    auto places = replicas();
    if (with_read_address && topology_.verify.read)
      places.push_back(
          {to_text(*topology_.verify.read), *topology_.verify.read, root_.admin, password_of(root_.name)});
    report.readings.resize(places.size());

    // Readers connect before the row is written, so that only replication is timed.
    std::vector<std::optional<Connection>> readers(places.size());
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < places.size(); ++i) {
        report.readings[i].where = places[i].where;
        report.readings[i].skipped = places[i].skipped;
        if (places[i].skipped) continue;
        threads.emplace_back([&, i] {
          auto opened = open(places[i]);
          if (opened)
            readers[i].emplace(std::move(*opened));
          else
            report.readings[i].error = opened.error();
        });
      }
    }
    auto writer = open({root_.name.text, root_.address, root_.admin, password_of(root_.name)});
    if (!writer) {
      report.write_error = writer.error();
      return report;
    }
    if (auto named = name_database(*writer); !named) {
      report.write_error = named.error();
      return report;
    }
    report.database = name_;
    if (auto written = write(*writer); !written) {
      report.write_error = written.error();
    } else {
      const SteadyTime since = std::chrono::steady_clock::now();
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < places.size(); ++i)
        if (readers[i]) threads.emplace_back([&, i] { await(*readers[i], report.readings[i], since); });
    }
    if (auto cleaned = clean_up(*writer); !cleaned) report.cleanup_error = cleaned.error();
    return report;
  }

 private:
  Secret password_of(const ServerName& name) const {
    const auto found = secrets_.admin.find(name);
    return found == secrets_.admin.end() ? Secret() : found->second;
  }

  Result<Connection> open(const Place& place) const {
    auto opened = Connection::open(
        place.address, {place.login.user, place.password, below(secrets_.base, place.login.tls)}, timeouts_);
    if (!opened) return opened;
    if (auto set_up = opened->query_all(session_setup()); set_up.failed)
      return tl::unexpected(*set_up.failed);
    return opened;
  }

  // The channels through which the root's writes come to that server; nullopt: they don't.
  std::optional<std::vector<const DeclaredChannel*>> way_to(const Server& server) const {
    if (&server == &root_) return std::vector<const DeclaredChannel*>{};
    for (const DeclaredChannel& channel : server.channels)
      if (auto way = way_to(*topology_.find(channel.source))) {
        way->push_back(&channel);
        return way;
      }
    return std::nullopt;
  }

  // Everyone below this root, chains included.
  std::vector<Place> replicas() const {
    std::vector<Place> places;
    for (const Server& server : topology_.servers) {
      if (&server == &root_) continue;
      const auto way = way_to(server);
      if (!way) continue;
      const bool delayed = std::any_of(way->begin(), way->end(), [](const DeclaredChannel* channel) {
        return channel->options.delay.value_or(std::chrono::seconds{0}).count() > 0;
      });
      places.push_back({server.name.text, server.address, server.admin, password_of(server.name), delayed});
    }
    return places;
  }

  // Where replicas hang on other roots, too, each root has a canary database of its own: the one that is dropped first
  // would take the other's rows with it, and stop the applier that is to delete them.
  Result<void> name_database(Connection& writer) {
    name_ = topology_.verify.database;
    const auto below = topology_.below(root_);
    if (std::any_of(below.begin(), below.end(),
                    [&](const Server* replica) { return topology_.roots_of(*replica).size() > 1; })) {
      const auto id = writer.query("SELECT @@global.server_id AS id");
      if (!id) return tl::unexpected(id.error());
      name_ = canary_database(topology_, id->at(0, "id").value_or("0"));
    }
    table_ = fmt::format("{}.{}", identifier(name_), kCanaryTable);
    return {};
  }

  Result<void> write(Connection& writer) {
    auto there = writer.query(fmt::format(
        "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {}", quoted(name_)));
    if (!there) return tl::unexpected(there.error());
    made_database_ = there->rows.empty();
    const auto batch = writer.query_all(
        // An event names the session's collations by number, and a replica before MariaDB 11.2 stops with error 22 at the
        // number that a newer source takes for utf8mb4. MySQL and older servers read a comment there.
        {"SET /*M!110200 SESSION character_set_collations = '', */ SESSION collation_server = "
         "utf8mb4_general_ci",
         "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci",
         fmt::format("CREATE DATABASE IF NOT EXISTS {} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
                     identifier(name_)),
         fmt::format("CREATE TABLE IF NOT EXISTS {} (token VARCHAR(64) NOT NULL PRIMARY KEY, "
                     "written_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)",
                     table_),
         fmt::format("INSERT INTO {} (token) VALUES ({})", table_, quoted(token_))});
    if (batch.failed) return tl::unexpected(batch.failed->within("writing the canary row"));
    return {};
  }

  void await(Connection& reader, CanaryReading& reading, SteadyTime since) const {
    const std::string look = fmt::format("SELECT token FROM {} WHERE token = {}", table_, quoted(token_));
    auto pause = std::chrono::microseconds(200);
    while (!stop_.load()) {
      const auto row = reader.query(look);
      const auto now = std::chrono::steady_clock::now();
      reading.took = std::chrono::duration_cast<std::chrono::microseconds>(now - since);
      if (row && !row->rows.empty()) {
        reading.arrived = true;
        return;
      }
      // The database and the table come by replication, too.
      if (!row && row.error().number != kNoSuchDatabase && row.error().number != kNoSuchTable) {
        reading.error = row.error();
        return;
      }
      if (now - since >= patience_) return;
      std::this_thread::sleep_for(pause);
      pause = std::min(pause * 2, std::chrono::microseconds(20000));
    }
  }

  Result<void> clean_up(Connection& writer) const {
    auto gone = writer.query(fmt::format("DELETE FROM {} WHERE token = {}", table_, quoted(token_)));
    if (!gone && gone.error().number != kNoSuchTable && gone.error().number != kNoSuchDatabase)
      return tl::unexpected(gone.error().within("removing the canary row"));
    if (!made_database_ || !gone) return {};
    // Another verify may be using it at the same time: the last one closes the door.
    auto left = writer.query(fmt::format("SELECT token FROM {} LIMIT 1", table_));
    if (!left || !left->rows.empty()) return {};
    auto dropped = writer.query(fmt::format("DROP DATABASE IF EXISTS {}", identifier(name_)));
    if (!dropped) return tl::unexpected(dropped.error().within("dropping the canary database"));
    return {};
  }

  const Topology& topology_;
  const Server& root_;
  const Secrets& secrets_;
  const Timeouts& timeouts_;
  const std::chrono::milliseconds patience_;
  const std::atomic<bool>& stop_;
  const std::string token_;
  std::string name_, table_;  // of the canary's database; the table with it
  bool made_database_ = false;
};

}  // namespace

std::vector<CanaryReport> run_canary(const Topology& topology, const Secrets& secrets,
                                     const Timeouts& timeouts, std::chrono::milliseconds patience,
                                     const std::atomic<bool>& stop) {
  std::vector<const Server*> roots;
  for (const Server& server : topology.servers)
    if (server.is_root()) roots.push_back(&server);
  // verify.read stands in front of one tree: the first that has replicas.
  const auto first = std::find_if(roots.begin(), roots.end(), [&](const Server* root) {
    return !topology.replicas_of(root->name).empty();
  });
  std::vector<CanaryReport> reports(roots.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < roots.size(); ++i)
      threads.emplace_back([&, i] {
        const bool with_read = first != roots.end() && roots[i] == *first;
        reports[i] = Canary(topology, *roots[i], secrets, timeouts, patience, stop).run(with_read);
      });
  }
  return reports;
}

}  // namespace stemma::mysql
