#include "tests/live/support_tongue.h"

#include <fmt/format.h>

#include <regex>
#include <utility>
#include <vector>

namespace stemma::live {
namespace {

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

}  // namespace

std::string in_words_of(Flavor flavor, const Version& version, std::string statement) {
  if (flavor == Flavor::mariadb) return statement;
  std::vector<std::pair<std::string_view, std::string_view>> words = {
      {"MASTER_USE_GTID = no", "MASTER_AUTO_POSITION = 0"},
      {"MASTER_USE_GTID = slave_pos", "MASTER_AUTO_POSITION = 1"},
      {"SHOW ALL SLAVES STATUS", "SHOW SLAVE STATUS"},
      {"@@gtid_binlog_pos", "@@global.gtid_executed"},
      {"@@gtid_slave_pos", "@@global.gtid_executed"},
      {"SET GLOBAL gtid_slave_pos = ''", "DO 1"},  // RESET MASTER empties it
  };
  const auto since = [&](Version first, std::vector<std::pair<std::string_view, std::string_view>> more) {
    if (version >= first) words.insert(words.end(), more.begin(), more.end());
  };
  since({8, 0, 22}, {{"STOP SLAVE", "STOP REPLICA"},
                     {"START SLAVE", "START REPLICA"},
                     {"RESET SLAVE", "RESET REPLICA"},
                     {"SHOW SLAVE STATUS", "SHOW REPLICA STATUS"},
                     {"SHOW SLAVE HOSTS", "SHOW REPLICAS"}});
  since({8, 0, 23}, {{"CHANGE MASTER TO", "CHANGE REPLICATION SOURCE TO"}, {"MASTER_", "SOURCE_"}});
  since({8, 2, 0},
        {{"SHOW MASTER STATUS", "SHOW BINARY LOG STATUS"}, {"RESET MASTER", "RESET BINARY LOGS AND GTIDS"}});
  for (const auto& [what, by] : words) replace_all(statement, what, by);
  static const std::regex kHashed(R"(PASSWORD\(('[^']*')\))");
  return version >= Version{5, 7, 6} ? std::regex_replace(statement, kHashed, "$1") : statement;
}

std::string status_column(std::string old_name) {
  replace_all(old_name, "Slave", "Replica");
  replace_all(old_name, "Master", "Source");
  return old_name;
}

std::string old_column(std::string name) {
  replace_all(name, "Replica", "Slave");
  replace_all(name, "Source", "Master");
  return name;
}

std::string select_executed(Flavor flavor) {
  return flavor == Flavor::mysql ? "SELECT REPLACE(@@global.gtid_executed, '\n', '')"
                                 : "SELECT @@gtid_binlog_pos";
}

std::string wait_for_executed(Flavor flavor, const Version& version, const std::string& goal) {
  if (flavor == Flavor::mariadb) return fmt::format("SELECT MASTER_GTID_WAIT('{}', 10)", goal);
  return version >= Version{5, 7, 5}
             ? fmt::format("SELECT WAIT_FOR_EXECUTED_GTID_SET('{}', 10)", goal)
             : fmt::format("SELECT IF(WAIT_UNTIL_SQL_THREAD_AFTER_GTIDS('{}', 10) >= 0, 0, 1)", goal);
}

}  // namespace stemma::live
