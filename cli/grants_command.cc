#include "cli/commands.h"
#include "cli/exit_code.h"
#include "plans/render.h"

namespace stemma::cli {

int run_grants(const GrantsArguments& arguments, const CommonOptions&, Console& console) {
  const auto topology = load_topology(console, arguments.file);
  if (!topology) return ExitCode::error;
  if (arguments.wanted != GrantsWanted::applying) console.out << grants_as_sql(*topology, GrantsFor::looking);
  if (arguments.wanted == GrantsWanted::both) console.out << "\n";
  if (arguments.wanted != GrantsWanted::looking) console.out << grants_as_sql(*topology, GrantsFor::applying);
  return ExitCode::ok;
}

}  // namespace stemma::cli
