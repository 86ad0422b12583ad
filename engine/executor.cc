#include "engine/executor.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace stemma {
namespace {

StepResult run_step(const Work& work, StepIndex index, const Step& step) {
  const auto begin = std::chrono::steady_clock::now();
  StepResult done;
  done.step = index;
  try {
    done.result = work(step);
  } catch (const std::exception& thrown) {
    done.result = fail(Trouble::bug, "an exception left a step: {}", thrown.what());
  }
  done.took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  return done;
}

// A few threads that take steps from one queue and put results into another.
class ThreadRunner final : public Runner {
 public:
  ThreadRunner(std::size_t at_once, Work work) : at_once_(at_once), work_(std::move(work)) {}
  ThreadRunner(const ThreadRunner&) = delete;
  ThreadRunner& operator=(const ThreadRunner&) = delete;
  ~ThreadRunner() override {
    const std::lock_guard lock(guard_);
    closing_ = true;
    to_do_changed_.notify_all();
  }

  [[nodiscard]] std::size_t room() const override { return at_once_ - running_; }
  [[nodiscard]] bool idle() const override { return running_ == 0; }

  void start(StepIndex index, const Step& step) override {
    ++running_;
    const std::lock_guard lock(guard_);
    to_do_.emplace_back(index, &step);
    // A thread for each step that is under way at once, kept for the next ones.
    if (threads_.size() < running_) threads_.emplace_back([this] { serve(); });
    to_do_changed_.notify_one();
  }

  StepResult wait() override {
    std::unique_lock lock(guard_);
    done_changed_.wait(lock, [this] { return !done_.empty(); });
    StepResult result = std::move(done_.front());
    done_.pop_front();
    --running_;
    return result;
  }

 private:
  void serve() {
    std::unique_lock lock(guard_);
    for (;;) {
      to_do_changed_.wait(lock, [this] { return closing_ || !to_do_.empty(); });
      if (to_do_.empty()) return;
      const auto [index, step] = to_do_.front();
      to_do_.pop_front();
      lock.unlock();
      StepResult result = run_step(work_, index, *step);
      lock.lock();
      done_.push_back(std::move(result));
      done_changed_.notify_one();
    }
  }

  const std::size_t at_once_;
  const Work work_;
  std::size_t running_ = 0;  // touched by the executor's thread only
  std::mutex guard_;
  std::condition_variable to_do_changed_, done_changed_;
  std::deque<std::pair<StepIndex, const Step*>> to_do_;
  std::deque<StepResult> done_;
  bool closing_ = false;
  std::vector<std::jthread> threads_;  // last: they are joined before what they use goes away
};

class InlineRunner final : public Runner {
 public:
  explicit InlineRunner(Work work) : work_(std::move(work)) {}
  [[nodiscard]] std::size_t room() const override { return done_ ? 0 : 1; }
  [[nodiscard]] bool idle() const override { return !done_.has_value(); }
  void start(StepIndex index, const Step& step) override { done_ = run_step(work_, index, step); }
  StepResult wait() override {
    StepResult result = std::move(*done_);
    done_.reset();
    return result;
  }

 private:
  Work work_;
  std::optional<StepResult> done_;
};

}  // namespace

std::unique_ptr<Runner> thread_runner(std::size_t at_once, Work work) {
  return std::make_unique<ThreadRunner>(at_once, std::move(work));
}
std::unique_ptr<Runner> inline_runner(Work work) { return std::make_unique<InlineRunner>(std::move(work)); }

Outcome execute(const Plan& plan, Runner& runner, const EventSink& sink, const std::atomic<bool>& stop) {
  Schedule schedule(plan);
  Outcome outcome;
  outcome.errors.resize(plan.steps.size());
  outcome.effects.resize(plan.steps.size());
  bool lock_lost = false;
  for (;;) {
    // Write down all that may start now, make that durable once, then start it ...
    std::vector<StepIndex> batch;
    while (!outcome.journal_error && !lock_lost && !stop.load() && batch.size() < runner.room()) {
      const auto step = schedule.next();
      if (!step) break;
      if (auto told = sink.tell(StepStarted{*step}); !told) {
        outcome.journal_error = told.error();
        break;
      }
      schedule.start(*step);
      batch.push_back(*step);
    }
    if (!batch.empty())
      if (auto synced = sink.sync(); !synced) outcome.journal_error = synced.error();
    for (const StepIndex step : batch) {
      if (outcome.journal_error)
        schedule.finish(step, false);
      else
        runner.start(step, plan.steps[step]);
    }
    // ... then wait for one to end. Nothing running means that nothing more can.
    if (runner.idle()) break;
    const StepResult ended = runner.wait();
    schedule.finish(ended.step, ended.result.has_value());
    if (ended.result) {
      outcome.effects[ended.step] = *ended.result;
    } else {
      outcome.errors[ended.step] = ended.result.error();
      // Another apply may be at work from now on, on this server first and then on others.
      if (ended.result.error().trouble == Trouble::locked) lock_lost = true;
    }
    if (auto told = sink.tell(StepFinished{&ended}); !told && !outcome.journal_error)
      outcome.journal_error = told.error();
  }
  outcome.states = schedule.states();
  outcome.interrupted = stop.load();
  return outcome;
}

}  // namespace stemma
