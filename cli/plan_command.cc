// stemma validate, stemma plan
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <ostream>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "engine/survey.h"
#include "plans/diff.h"
#include "plans/json_text.h"
#include "plans/planner.h"
#include "plans/render.h"
#include "providers/mysql/provider.h"
#include "providers/mysql/sql.h"

namespace stemma::cli {
namespace {

// The file appears whole or not at all, and only its owner may read it. What is no ordinary file (a pipe, a device, a link)
// is written to, never replaced.
Result<void> save(const std::string& path, const std::string& text) {
  std::error_code missing;
  const auto target = std::filesystem::symlink_status(path, missing);
  const bool replaces = !std::filesystem::exists(target) || std::filesystem::is_regular_file(target);
  const std::string name = replaces ? fmt::format("{}.{}.tmp", path, ::getpid()) : path;
  const int file = ::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const auto failed = [&] {
    const std::string why = std::strerror(errno);
    if (replaces) ::unlink(name.c_str());
    return fail(Trouble::input, "can't write {}: {}", path, why);
  };
  if (file < 0) return failed();
  const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       (!replaces || ::fsync(file) == 0);
  if (::close(file) != 0 || !written) return failed();
  if (replaces && ::rename(name.c_str(), path.c_str()) != 0) return failed();
  return {};
}

std::string counted(std::size_t n, std::string_view one) {
  return fmt::format("{} {}{}", n, one, n == 1 ? "" : "s");
}

}  // namespace

int run_validate(const ValidateArguments& arguments, const CommonOptions&, Console& console) {
  const auto topology = load_topology(console, arguments.file);
  if (!topology) return ExitCode::error;
  std::size_t roots = 0;
  for (const Server& server : topology->servers)
    if (server.is_root()) ++roots;
  console.out << fmt::format("{} {}: {} ({}, {})\n", console.paint.paint(console.paint.good, "✓"),
                             arguments.file, topology->name, counted(roots, "source"),
                             counted(topology->servers.size() - roots, "replica"));
  return ExitCode::ok;
}

int run_plan(const PlanArguments& arguments, const CommonOptions& options, Console& console) {
  if (arguments.save == "-") {
    say_error(console, {Trouble::input, "-o wants a file", "--format json prints the same document", 0, {}});
    return ExitCode::error;
  }
  const auto topology = load_topology(console, arguments.file);
  if (!topology) return ExitCode::error;
  const auto secrets = load_secrets(console, options, *topology, arguments.file, false);
  if (!secrets) return ExitCode::error;
  mysql::MysqlProvider provider(*topology, *secrets, timeouts_for_reading(options));
  const Fleet fleet = survey(provider, *topology, *secrets);
  const Outputs nothing_yet;
  const Scene scene{*topology, fleet, *secrets, nothing_yet};
  const auto plan = make_plan(scene);
  if (!plan) {
    say_error(console, plan.error());
    return ExitCode::error;
  }
  const Preview preview = [&](const Step& step) { return mysql::preview(step, *topology, fleet); };
  const bool needs_document =
      arguments.save || arguments.format == PlanFormat::json || arguments.format == PlanFormat::markdown;
  nlohmann::json document = nlohmann::json::object();
  if (needs_document) {
    auto made = plan_to_json(scene, *plan, preview, STEMMA_VERSION, arguments.save.has_value());
    if (!made) {
      say_error(console, made.error());
      return ExitCode::error;
    }
    document = std::move(*made);
  }
  const PlanView view{scene, *plan, preview, document.value("plan_id", "")};
  switch (arguments.format) {
    case PlanFormat::text: console.out << plan_as_text(view, console.paint, options.verbosity > 0); break;
    case PlanFormat::json: print_json(console, document); break;
    case PlanFormat::markdown: console.out << plan_as_markdown(view); break;
    case PlanFormat::sql: console.out << plan_as_sql(view); break;
    case PlanFormat::dot: console.out << plan_as_dot(*plan); break;
    case PlanFormat::mermaid: console.out << plan_as_mermaid(*plan); break;
  }
  if (arguments.save) {
    if (auto saved = save(*arguments.save, json_text(document, 2) + "\n"); !saved) {
      say_error(console, saved.error());
      return ExitCode::error;
    }
    const std::string next = !plan->refusals.empty() ? "it is refused as it is: mend the above and plan again"
                             : plan->steps.empty()   ? "there is nothing to apply"
                                                     : "to carry it out: stemma apply " + *arguments.save;
    console.err << fmt::format("plan {} saved in {}; {}\n", view.plan_id, *arguments.save, next);
  }
  if (!plan->refusals.empty()) return ExitCode::refused;
  if (!fleet.silent.empty()) return ExitCode::incomplete;
  return arguments.detailed_exitcode && !plan->steps.empty() ? ExitCode::differs : ExitCode::ok;
}

}  // namespace stemma::cli
