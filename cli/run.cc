// argv → arguments → command → exit code.
#include "cli/run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <functional>
#include <iostream>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/sandbox_command.h"
#include "plans/plan.h"

namespace stemma::cli {
namespace {

using std::chrono::milliseconds;

// "500ms", "10s", "2m", "1h"; a number alone is seconds.
std::optional<milliseconds> parse_duration(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string unit(end, text.data() + text.size());
  if (error != std::errc{} || number < 0 || number > 1'000'000'000) return std::nullopt;
  if (unit == "ms") return milliseconds(number);
  if (unit == "s" || unit.empty()) return milliseconds(number * 1000);
  if (unit == "m") return milliseconds(number * 60'000);
  if (unit == "h") return milliseconds(number * 3'600'000);
  return std::nullopt;
}

void add_duration(CLI::App& to, const std::string& name, std::function<void(milliseconds)> set,
                  const std::string& help) {
  to.add_option_function<std::string>(
        name,
        [name, set = std::move(set)](const std::string& text) {
          const auto duration = parse_duration(text);
          if (!duration)
            throw CLI::ValidationError(
                name, fmt::format("'{}' is no duration; write it like 10s, 500ms, 2m", text));
          set(*duration);
        },
        help)
      ->type_name("DURATION");
}

// An option with a fixed list of values; the list is in its help and in the message about another value.
template <class Value>
void add_choice(CLI::App& to, const std::string& name, Value& into,
                std::vector<std::pair<std::string, Value>> values, const std::string& help,
                const std::string& placeholder) {
  std::vector<std::string> names;
  for (const auto& [text, value] : values) names.push_back(text);
  const std::string list = fmt::format("{}", fmt::join(names, ", "));
  to.add_option_function<std::string>(
        name,
        [&into, name, list, values = std::move(values)](const std::string& given) {
          for (const auto& [text, value] : values)
            if (text == given) {
              into = value;
              return;
            }
          throw CLI::ValidationError(name, fmt::format("'{}' is none of {}", given, list));
        },
        fmt::format("{}: {}", help, list))
      ->type_name(placeholder);
}

template <class Format>
void add_format(CLI::App& to, Format& into, std::vector<std::pair<std::string, Format>> values) {
  add_choice(to, "--format", into, std::move(values), "How the result is printed", "FORMAT");
}

const std::vector<std::pair<std::string, DataFormat>> kDataFormats = {{"text", DataFormat::text},
                                                                      {"json", DataFormat::json}};

// Each command's help ends with it; the options of all commands stand in the help of stemma itself.
std::string example(std::string_view line) {
  return fmt::format(
      "Example:\n  {}\n\nEvery command takes --color, --timeout and -v, too: see stemma --help", line);
}

int sandbox(const SandboxArguments& arguments, const CommonOptions& common, Console& console) {
  const auto topology = load_topology(console, arguments.file);
  if (!topology) return ExitCode::error;
  std::map<ServerName, Secret> passwords;
  if (arguments.action == SandboxAction::up) {
    const auto secrets = load_secrets(console, common, *topology, arguments.file, false);
    if (!secrets) return ExitCode::error;
    passwords = secrets->admin;
  }
  return run_sandbox(arguments, *topology, passwords, stop_requested(), console.out, console.err);
}

}  // namespace

int run(int argc, const char* const* argv) {
  CLI::App app{"Plan and apply MySQL and MariaDB replication, declared in a TOML file.", "stemma"};
  app.set_version_flag("--version", fmt::format("stemma {}", STEMMA_VERSION));
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(
      "Examples:\n"
      "  stemma plan topology.toml              what would change, and why\n"
      "  stemma apply topology.toml             do it, after a question\n"
      "  stemma drift topology.toml             is reality what the file says?\n"
      "\n"
      "Exit codes: 0 converged, 1 error, 2 drift, 3 refused, 4 stale plan, 5 partly applied,\n"
      "6 a server is silent, 7 another apply holds the lock, 130 interrupted");

  CommonOptions common;
  add_choice<ColorMode>(
      app, "--color", common.color,
      {{"auto", ColorMode::automatic}, {"always", ColorMode::always}, {"never", ColorMode::never}},
      "When to use colors", "WHEN");
  add_duration(
      app, "--timeout", [&](milliseconds time) { common.timeout = time; },
      "apply: the longest that all of it may take; else: the longest wait for an answer");
  app.add_flag("-v,--verbose", common.verbosity, "Say more: SQL and reasons in plans, each step of an apply");

  std::function<int(Console&)> chosen;
  const auto command = [&](const std::string& name, const std::string& help, std::string_view example_line) {
    CLI::App* sub = app.add_subcommand(name, help);
    sub->footer(example(example_line));
    return sub;
  };
  const auto file_option = [](CLI::App* sub, std::string& into, const char* what = "The topology file") {
    sub->add_option("FILE", into, what)->required();
  };

  ValidateArguments validate;
  CLI::App* sub =
      command("validate", "Check a topology file alone; needs no server", "stemma validate topology.toml");
  file_option(sub, validate.file);
  sub->callback([&] { chosen = [&](Console& c) { return run_validate(validate, common, c); }; });

  PlanArguments plan;
  sub = command("plan", "Show what would change, where and why; changes nothing",
                "stemma plan topology.toml -o change.plan   # later: stemma apply change.plan");
  file_option(sub, plan.file);
  sub->add_option("-o,--out", plan.save, "Save the plan, to be applied as it is")->type_name("PLAN");
  add_format<PlanFormat>(*sub, plan.format,
                         {{"text", PlanFormat::text},
                          {"json", PlanFormat::json},
                          {"markdown", PlanFormat::markdown},
                          {"sql", PlanFormat::sql},
                          {"dot", PlanFormat::dot},
                          {"mermaid", PlanFormat::mermaid}});
  sub->add_flag("--detailed-exitcode", plan.detailed_exitcode, "Exit 2 when there is something to do");
  sub->callback([&] { chosen = [&](Console& c) { return run_plan(plan, common, c); }; });

  ApplyArguments apply;
  sub = command("apply", "Make the servers what the file says, or carry out a saved plan",
                "stemma apply topology.toml --yes");
  file_option(sub, apply.file, "The topology file, or a plan saved by `stemma plan -o`");
  sub->add_flag("--yes", apply.yes, "Don't ask");
  sub->add_option("--allow", apply.allow,
                  fmt::format("Permit a hazard by name, several times if need be: {}",
                              fmt::join(hazard_names(), ", ")))
      ->check([](const std::string& name) {
        return hazard_named(name) ? std::string() : fmt::format("there is no hazard '{}'", name);
      })
      ->type_name("HAZARD")
      ->option_text("HAZARD");
  sub->add_option("--parallelism", apply.parallelism, "How many steps may run side by side (64)")
      ->check(CLI::Range(1, 1024))
      ->type_name("N")
      ->option_text("N");
  add_duration(
      *sub, "--lock-timeout", [&](milliseconds t) { apply.lock_timeout = t; },
      "How long to wait for another apply (1s)");
  sub->add_option("--journal", apply.journal, "Directory for the journal of what was done")->type_name("DIR");
  sub->add_option("--topology", apply.topology,
                  "With a saved plan: the file that vouches for its secret commands")
      ->type_name("FILE");
  add_format<DataFormat>(*sub, apply.format, kDataFormats);
  sub->callback([&] { chosen = [&](Console& c) { return run_apply(apply, common, c); }; });

  DriftArguments drift;
  sub = command("drift", "Is reality what the file says? Exit 2 if not; changes nothing",
                "stemma drift topology.toml --format json");
  sub->add_option("FILE", drift.files, "Topology files")->required();
  add_format<DataFormat>(*sub, drift.format, kDataFormats);
  sub->callback([&] { chosen = [&](Console& c) { return run_drift(drift, common, c); }; });

  StatusArguments status;
  sub = command("status", "The tree of servers with threads, coordinates and lag",
                "stemma status topology.toml");
  file_option(sub, status.file);
  add_format<DataFormat>(*sub, status.format, kDataFormats);
  sub->callback([&] { chosen = [&](Console& c) { return run_status(status, common, c); }; });

  GrantsArguments grants;
  sub = command("grants", "The GRANTs that stemma's own account needs for this file; asks no server",
                "stemma grants topology.toml --for looking");
  file_option(sub, grants.file);
  add_choice<GrantsWanted>(*sub, "--for", grants.wanted,
                           {{"both", GrantsWanted::both},
                            {"looking", GrantsWanted::looking},
                            {"applying", GrantsWanted::applying}},
                           "Which account: for plan, drift and status, or for apply, too", "WHOM");
  sub->callback([&] { chosen = [&](Console& c) { return run_grants(grants, common, c); }; });

  LogArguments log;
  sub = command("log", "What past applies did, the newest first; asks no server",
                "stemma log topology.toml -v          # each step of each run");
  sub->add_option("FILE", log.file, "The topology file; left out: all topologies");
  sub->add_option("--journal", log.journal, "Directory of the journals, if another was given to apply")
      ->type_name("DIR");
  sub->add_option("--last", log.last, "How many runs to show (20); 0 shows all")
      ->type_name("N")
      ->option_text("N");
  add_format<DataFormat>(*sub, log.format, kDataFormats);
  sub->callback([&] { chosen = [&](Console& c) { return run_log(log, common, c); }; });

  sub = command("schema", "The JSON Schema of topology files, for editors",
                "stemma schema > topology.schema.json");
  sub->callback([&] { chosen = [](Console& c) { return run_schema(c); }; });

  VerifyArguments verify;
  sub = command("verify", "Write a row at each source, read it at every replica, clean up",
                "stemma verify topology.toml");
  file_option(sub, verify.file);
  add_duration(
      *sub, "--wait", [&](milliseconds t) { verify.patience = t; }, "How long the row may take (30s)");
  add_format<DataFormat>(*sub, verify.format, kDataFormats);
  sub->callback([&] { chosen = [&](Console& c) { return run_verify(verify, common, c); }; });

  SandboxArguments box;
  CLI::App* sandbox_app = command("sandbox", "Real servers on this machine for the file's loopback addresses",
                                  "stemma sandbox up topology.toml");
  sandbox_app->require_subcommand(1);
  const auto sandbox_action = [&](const std::string& name, const std::string& help, SandboxAction action) {
    CLI::App* child = sandbox_app->add_subcommand(name, help);
    child->footer(example(fmt::format("stemma sandbox {} topology.toml", name)));
    child->add_option("FILE", box.file, "The topology file")->required();
    child->add_option("--dir", box.directory, "Where its servers live")->type_name("DIR");
    child->callback([&, action] {
      box.action = action;
      chosen = [&](Console& c) { return sandbox(box, common, c); };
    });
    return child;
  };
  CLI::App* up = sandbox_action("up", "Start the servers", SandboxAction::up);
  up->add_option("--server-binary", box.server_binaries,
                 "mariadbd or mysqld, if not the one on PATH; chroot:DIR for the one installed in DIR; "
                 "SERVER=PATH for one server")
      ->type_name("PATH")
      ->allow_extra_args(false);
  up->add_option("--server-option", box.server_options, "An option for all servers, as sync_binlog=1")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  sandbox_action("down", "Stop the servers", SandboxAction::down)
      ->add_flag("--purge", box.purge, "Remove their data, too");
  sandbox_action("status", "Which servers run", SandboxAction::status);

  // CLI11 would only say that a command is missing.
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  const bool known = argc < 2 || argv[1][0] == '-' ||
                     std::any_of(commands.begin(), commands.end(),
                                 [&](const CLI::App* one) { return one->get_name() == argv[1]; });
  if (!known) {
    std::cerr << fmt::format("error: there is no command '{}'\nRun stemma --help for the list.\n", argv[1]);
    return ExitCode::error;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    app.exit(asked);  // --help, --version
    return ExitCode::ok;
  } catch (const CLI::ParseError& wrong) {
    std::cerr << "error: " << wrong.what() << "\n";
    const auto used = app.get_subcommands();
    std::cerr << fmt::format("Run stemma {}--help for help.\n",
                             used.empty() ? "" : used.front()->get_name() + " ");
    return ExitCode::error;
  }
  Console console = make_console(common.color);
  const int code = chosen(console);
  console.out.flush();
  if (!console.out) {
    std::cerr << "error: the result could not be written to standard output\n";
    return code == ExitCode::ok ? static_cast<int>(ExitCode::error) : code;
  }
  return code;
}

}  // namespace stemma::cli
