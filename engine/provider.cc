#include "engine/provider.h"

namespace stemma {

Reading reading_for(StepKind kind) {
  using enum StepKind;
  switch (kind) {
    case create_user:
    case alter_user:
    case grant:
    case revoke: return {.account = true};
    case set_variable: return {.variables = true};
    case capture_coordinates: return {.coordinates = true, .contents = true};
    case adopt_position:
    case stop_replica:
    case configure_source:
    case start_replica:
    case await_running:
    case await_caught_up:
    case fence:
    case unfence: break;
  }
  return {.channel = true};
}

}  // namespace stemma
