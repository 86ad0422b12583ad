// How long planning takes and how much memory it needs, for fleets of thousands of servers that exist only in
// memory. Prints a Markdown table, as README.md shows it.
//
//   bench_plan_speed [SERVERS…]      default: 10000
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "plans/diff.h"
#include "plans/password_hash.h"
#include "plans/plan_file.h"
#include "plans/planner.h"
#include "plans/render.h"
#include "plans/topology_file.h"
#include "providers/mysql/sql.h"

using namespace stemma;

namespace {

constexpr const char* kPassword = "secret of the bench";

// Who follows whom: the source's number, or none for a root.
using Shape = std::function<std::optional<int>(int server)>;
struct NamedShape {
  const char* name;
  Shape source_of;
};
const std::vector<NamedShape> kShapes = {
    // One root, everything else directly below it.
    {"wide", [](int i) { return i == 0 ? std::nullopt : std::optional(0); }},
    // One root, chains of twenty below it.
    {"deep", [](int i) { return i == 0 ? std::nullopt : std::optional((i - 1) % 20 == 0 ? 0 : i - 1); }},
    // Trees of fifty servers: a root, four middle servers, eleven or twelve replicas of each.
    {"trees",
     [](int i) -> std::optional<int> {
       const int root = i - i % 50, place = i % 50;
       if (place == 0) return std::nullopt;
       return place <= 4 ? root : root + 1 + place % 4;
     }},
};

// What was observed: everything new, everything as declared, or a bit of all.
enum class State { fresh, in_order, mixed };
constexpr std::pair<State, const char*> kStates[] = {
    {State::fresh, "fresh"}, {State::mixed, "mixed"}, {State::in_order, "in order"}};

std::string name_of(int server) { return fmt::format("db-{:05}", server); }

std::string topology_text(int servers, const Shape& source_of) {
  std::string text =
      "[admin]\nuser = \"stemma\"\npassword = { env = \"ADMIN\" }\n\n"
      "[replication]\nuser = \"repl\"\npassword = { env = \"REPL\" }\n";
  for (int i = 0; i < servers; ++i) {
    text += fmt::format("\n[server.{}]\naddress = \"10.{}.{}.{}:3306\"\nserver_id = {}\n", name_of(i),
                        i / 62500, i / 250 % 250, i % 250 + 1, i + 1);
    if (const auto source = source_of(i)) text += fmt::format("source = \"{}\"\n", name_of(*source));
    text += "variables = { sync_binlog = \"1\" }\n";
  }
  return text;
}

ServerState just_installed(const Server& server) {
  ServerState state;
  state.version = {10, 11, 6};
  state.version_text = "10.11.6-MariaDB-log";
  state.identity = {*server.server_id, "", server.name.text, 3306, "/var/lib/mysql/"};
  state.log_bin = state.log_updates = true;
  state.coordinates = {"mysql-bin.000001", 328};
  state.accounts = {{"root", "localhost"}, {"stemma", "%"}};
  state.own_grants = {{{"ALL PRIVILEGES"}, "*.*", true}};
  state.variables["sync_binlog"] = {"0", true};
  state.schemas.emplace();
  state.binlogs = std::vector<std::string>{"mysql-bin.000001"};
  return state;
}

void set_in_order(ServerState& state, const Topology& topology, const Server& server) {
  state.read_only = server.read_only;
  state.coordinates = {"mysql-bin.000002", 1000};
  state.gtid_binlog = *GtidPosition::parse("0-1-10");
  state.gtid_state = *GtidState::parse("0-1-10");
  state.replication_account = AccountState{"mysql_native_password",
                                           native_password_hash(Secret(kPassword)),
                                           false,
                                           {{{"REPLICATION SLAVE"}, "*.*", false}}};
  state.variables["sync_binlog"] = {"1", true};
  for (const Server* replica : topology.replicas_of(server.name))
    state.attached_ids.insert(*replica->server_id);
  if (server.is_root()) return;
  const Server& source = *topology.find(server.channels.front().source);
  state.gtid_replicated = state.gtid_binlog;
  Channel channel;
  channel.user = "repl";
  channel.host = source.advertise.host;
  channel.port = source.advertise.port;
  channel.receiver = ReceiverState::on;
  channel.applier = true;
  channel.receiver_doing = "Waiting for master to send event";
  channel.seconds_behind = 0;
  channel.read = channel.executed = state.coordinates;
  channel.source_server_id = *source.server_id;
  channel.gtid = ChannelGtid::slave_pos;
  state.channels = {channel};
}

// Of a mixed fleet a third of what hangs on the roots is fresh, with all below it, a third is writable with its
// channels off, and the rest is in order.
Fleet fleet_of(const Topology& topology, State what) {
  Fleet fleet;
  std::vector<std::size_t> fate;  // by server: which third
  for (std::size_t i = 0; i < topology.servers.size(); ++i) {
    const Server& server = topology.servers[i];
    ServerState& state = fleet.servers.emplace(server.name, just_installed(server)).first->second;
    const Server* source = server.is_root() ? nullptr : topology.find(server.channels.front().source);
    const bool below_root = source != nullptr && source->is_root();
    fate.push_back(source == nullptr ? 0
                   : below_root      ? i % 3
                                     : fate[static_cast<std::size_t>(source - topology.servers.data())]);
    if (what == State::fresh || (what == State::mixed && fate[i] == 1)) continue;
    set_in_order(state, topology, server);
    if (what == State::in_order || fate[i] == 0) continue;
    state.read_only = false;
    state.channels.front().applier = false;
    state.channels.front().receiver = ReceiverState::off;
  }
  return fleet;
}

// Seconds of this process's own processor time: the machine may have other things to do.
class Watch {
 public:
  // Since it was made, or since the last call.
  double lap() {
    const double now = used();
    return now - std::exchange(last_, now);
  }

