// How a data directory with nothing but the system tables is made, for each kind of server.
#pragma once

#include <filesystem>
#include <string>

#include "plans/error.h"
#include "providers/sandbox/process.h"
#include "providers/sandbox/server_binary.h"

namespace stemma::sandbox {

struct Installation {
  Command command;
  std::string input;  // for its standard input
};

// What makes the empty directory `data` a data directory. MySQL does it by itself since 5.7; the others run
// the SQL that comes with them, as their scripts mariadb-install-db and mysql_install_db would: those need a
// shell, Perl or programs of the same build, which a server of another release often does not have here.
// MariaDB's only logins are then those of the OS user over the unix socket; MySQL's is a root without a
// password. Nobody is anonymous, and there is no database `test`.
// Errors: Trouble::input when the SQL is not to be found.
Result<Installation> installation(const ServerBinary&, const std::filesystem::path& data,
                                  const std::string& os_user);

}  // namespace stemma::sandbox
