// stemma schema
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "plans/topology_schema.h"

namespace stemma::cli {

int run_schema(Console& console) {
  print_json(console, topology_schema());
  return ExitCode::ok;
}

}  // namespace stemma::cli