 private:
  static double used() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  }
  double last_ = used();
};

long peak_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "bench_plan_speed: {}\n", result.error().message);
  std::_Exit(1);
}

void save(const std::string& text) {
  const auto path = std::filesystem::temp_directory_path() / fmt::format("plan_speed.{}", ::getpid());
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0 || ::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fsync(file) != 0)
    std::_Exit(1);
  ::close(file);
  std::filesystem::remove(path);
}

void measure(int servers, const NamedShape& shape, State state, const char* state_name) {
  const std::string text = topology_text(servers, shape.source_of);
  Watch watch;
  auto read = read_topology(text, "topology.toml");
  const double reading = watch.lap();
  if (!read) {
    fmt::print(stderr, "bench_plan_speed: {}", render(read.error().front()));
    std::_Exit(1);
  }
  const Topology& topology = read->topology;
  const Fleet fleet = fleet_of(topology, state);
  Secrets secrets;
  secrets.replication = Secret(kPassword);
  const Outputs nothing_yet;
  const Scene scene{topology, fleet, secrets, nothing_yet};
  const long before = peak_mb();

  watch.lap();
  const auto differences = diff(scene);
  const double diffing = watch.lap();
  const Plan plan = must(make_plan(scene));
  const double planning = watch.lap();
  const long planned = peak_mb();
  const Preview preview = [&](const Step& step) { return mysql::preview(step, topology, fleet); };
  const std::string shown = plan_as_text({scene, plan, preview, ""}, {}, false);
  const double showing = watch.lap();
  std::string document = must(plan_to_json(scene, plan, preview, "bench", true)).dump(2);
  const double writing = watch.lap();
  save(document);
  const double saving = watch.lap();
  const long written = peak_mb();
  static_cast<void>(must(load_plan(document)));
  const double loading = watch.lap();
  if (differences.size() != plan.differences.size() || !plan.refusals.empty() || shown.empty()) std::_Exit(1);
  fmt::print(
      "| {} | {} | {} | {} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {} | {} | {} |\n",
      servers, shape.name, state_name, plan.steps.size(), reading, diffing, planning, showing, writing,
      saving, loading, before, planned, written);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<int> sizes;
  for (int i = 1; i < argc; ++i) sizes.push_back(std::atoi(argv[i]));
  if (sizes.empty()) sizes = {10000};
  fmt::print(
      "| servers | shape | state | steps | read | diff | plan | text | JSON | save | load | MB before | MB "
      "planned "
      "| MB JSON |\n|---:|---|---|"
      "---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
  for (const int size : sizes)
    for (const NamedShape& shape : kShapes)
      for (const auto& [state, name] : kStates) {
        std::fflush(stdout);
        // A process for each, so that each has a peak of its own.
        const pid_t child = ::fork();
        if (child == 0) {
          measure(size, shape, state, name);
          std::fflush(stdout);
          std::_Exit(0);
        }
        int status = 0;
        if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0) return 1;
      }
}
