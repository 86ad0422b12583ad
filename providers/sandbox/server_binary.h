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
  std::filesystem::path path;
  Flavor flavor = Flavor::mariadb;
  std::string version;       // "10.11.19"
  std::string version_line;  // all that --version says; differs between any two builds

  // The directory that the program was installed under: /usr for /usr/sbin/mariadbd.
  [[nodiscard]] std::filesystem::path base() const;
};

// The program at `given`, or else the first of mariadbd and mysqld on PATH and in the directories
// where packages put servers, which an ordinary user's PATH often lacks.
// Errors: Trouble::input, with the Debian package in the hint when there is none.
Result<ServerBinary> find_server_binary(const std::optional<std::string>& given);

// A program of one of `names` on PATH, or in one of the usual directories besides.
std::optional<std::filesystem::path> find_program(const std::vector<std::string>& names);

// What a line of `mysqld --version` says. Pure.
// Errors: Trouble::input when it is neither a MariaDB nor a MySQL server's, or too old to set up.
Result<ServerBinary> read_version_line(const std::filesystem::path& path, std::string_view line);

}  // namespace stemma::sandbox
