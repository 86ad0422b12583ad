// Runs a plan: one thread thinks, others work.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/attempt.h"
#include "engine/schedule.h"
#include "plans/plan.h"

namespace stemma {

struct StepResult {
  StepIndex step = 0;
  Result<Effect> result = Effect::already;
  std::chrono::microseconds took{0};
};

// What to do for one step; called on a worker's thread. Must not throw; an exception becomes Trouble::bug.
using Work = std::function<Result<Effect>(const Step&)>;

// Where steps run. Only the executor's thread calls these.
class Runner {
 public:
  virtual ~Runner() = default;
  [[nodiscard]] virtual std::size_t room() const = 0;  // how many more steps may be started now
  [[nodiscard]] virtual bool idle() const = 0;
  virtual void start(StepIndex, const Step&) = 0;  // returns at once; the step must outlive its run
  virtual StepResult wait() = 0;                   // blocks until a started step has ended
};
std::unique_ptr<Runner> thread_runner(std::size_t at_once, Work);
std::unique_ptr<Runner> inline_runner(Work);  // everything on this thread, one step at a time

struct StepStarted {
  StepIndex step;
};
struct StepFinished {
  const StepResult* result;
};
using Event = std::variant<StepStarted, StepFinished>;

// Told everything that happens, on the executor's thread. `sync` is called once after the events of a batch of
// starting steps and before they run: what cannot be written down must not be done, so an error stops the run.
struct EventSink {
  std::function<Result<void>(const Event&)> tell;
  std::function<Result<void>()> sync;
};

struct Outcome {
  std::vector<StepState> states;  // by step
  std::vector<std::optional<Error>> errors;
  std::vector<std::optional<Effect>> effects;
  bool interrupted = false;            // `stop` turned true before everything was started
  std::optional<Error> journal_error;  // the sink failed: nothing was started after that
};

// Returns when nothing runs any more. When `stop` turns true, or a step has failed because the apply's lock was lost
// (Trouble::locked), running steps are finished and none is started.
Outcome execute(const Plan&, Runner&, const EventSink&, const std::atomic<bool>& stop);

}  // namespace stemma
