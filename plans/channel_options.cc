#include "plans/channel_options.h"

#include <utility>

namespace stemma {
namespace {

struct Row {
  UnknownOption option;
  Flavor flavor;
  Version since;
  bool (*take)(ChannelOptions&);  // forgets it; whether it was declared
};

template <auto member>
bool take(ChannelOptions& declared) {
  return std::exchange(declared.*member, std::nullopt).has_value();
}

constexpr Row kRows[] = {
    {{"retry_count", "MySQL; on MariaDB it is the server's own option master_retry_count"},
     Flavor::mysql,
     {5, 6, 0},
     take<&ChannelOptions::retry_count>},
    {{"bind", "MySQL"}, Flavor::mysql, {5, 6, 0}, take<&ChannelOptions::bind>},
    {{"public_key", "MySQL 8.0 and later"}, Flavor::mysql, {8, 0, 4}, take<&ChannelOptions::public_key>},
    {{"compression", "MySQL 8.0.18 and later"},
     Flavor::mysql,
     {8, 0, 18},
     take<&ChannelOptions::compression>},
    {{"do_domain_ids", "MariaDB"}, Flavor::mariadb, {10, 0, 0}, take<&ChannelOptions::do_domain_ids>},
    {{"ignore_domain_ids", "MariaDB"}, Flavor::mariadb, {10, 0, 0}, take<&ChannelOptions::ignore_domain_ids>},
};

}  // namespace

std::vector<UnknownOption> take_unknown(ChannelOptions& declared, Flavor flavor, const Version& version) {
  std::vector<UnknownOption> unknown;
  for (const Row& row : kRows)
    if ((flavor != row.flavor || version < row.since) && row.take(declared)) unknown.push_back(row.option);
  return unknown;
}

}  // namespace stemma
