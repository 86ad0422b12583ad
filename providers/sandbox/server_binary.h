// The server program that a sandbox runs: where it is and what it is.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plans/error.h"

namespace stemma::sandbox {

enum class Flavor { mariadb, mysql };

struct ServerBinary {
  std::string name;  // by which find_server_binary() finds it from anywhere
  std::filesystem::path path;
  Flavor flavor = Flavor::mariadb;
  int release = 0;                  // 1011 for 10.11, 506 for 5.6
  std::string version;              // "10.11.19"
  std::string version_line;         // all that --version says; differs between any two builds
  std::vector<std::string> launch;  // the command that runs it, before the first option of its own

  // The directory that the program was installed under: /usr for /usr/sbin/mariadbd.
  [[nodiscard]] std::filesystem::path base() const;
  // Its messages, character sets and SQL of the system tables; empty when they are not to be found.
  [[nodiscard]] std::filesystem::path share() const;
};

// What `given` names, or else the first of mariadbd and mysqld on PATH and in the directories where
// packages put servers, which an ordinary user's PATH often lacks. `given` is a path, a name to be looked
// up, or "chroot:DIR": the server that is installed in the root directory DIR, of another release maybe.
// That one is run from outside, by DIR's own dynamic loader and libraries: no rights are needed, nothing is
// mounted, its data and socket are ordinary files, and its process shows the command line that we gave.
// Errors: Trouble::input, with the Debian package in the hint when there is none.
Result<ServerBinary> find_server_binary(const std::optional<std::string>& given);

// What of a line of `mysqld --version` is known of the program at `path`. Pure.
// Errors: Trouble::input when it is neither a MariaDB nor a MySQL server's, or too old to set up.
Result<ServerBinary> read_version_line(const std::filesystem::path& path, std::string_view line);

}  // namespace stemma::sandbox
