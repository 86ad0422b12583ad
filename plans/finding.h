// What is not as it should be, in words that people and programs can act on.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "plans/topology.h"

namespace stemma {

enum class Weight { error, warning, info };  // only errors are drift
std::string_view to_text(Weight);

// One difference between the file and the servers, or one thing that could not be checked.
struct Finding {
  std::string code;  // of the table in finding.cc; a code never changes its meaning
  Weight weight = Weight::error;
  ServerName server;
  std::string attribute;  // what differs, as a short stable name: "read_only", "channel.connect_retry"
  std::string desired;    // never a secret
  std::string observed;   // never a secret
  std::string message;    // one sentence
  std::string hint;       // what to do where stemma itself has no step for it; may be empty
  Place place;            // the key of the topology file that asks for it
  bool ignored = false;   // an [[ignore]] of the file covers it
  bool operator==(const Finding&) const = default;
};

// One row of the finite list of codes.
struct CodeInfo {
  std::string_view code;
  Weight weight;
  std::string_view meaning;
};
const std::vector<CodeInfo>& finding_codes();

// A finding with the weight that its code has in the table.
Finding finding(std::string_view code, const ServerName&, std::string attribute, std::string desired,
                std::string observed, std::string message);

// Marks the findings that an [[ignore]] covers on `today` ("2026-12-31", UTC). Gives a warning finding back
// for each entry that has expired or covers nothing, so that accepted drift does not live for ever.
std::vector<Finding> mark_ignored(std::vector<Finding>&, const Topology&, const std::string& today);

}  // namespace stemma
