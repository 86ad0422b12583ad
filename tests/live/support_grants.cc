#include "tests/live/support_grants.h"

#include <fmt/format.h>

#include <regex>
#include <sstream>
#include <stdexcept>

namespace stemma::live {
namespace {

std::string family(Flavor flavor, const Version& version) {
  if (flavor == Flavor::mariadb) return "MariaDB 10.5 and later";
  if (version >= Version{8, 0, 0}) return "MySQL 8.0 and later";
  return version >= Version{5, 7, 0} ? "MySQL 5.7" : "MySQL 5.6";
}

}  // namespace

std::vector<std::string> granted(const std::string& output, Flavor flavor, const Version& version,
                                 bool root) {
  const std::string heading = "-- " + family(flavor, version) + ": ";
  std::vector<std::string> statements;
  std::istringstream lines(output);
  bool ours = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("--"))
      ours = line.starts_with(heading + "plan, drift, status") ||
             line == heading + (root ? "verify, on the roots" : "verify, on the replicas");
    else if (ours && !line.empty())
      statements.push_back(line.substr(0, line.find(';')));
  }
  if (statements.empty()) throw std::runtime_error("no GRANT for " + heading + "in\n" + output);
  return statements;
}

std::vector<Privilege> each_of(const std::vector<std::string>& grants) {
  static const std::regex shape("GRANT (.*) ON (.*) TO (.*?)( WITH GRANT OPTION)?");
  std::vector<Privilege> privileges;
  for (const std::string& grant : grants) {
    std::smatch part;
    if (!std::regex_match(grant, part, shape)) throw std::runtime_error("not a GRANT: " + grant);
    const auto add = [&](const std::string& name) {
      privileges.push_back(
          {name, part[2], fmt::format("REVOKE {} ON {} FROM {}", name, part[2].str(), part[3].str()), grant});
    };
    std::istringstream names(part[1]);
    for (std::string name; std::getline(names >> std::ws, name, ',');) add(name);
    if (part[4].matched) add("GRANT OPTION");
  }
  return privileges;
}

}  // namespace stemma::live
