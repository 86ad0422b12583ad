// Where a sandbox keeps its files, and fresh data directories made from a cached template.
//
//   $XDG_CACHE_HOME/stemma/templates/mariadb-10.11.19-<hash>/   made once for a server build and OS user
//   $XDG_STATE_HOME/stemma/sandbox/<topology>-<hash>/<server>/
//     data/  tmp/  my.cnf  program  mysqld.sock  mysqld.pid  mysqld.log
#pragma once

#include <atomic>
#include <filesystem>
#include <optional>
#include <string>

#include "plans/error.h"
#include "plans/topology.h"
#include "providers/sandbox/server_binary.h"

namespace stemma::sandbox {

// The paths of one server; nothing here needs to exist.
struct ServerFiles {
  std::filesystem::path directory;
  [[nodiscard]] std::filesystem::path data() const { return directory / "data"; }
  [[nodiscard]] std::filesystem::path pid_file() const { return directory / "mysqld.pid"; }
  // The name of the program that these data are for.
  [[nodiscard]] std::filesystem::path program_file() const { return directory / "program"; }
  // The only options file that the server reads: empty, and the user's to fill. Without any, MySQL would
  // not read what SET PERSIST wrote.
  [[nodiscard]] std::filesystem::path options_file() const { return directory / "my.cnf"; }
  // Of its own, because a server that starts deletes all temporary tables that it finds, those of others, too: then
  // their queries fail with error 6, and MariaDB 10.11 was seen to crash.
  [[nodiscard]] std::filesystem::path tmp() const { return directory / "tmp"; }
  [[nodiscard]] std::filesystem::path log() const { return directory / "mysqld.log"; }
  // What /proc shows of a server that runs on these data, and of no other.
  [[nodiscard]] std::string mark() const { return "--datadir=" + data().string(); }
};

// The directory of a topology's sandbox when the user names none. Two files with one topology name do
// not share it: the hash is of the file's absolute path.
std::filesystem::path default_directory(const Topology&);

// `text` as a file name: what is not a letter, a digit or one of "._-" is replaced, and then a hash
// keeps two names apart.
std::string as_file_name(const std::string& text);

// A socket path that the kernel takes (107 bytes). Where the server's directory is too deep, a private
// directory under /tmp holds the socket, and `mysqld.sock` is a symbolic link to it.
// Errors: Trouble::input when that can't be made.
Result<std::filesystem::path> make_socket_path(const ServerFiles&);
void remove_socket(const ServerFiles&);

// The name of the user that this process runs as.
std::string os_user();

// Makes `data()` as a copy of the template, and the template first when there is none for this binary.
// Either is there whole or not at all, also when two processes make it at once.
// Who may log in to a template's servers is told at `installation`.
// Errors: Trouble::input (the disk, a server without its files), Trouble::refused when the server could not
// make its system tables, Trouble::interrupted.
Result<std::filesystem::path> make_template(const ServerBinary&, const std::atomic<bool>& stop);
Result<void> copy_template(const std::filesystem::path& made, const ServerFiles&);

// Makes `options_file()`, empty, and `tmp()`, where there is none.
// Errors: Trouble::input.
Result<void> make_start_files(const ServerFiles&);

// `program_file()`: read it (nullopt where there are no data), write it.
// Errors: Trouble::input.
std::optional<std::string> program_of(const ServerFiles&);
Result<void> remember_program(const ServerFiles&, const ServerBinary&);

}  // namespace stemma::sandbox
