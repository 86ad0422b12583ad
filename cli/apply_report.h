// What apply says while it runs and when it has ended, as text or JSON.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cli/console.h"
#include "engine/executor.h"
#include "plans/fact.h"
#include "plans/finding.h"
#include "plans/plan.h"

namespace stemma::cli {

class ApplyReport {
 public:
  // All are borrowed for the life of the report.
  ApplyReport(const Topology& topology, const Plan& plan, Console& console, bool text, int verbosity)
      : topology_(topology), plan_(plan), console_(console), text_(text), verbosity_(verbosity) {}

  // Nothing had to be, or could be, done. Returns `exit_code`.
  int nothing_done(const std::string& outcome, int exit_code, const Fleet&);

  void begin();
  void tell(const Event&);
  void finished(const Outcome&, const Outputs&, const std::vector<Finding>& left, const Fleet& after,
                int exit_code, const std::string& journal);

 private:
  void as_text(const Outcome&, const Outputs&, const std::vector<Finding>& left, int exit_code,
               const std::string& journal);
  void as_json(const Outcome&, const Outputs&, const std::vector<Finding>& left, const Fleet& after,
               int exit_code, const std::string& journal);

  const Topology& topology_;
  const Plan& plan_;
  Console& console_;
  const bool text_;
  const int verbosity_;
  std::chrono::steady_clock::time_point began_;
  std::size_t done_ = 0;
};

}  // namespace stemma::cli
