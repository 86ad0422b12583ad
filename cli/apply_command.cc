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
#include "engine/apply.h"
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
  [[nodiscard]] const std::atomic<bool>& rang() const { return rang_; }

 private:
  std::atomic<bool> rang_{false};
  std::jthread thread_;
};

static_assert(static_cast<int>(Ending::converged) == ExitCode::ok &&
              static_cast<int>(Ending::no_journal) == ExitCode::error &&
              static_cast<int>(Ending::refused) == ExitCode::refused &&
              static_cast<int>(Ending::stale) == ExitCode::stale &&
              static_cast<int>(Ending::partly) == ExitCode::partly &&
              static_cast<int>(Ending::incomplete) == ExitCode::incomplete &&
              static_cast<int>(Ending::interrupted) == ExitCode::interrupted);

// Whether the saved plan is still what would be done. What is wrong was printed.
std::optional<int> complain_of(const SavedPlan& saved, const Scene& scene, const Plan& plan,
                               const Preview& preview, const std::string& file, Console& console) {
  const auto now = plan_to_json(scene, plan, preview, STEMMA_VERSION, true);
  if (!now) {
    say_error(console, now.error());
    return ExitCode::error;
  }
  const auto same = still_as_saved(saved, *now);
  if (same) return std::nullopt;
  const bool stale = same.error().trouble == Trouble::stale;
  say_error(console, stale ? same.error() : same.error().within(file));
  return stale ? ExitCode::stale : ExitCode::error;
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
  const auto secrets = load_secrets(console, options, topology, request->secrets_from, true);
  if (!secrets) return ExitCode::error;
  Alarm alarm(options.timeout);

  // The provider outlives everything that uses it; its end frees the locks.
  mysql::MysqlProvider provider(topology, *secrets, timeouts_for_acting(options, topology));
  SystemClock clock;
  const ApplyTo to{topology, *secrets, provider, clock, stop};
  const auto prepared = prepare_apply(to, arguments.lock_timeout);
  if (!prepared) {
    if (prepared.error().trouble == Trouble::interrupted) return ExitCode::interrupted;
    say_error(console, prepared.error());
    return prepared.error().trouble == Trouble::locked ? ExitCode::lock_held : ExitCode::error;
  }
  const auto& [fleet, plan] = *prepared;
  const Outputs nothing_yet;
  const Scene scene{topology, fleet, *secrets, nothing_yet};
  const Preview preview = [&topology, &fleet = prepared->fleet](const Step& step) {
    return mysql::preview(step, topology, fleet);
  };
  if (request->saved)
    if (const auto code = complain_of(*request->saved, scene, plan, preview, arguments.file, console))
      return *code;
  const bool text = arguments.format == DataFormat::text;
  const PlanView view{scene, plan, preview, ""};
  if (text) console.out << plan_as_text(view, console.paint, options.verbosity > 0) << std::flush;
  ApplyReport report(topology, plan, console, text, options.verbosity);
  if (!plan.refusals.empty()) return report.nothing_done("refused", ExitCode::refused, fleet);
  const bool silent = !fleet.silent.empty();
  if (plan.steps.empty()) {
    if (silent) return report.nothing_done("incomplete", ExitCode::incomplete, fleet);
    std::vector<Finding> left = plan.differences;
    return is_converged(left, topology, today()) ? report.nothing_done("converged", ExitCode::ok, fleet)
                                                 : report.nothing_done("partly", ExitCode::partly, fleet);
  }
  const auto forbidden = not_allowed(plan, arguments.allow);
  for (const Error& error : forbidden) say_error(console, error);
  if (!forbidden.empty()) return report.nothing_done("refused", ExitCode::refused, fleet);
  if (!arguments.yes && !ask(console, fmt::format("\nApply these {} steps?", plan.steps.size()))) {
    if (stop.load()) return ExitCode::interrupted;
    console.err << "Nothing was changed.\n";
    return ExitCode::refused;
  }

  auto journal = Journal::create(
      arguments.journal ? std::filesystem::path(*arguments.journal) : default_journal_directory(),
      topology.name, plan);
  if (!journal) {
    say_error(console, journal.error());
    return ExitCode::error;
  }
  report.begin();
  ApplyOptions how;
  how.parallelism = arguments.parallelism;
  how.today = today();
  how.tell = [&](const Event& event) { report.tell(event); };
  how.timed_out = &alarm.rang();
  const auto applied = carry_out(*prepared, to, *journal, how);
  if (!applied) {
    say_error(console, applied.error());
    return ExitCode::error;
  }
  if (applied->journal_unfinished) say_error(console, *applied->journal_unfinished);
  const int code = static_cast<int>(applied->ending);
  report.finished(applied->outcome, applied->outputs, applied->left, applied->after, code,
                  journal->path().string());
  return code;
}

}  // namespace stemma::cli
