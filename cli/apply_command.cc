// stemma apply
#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <ostream>
#include <thread>

#include "cli/apply_report.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "engine/attempt.h"
#include "engine/board.h"
#include "engine/executor.h"
#include "engine/journal.h"
#include "engine/survey.h"
#include "plans/diff.h"
#include "plans/fingerprint.h"
#include "plans/planner.h"
#include "plans/render.h"
#include "providers/mysql/provider.h"
#include "providers/mysql/sql.h"

namespace stemma::cli {
namespace {

// What the user handed over: a topology file, or a plan that holds a topology.
struct Request {
  Topology topology;
  std::optional<SavedPlan> saved;
  std::string secrets_from;  // the file from whose directory secret files count
};

bool names_command(const std::optional<SecretRef>& ref) {
  return ref && std::holds_alternative<FromCommand>(*ref);
}

// The commands by which a topology gets its secrets: what a plan file could make this machine run.
std::vector<SecretRef> commands_of(const Topology& topology) {
  std::vector<SecretRef> commands;
  for (const Server& server : topology.servers)
    if (names_command(server.admin.password)) commands.push_back(*server.admin.password);
  if (topology.replication && names_command(topology.replication->password))
    commands.push_back(*topology.replication->password);
  return commands;
}

std::optional<Request> load_request(const ApplyArguments& arguments, Console& console) {
  const auto text = read_file(console, arguments.file);
  if (!text) return std::nullopt;
  if (!looks_like_plan(*text)) {
    auto topology = parse_topology(console, *text, arguments.file);
    if (!topology) return std::nullopt;
    return Request{std::move(*topology), std::nullopt, arguments.file};
  }
  auto saved = load_plan(*text);
  if (!saved) {
    say_error(console, saved.error().within(arguments.file));
    return std::nullopt;
  }
  std::vector<SecretRef> vouched;
  std::string secrets_from = arguments.file;
  if (arguments.topology) {
    const auto topology = load_topology(console, *arguments.topology);
    if (!topology) return std::nullopt;
    vouched = commands_of(*topology);
    secrets_from = *arguments.topology;
  }
  for (const SecretRef& command : commands_of(saved->desired))
    if (std::find(vouched.begin(), vouched.end(), command) == vouched.end()) {
      say_error(console,
                {Trouble::input,
                 fmt::format("{}: the plan names a command to run ({})", arguments.file, describe(command)),
                 "a plan's commands run only when --topology FILE names the same ones",
                 0,
                 {}});
      return std::nullopt;
    }
  Topology topology = saved->desired;
  return Request{std::move(topology), std::move(*saved), std::move(secrets_from)};
}

// All locks or none. Servers that give no answer are put into `silent`: they get no step.
enum class Locking { taken, held, stopped };
Locking take_locks(Provider& provider, const Topology& topology, std::chrono::milliseconds timeout,
                   std::map<ServerName, Silence>& silent, Console& console) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    std::mutex guard;
    std::vector<LockHolder> holders;
    silent.clear();
    side_by_side(names_of(topology), 64, [&](const ServerName& name) {
      auto locked = provider.lock(name);
      const std::lock_guard lock(guard);
      if (!locked)
        silent[name] = {
            locked.error().trouble == Trouble::denied ? "server.login-refused" : "server.unreachable",
            locked.error()};
      else if (*locked)
        holders.push_back(**locked);
    });
    if (holders.empty()) return Locking::taken;
    // Those that were taken must not keep another apply out while this one waits.
    provider.unlock_all();
    if (stop_requested().load()) return Locking::stopped;
    if (std::chrono::steady_clock::now() >= deadline) {
      std::sort(holders.begin(), holders.end(),
                [](const LockHolder& a, const LockHolder& b) { return a.server < b.server; });
      const LockHolder& holder = holders.front();
      say_error(console, {Trouble::locked,
                          fmt::format("another apply holds the lock on {}: {}@{}, for {} s",
                                      holder.server.text, holder.user.empty() ? "somebody" : holder.user,
                                      holder.host.empty() ? "somewhere" : holder.host, holder.seconds),
                          "wait for it to end (--lock-timeout 60s does), or look for it in that server's "
                          "processlist; two names of "
                          "the file that lead to one server look like this, too: see `stemma plan`",
                          0,
                          {}});
      return Locking::held;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

bool allowed(const Plan& plan, const ApplyArguments& arguments, Console& console) {
  bool all = true;
  for (const Step& step : plan.steps)
    for (const Hazard hazard : step.hazards) {
      if (covered_by_yes(hazard)) continue;
      if (std::find(arguments.allow.begin(), arguments.allow.end(), to_text(hazard)) != arguments.allow.end())
        continue;
      say_error(console, {Trouble::unsafe,
                          fmt::format("{}: {} {}", step.id, to_text(hazard), meaning(hazard)),
                          fmt::format("--allow {} permits it", to_text(hazard)),
                          0,
                          {}});
      all = false;
    }
  return all;
}

// Ends the whole command when its time is over.
class Alarm {
 public:
  explicit Alarm(std::optional<std::chrono::milliseconds> after) {
    if (after)
      thread_ = std::jthread([this, after](const std::stop_token& done) {
        std::mutex guard;
        std::unique_lock lock(guard);
        std::condition_variable_any wakes;
        if (wakes.wait_for(lock, done, *after, [] { return false; })) return;
        if (done.stop_requested()) return;
        rang_ = true;
        request_stop();
      });
  }
  [[nodiscard]] bool rang() const { return rang_.load(); }

 private:
  std::atomic<bool> rang_{false};
  std::jthread thread_;
};

int exit_code_for(const Outcome& outcome, bool timed_out, bool silent, bool converged) {
  const bool changed = std::any_of(outcome.effects.begin(), outcome.effects.end(),
                                   [](const auto& effect) { return effect == Effect::made; });
  bool failed = false, stale = false, unsafe = false;
  for (const auto& error : outcome.errors) {
    if (!error || error->trouble == Trouble::interrupted) continue;
    failed = true;
    stale = stale || error->trouble == Trouble::stale;
    unsafe = unsafe || error->trouble == Trouble::unsafe;
  }
  if (outcome.journal_error && !changed) return ExitCode::error;
  if (failed && !changed && stale) return ExitCode::stale;
  if (failed && !changed && unsafe) return ExitCode::refused;
  if (failed || outcome.journal_error || timed_out) return ExitCode::partly;
  if (outcome.interrupted) return ExitCode::interrupted;
  if (silent) return ExitCode::incomplete;
  return converged ? ExitCode::ok : ExitCode::partly;
}

}  // namespace

int run_apply(const ApplyArguments& arguments, const CommonOptions& options, Console& console) {
  const std::atomic<bool>& stop = stop_requested();
  const auto request = load_request(arguments, console);
  if (!request) return ExitCode::error;
  const Topology& topology = request->topology;
  if (!arguments.yes && !console.interactive) {
    say_error(console,
              {Trouble::input, "there is no terminal to ask on", "--yes applies without a question", 0, {}});
    return ExitCode::error;
  }
  const auto secrets = load_secrets(console, topology, request->secrets_from, true);
  if (!secrets) return ExitCode::error;
  Alarm alarm(options.timeout);

  // The provider outlives everything that uses it; its end frees the locks.
  mysql::MysqlProvider provider(topology, *secrets, timeouts_for_acting(options, topology));
  std::map<ServerName, Silence> unlocked;
  switch (take_locks(provider, topology, arguments.lock_timeout, unlocked, console)) {
    case Locking::held: return ExitCode::lock_held;
    case Locking::stopped: return ExitCode::interrupted;
    case Locking::taken: break;
  }
  Fleet fleet = survey(provider, topology, *secrets);
  for (const auto& [name, silence] : unlocked) {
    fleet.servers.erase(name);
    fleet.silent.insert_or_assign(name, silence);
  }
  const Outputs nothing_yet;
  const Scene scene{topology, fleet, *secrets, nothing_yet};
  const auto plan = make_plan(scene);
  if (!plan) {
    say_error(console, plan.error());
    return ExitCode::error;
  }
  const Preview preview = [&](const Step& step) { return mysql::preview(step, topology, fleet); };
  if (request->saved) {
    auto now = plan_to_json(scene, *plan, preview, STEMMA_VERSION, true);
    if (!now) {
      say_error(console, now.error());
      return ExitCode::error;
    }
    const auto changes = moved(request->saved->document["fingerprint"], (*now)["fingerprint"]);
    if (!changes.empty()) {
      say_error(console, {Trouble::stale,
                          "the plan is stale, nothing was changed; since it was made:",
                          fmt::format("{}", fmt::join(changes, "\n  ")),
                          0,
                          {}});
      return ExitCode::stale;
    }
    if (!same_steps(request->saved->document, *now)) {
      say_error(console, {Trouble::input,
                          fmt::format("{}: the steps are not those that this stemma makes of its topology",
                                      arguments.file),
                          "plan again",
                          0,
                          {}});
      return ExitCode::error;
    }
  }
  const bool text = arguments.format == DataFormat::text;
  const PlanView view{scene, *plan, preview, ""};
  if (text) console.out << plan_as_text(view, console.paint, options.verbosity > 0) << std::flush;
  ApplyReport report(topology, *plan, console, text, options.verbosity);
  if (!plan->refusals.empty()) return report.nothing_done("refused", ExitCode::refused, fleet);
  const bool silent = !fleet.silent.empty();
  if (plan->steps.empty())
    return report.nothing_done(silent ? "incomplete" : "converged",
                               silent ? ExitCode::incomplete : ExitCode::ok, fleet);
  if (!allowed(*plan, arguments, console)) return report.nothing_done("refused", ExitCode::refused, fleet);
  if (!arguments.yes && !ask(console, fmt::format("\nApply these {} steps?", plan->steps.size()))) {
    if (stop.load()) return ExitCode::interrupted;
    console.err << "Nothing was changed.\n";
    return ExitCode::refused;
  }

  auto journal = Journal::create(
      arguments.journal ? std::filesystem::path(*arguments.journal) : default_journal_directory(),
      topology.name, *plan);
  if (!journal) {
    say_error(console, journal.error());
    return ExitCode::error;
  }
  SystemClock clock;
  Board board(topology, *secrets, fleet, clock.now());
  Patience patience;
  patience.in_all = topology.limits.step;
  const auto runner = thread_runner(std::max<std::size_t>(1, arguments.parallelism), [&](const Step& step) {
    return attempt(step, board, provider, clock, patience, stop);
  });
  const EventSink sink{[&](const Event& event) {
                         report.tell(event);
                         return journal->write(event, *plan);
                       },
                       [&] { return journal->sync(); }};
  report.begin();
  const Outcome outcome = execute(*plan, *runner, sink, stop);

  // Done means read back: the same questions as before, asked again.
  const Fleet after = survey(provider, topology, *secrets);
  const Outputs outputs = board.outputs();
  std::vector<Finding> left = diff(Scene{topology, after, *secrets, nothing_yet});
  mark_ignored(left, topology, today());
  std::erase_if(left, [](const Finding& found) { return found.code == "replica.lag"; });
  const bool converged = verdict_of(left) != DriftVerdict::drifted;
  const int code = exit_code_for(outcome, alarm.rang(), silent || !after.silent.empty(), converged);
  if (auto finished = journal->finish(outcome, *plan, code); !finished) say_error(console, finished.error());
  report.finished(outcome, outputs, left, after, code, journal->path().string());
  return code;
}

}  // namespace stemma::cli
