#include "providers/sandbox/data_directory.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "providers/sandbox/installation.h"
#include "providers/sandbox/process.h"

namespace stemma::sandbox {
namespace fs = std::filesystem;
namespace {

// FNV-1a, eight hex digits: file names must be the same in every run and build, std::hash is not.
std::string short_hash(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return fmt::format("{:08x}", hash);
}

// A line of the password file, or {} where this process's user has none (containers, often).
struct OsUser {
  std::string name, home;
};
OsUser this_user() {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> text{};
  getpwuid_r(geteuid(), &entry, text.data(), text.size(), &found);
  return found != nullptr ? OsUser{found->pw_name, found->pw_dir} : OsUser{};
}

fs::path home() {
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return home;
  const std::string home = this_user().home;
  return home.empty() ? "/tmp" : home;
}

fs::path base_directory(const char* variable, const char* below_home) {
  const char* set = std::getenv(variable);
  return (set != nullptr && *set == '/' ? fs::path(set) : home() / below_home) / "stemma";
}

tl::unexpected<Error> no_file(const fs::path& path, const std::string& why) {
  return tl::unexpected(Error{.trouble = Trouble::input,
                              .message = fmt::format("can't write {}: {}", path.string(), why),
                              .hint = "check the disk and the permissions, or name another place with --dir",
                              .number = 0,
                              .code = {}});
}

// Another name beside `wanted`, made and private to us, to be renamed to it when it is complete.
Result<fs::path> make_beside(const fs::path& wanted) {
  std::error_code failed;
  fs::create_directories(wanted.parent_path(), failed);
  if (failed) return no_file(wanted.parent_path(), failed.message());
  std::string name = wanted.string() + ".tmp-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) return no_file(name, std::strerror(errno));
  return fs::path(name);
}

// Two who make the same thing at once: the second finds it made, and is content.
Result<void> put_in_place(const fs::path& made, const fs::path& wanted) {
  std::error_code failed;
  fs::rename(made, wanted, failed);
  if (!failed) return {};
  std::error_code ignored;
  fs::remove_all(made, ignored);
  if (fs::exists(wanted, ignored)) return {};
  return no_file(wanted, failed.message());
}

// Runs `installation` on an empty directory. What it says stays in `log` when it fails.
Result<void> install(const ServerBinary& binary, const fs::path& data, const fs::path& log,
                     const std::atomic<bool>& stop) {
  const auto made = installation(binary, data, os_user());
  if (!made) return tl::unexpected(made.error());
  if (made->input.empty()) return run_process(made->command, log, stop);
  const fs::path input = data.string() + ".sql";
  if (std::ofstream file(input, std::ios::binary); !(file << made->input << std::flush))
    return no_file(input, "writing it failed");
  auto ran = run_process(made->command, log, stop, input);
  std::error_code ignored;
  fs::remove(input, ignored);
  return ran;
}

}  // namespace

fs::path default_directory(const Topology& topology) {
  const std::string file =
      topology.path.empty() ? "" : fs::absolute(topology.path).lexically_normal().string();
  return base_directory("XDG_STATE_HOME", ".local/state") / "sandbox" /
         fmt::format("{}-{}", as_file_name(topology.name), short_hash(file));
}

std::string as_file_name(const std::string& text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  std::string name = text;
  std::replace_if(
      name.begin(), name.end(), [&](char c) { return !allowed(c); }, '_');
  const bool special = name.empty() || name.front() == '.';
  return name == text && !special ? name : "_" + name + "-" + short_hash(text);
}

Result<fs::path> make_socket_path(const ServerFiles& files) {
  const fs::path usual = files.directory / "mysqld.sock";
  if (usual.string().size() < sizeof(sockaddr_un::sun_path)) return usual;
  std::error_code none;
  const fs::path linked = fs::read_symlink(usual, none);
  if (!none && fs::is_directory(linked.parent_path(), none)) return linked;

  std::string directory = "/tmp/stemma-XXXXXX";  // not TMPDIR: it may be as deep
  if (mkdtemp(directory.data()) == nullptr) return no_file(directory, std::strerror(errno));
  const fs::path socket = fs::path(directory) / "mysqld.sock";
  std::error_code failed;
  fs::remove(usual, failed);
  fs::create_symlink(socket, usual, failed);
  if (failed) return no_file(usual, failed.message());
  return socket;
}

void remove_socket(const ServerFiles& files) {
  const fs::path usual = files.directory / "mysqld.sock";
  std::error_code ignored;
  if (const fs::path linked = fs::read_symlink(usual, ignored); !ignored && !linked.empty())
    fs::remove_all(linked.parent_path(), ignored);
  fs::remove(usual, ignored);
  fs::remove(usual.string() + ".lock", ignored);  // of a MySQL server that was killed
}

std::string os_user() {
  const std::string name = this_user().name;
  return name.empty() ? std::to_string(geteuid()) : name;
}

Result<fs::path> make_template(const ServerBinary& binary, const std::atomic<bool>& stop) {
  const std::string key = binary.version_line + '\n' + binary.path.string() + '\n' + os_user();
  const fs::path wanted = base_directory("XDG_CACHE_HOME", ".cache") / "templates" /
                          fmt::format("{}-{}-{}", binary.flavor == Flavor::mariadb ? "mariadb" : "mysql",
                                      binary.version, short_hash(key));
  std::error_code ignored;
  if (fs::is_directory(wanted, ignored)) return wanted;

  const auto made = make_beside(wanted);
  if (!made) return tl::unexpected(made.error());
  const fs::path log = made->string() + ".log";
  if (auto done = install(binary, *made, log, stop); !done) {
    fs::remove_all(*made, ignored);
    Error error = done.error();
    if (error.trouble == Trouble::refused)
      error.hint = "its output is in " + log.string();
    else
      fs::remove(log, ignored);
    return tl::unexpected(std::move(error));
  }
  fs::remove(log, ignored);
  // Each MySQL server must make up an identity of its own.
  fs::remove(*made / "auto.cnf", ignored);
  if (auto placed = put_in_place(*made, wanted); !placed) return tl::unexpected(placed.error());
  return wanted;
}

Result<void> copy_template(const fs::path& made, const ServerFiles& files) {
  const auto copy = make_beside(files.data());
  if (!copy) return tl::unexpected(copy.error());
  std::error_code failed;
  fs::copy(made, *copy, fs::copy_options::recursive | fs::copy_options::overwrite_existing, failed);
  if (failed) {
    std::error_code ignored;
    fs::remove_all(*copy, ignored);
    return no_file(files.data(), failed.message());
  }
  return put_in_place(*copy, files.data());
}

Result<void> make_start_files(const ServerFiles& files) {
  const fs::path path = files.options_file();
  std::error_code failed;
  fs::create_directories(files.tmp(), failed);
  if (failed) return no_file(files.tmp(), failed.message());
  // A server ignores a file that others may write.
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return no_file(path, std::strerror(errno));
  close(file);
  return {};
}

std::optional<std::string> program_of(const ServerFiles& files) {
  std::error_code missing;
  std::string name;
  if (fs::exists(files.data(), missing)) std::getline(std::ifstream(files.program_file()), name);
  return name.empty() ? std::nullopt : std::optional(name);
}

Result<void> remember_program(const ServerFiles& files, const ServerBinary& binary) {
  std::ofstream file(files.program_file());
  if (!(file << binary.name << '\n' << std::flush)) return no_file(files.program_file(), "writing it failed");
  return {};
}

}  // namespace stemma::sandbox
