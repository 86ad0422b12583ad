// Servers and time that do what a test tells them.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "engine/clock.h"
#include "engine/provider.h"

// Time that moves only by sleeping.
class FakeClock final : public stemma::Clock {
 public:
  [[nodiscard]] Time now() const override { return now_; }
  void sleep(std::chrono::microseconds pause) override {
    now_ += pause;
    ++sleeps;
    if (on_sleep) on_sleep();
  }
  void pass(std::chrono::milliseconds time) { now_ += time; }

  int sleeps = 0;
  std::function<void()> on_sleep;

 private:
  Time now_{std::chrono::hours(1)};
};

// Servers as plain values. A call is noted as "refresh replica"; what a script says happens before it is answered.
class FakeProvider final : public stemma::Provider {
 public:
  using Truth = stemma::ServerState;
  using Script = std::function<stemma::Result<void>(Truth&)>;

  explicit FakeProvider(stemma::Fleet fleet) : truth(std::move(fleet)) {}

  stemma::Fleet truth;
  std::vector<std::string> calls;
  std::map<std::string, std::deque<Script>>
      refreshes;  // by server, one for each refresh; none left: the truth
  std::function<stemma::Result<void>(const stemma::Step&, Truth&)> perform_script;
  std::function<stemma::Result<void>(const stemma::ServerName&)> answer_script;
  std::function<stemma::Result<std::optional<stemma::LockHolder>>(const stemma::ServerName&)> lock_script;

  stemma::Result<stemma::ServerState> observe(const stemma::ServerName& name) override {
    note("observe", name);
    if (const auto silent = truth.silent.find(name); silent != truth.silent.end())
      return tl::unexpected(silent->second.error);
    return truth.servers.at(name);
  }
  stemma::Result<void> answer(const stemma::ServerName& name, const stemma::Questions&,
                              stemma::ServerState& state) override {
    note("answer", name);
    if (answer_script)
      if (auto said = answer_script(name); !said) return said;
    state.schemas.emplace();
    state.binlogs = {state.coordinates.file};
    return {};
  }
  stemma::Result<void> refresh(const stemma::ServerName& name, const stemma::Reading&,
                               stemma::ServerState& state) override {
    note("refresh", name);
    const std::lock_guard lock(guard_);
    stemma::ServerState& real = truth.servers.at(name);
    if (auto& scripts = refreshes[name.text]; !scripts.empty()) {
      const Script script = scripts.front();
      scripts.pop_front();
      if (auto done = script(real); !done) return done;
    }
    state = real;
    return {};
  }
  stemma::Result<void> perform(const stemma::Step& step, const stemma::Outputs&,
                               stemma::ServerState& state) override {
    note("perform", step.server);
    stemma::ServerState& real = truth.servers.at(step.server);
    if (perform_script)
      if (auto done = perform_script(step, real); !done) return done;
    state = real;
    return {};
  }
  stemma::Result<std::optional<stemma::LockHolder>> lock(const stemma::ServerName& name) override {
    note("lock", name);
    return lock_script ? lock_script(name) : std::nullopt;
  }
  void unlock_all() override { note("unlock", {"all"}); }

 private:
  void note(const char* call, const stemma::ServerName& name) {
    const std::lock_guard lock(guard_);
    calls.push_back(std::string(call) + " " + name.text);
  }
  std::mutex guard_;
};
