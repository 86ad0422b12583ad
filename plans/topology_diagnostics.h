// Collects the mistakes of one file. Internal to `plans`.
#pragma once

#include <string>
#include <vector>

#include "plans/topology_file.h"
#include "plans/topology_source.h"

namespace stemma {

class Diagnostics {
 public:
  // `text` is borrowed; it must outlive this.
  Diagnostics(std::string file, const SourceText& text) : file_(std::move(file)), text_(text) {}

  void error(const Span& where, const std::string& message, const std::string& help = {});
  void warning(const Span& where, const std::string& message, const std::string& help = {});

  [[nodiscard]] bool failed() const { return failed_; }
  // In the order of the file, none twice; all of them, but for a file with thousands.
  [[nodiscard]] std::vector<Diagnostic> sorted() const;

 private:
  void add(Severity severity, const Span& where, const std::string& message, const std::string& help);

  std::string file_;
  const SourceText& text_;
  std::vector<Diagnostic> all_;
  std::size_t left_out_ = 0;
  bool failed_ = false;
};

}  // namespace stemma
