// The stories are told in MariaDB's words; what the servers at hand understand may be others.
#pragma once

#include <string>

#include "plans/observed.h"

namespace stemma::live {

// `statement` in the words of that server: STOP SLAVE is STOP REPLICA on MySQL 8.0.22 and later.
std::string in_words_of(Flavor, const Version&, std::string statement);

// "Slave_IO_Running" → "Replica_IO_Running", as MySQL has it since 8.0.22, and back.
std::string status_column(std::string old_name);
std::string old_column(std::string name);

// The statement that returns what a server has executed by GTID, and the one that waits until a replica has executed
// that; it returns 0 when it has, within ten seconds.
std::string select_executed(Flavor);
std::string wait_for_executed(Flavor, const Version&, const std::string& goal);

}  // namespace stemma::live
