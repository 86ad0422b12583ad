// Time as a seam: real, or moved by hand in tests.
#pragma once

#include <chrono>
#include <thread>

namespace stemma {

class Clock {
 public:
  using Time = std::chrono::steady_clock::time_point;
  virtual ~Clock() = default;
  // Monotonic: a clock that an administrator sets back does not move it. Any thread.
  [[nodiscard]] virtual Time now() const = 0;
  virtual void sleep(std::chrono::microseconds) = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return std::chrono::steady_clock::now(); }
  void sleep(std::chrono::microseconds pause) override { std::this_thread::sleep_for(pause); }
};

}  // namespace stemma
