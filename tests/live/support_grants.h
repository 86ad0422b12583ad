// The accounts of the stories: allowed what `stemma grants` says, word for word, and no more.
#pragma once

#include <string>
#include <vector>

#include "plans/observed.h"

namespace stemma::live {

// The GRANTs that the output of `stemma grants` has for servers of this version: those for looking or applying, and
// those for verify, of which a root needs others than a replica. Not those for single hazards.
std::vector<std::string> granted(const std::string& output, Flavor, const Version&, bool root);

// What takes each of their privileges away, one at a time: "REVOKE SUPER ON *.* FROM 'stemma'@'%'", each with the GRANT
// that gives it back.
struct Privilege {
  std::string name;    // "SUPER", "GRANT OPTION"
  std::string object;  // "*.*"
  std::string revoke, grant;
};
std::vector<Privilege> each_of(const std::vector<std::string>& grants);

}  // namespace stemma::live
