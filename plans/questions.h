// What must be asked of which server before a plan can be decided, beyond what every observation reads. Pure.
#pragma once

#include <map>
#include <vector>

#include "plans/fact.h"

namespace stemma {

struct Questions {
  bool schemas = false;              // schemas and their tables' names
  bool binlogs = false;              // the binlogs that are still there, and the GTIDs before the oldest
  bool coordinates = false;          // of its own binlog, once more: a replica seems to be ahead of it
  std::vector<Coordinates> gtid_at;  // places of its own binlogs, to be translated into GTIDs
  bool operator==(const Questions&) const = default;
};

// Nothing for servers in order: a check of a healthy tree costs one round trip a server, and a second one at a source
// whose replica was read a moment later than it. Silent servers and those that have answered already are left out.
std::map<ServerName, Questions> questions_for(const Scene&);

}  // namespace stemma
