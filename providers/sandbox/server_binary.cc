#include "providers/sandbox/server_binary.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "providers/sandbox/process.h"

namespace stemma::sandbox {
namespace fs = std::filesystem;
namespace {

constexpr const char* usual_directories = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/usr/libexec";
constexpr std::string_view root_prefix = "chroot:";
using Command = std::vector<std::string>;

bool is_program(const fs::path& path) {
  std::error_code missing;
  return fs::is_regular_file(path, missing) && access(path.c_str(), X_OK) == 0;
}

tl::unexpected<Error> no_binary(std::string message, std::string hint) {
  return tl::unexpected(Error{.trouble = Trouble::input,
                              .message = std::move(message),
                              .hint = std::move(hint),
                              .number = 0,
                              .code = {}});
}

// A program of one of `names` on PATH, or in one of the usual directories besides.
std::optional<fs::path> find_program(const std::vector<std::string>& names) {
  const char* from_user = std::getenv("PATH");
  const std::string places = fmt::format("{}:{}", from_user != nullptr ? from_user : "", usual_directories);
  for (const std::string& name : names) {
    std::istringstream directories(places);
    for (std::string directory; std::getline(directories, directory, ':');)
      if (!directory.empty() && is_program(fs::path(directory) / name)) return fs::path(directory) / name;
  }
  return std::nullopt;
}

std::vector<fs::path> sorted_entries(const fs::path& directory) {
  std::vector<fs::path> entries;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(directory, missing)) entries.push_back(entry.path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

// Some tarballs bring libraries along, beside the program, and rely on a script to say so.
Command launch_beside_libraries(const fs::path& program) {
  const fs::path directory = program.parent_path();
  const auto entries = sorted_entries(directory);
  if (std::none_of(entries.begin(), entries.end(), [](const fs::path& file) {
        return file.filename().string().starts_with("lib") && file.string().find(".so") != std::string::npos;
      }))
    return {program.string()};
  const char* others = std::getenv("LD_LIBRARY_PATH");
  return {"/usr/bin/env",
          fmt::format("LD_LIBRARY_PATH={}{}{}", directory.string(), others != nullptr ? ":" : "",
                      others != nullptr ? others : ""),
          program.string()};
}

std::vector<fs::path> library_directories(const fs::path& root) {
  std::vector<fs::path> directories;
  for (const char* above : {"lib", "usr/lib"})
    for (const fs::path& entry : sorted_entries(root / above))
      if (entry.filename().string().find("-linux-gnu") != std::string::npos) directories.push_back(entry);
  std::error_code missing;
  for (const char* name : {"lib64", "usr/lib64"})
    if (fs::is_directory(root / name, missing)) directories.push_back(root / name);
  return directories;
}

// A symbolic link to an absolute path leads out of the root, to the loader of this machine.
bool stays_inside(const fs::path& path, const fs::path& root) {
  std::error_code missing;
  const fs::path real = fs::canonical(path, missing);
  return !missing && real.string().starts_with(fs::canonical(root, missing).string() + "/");
}

// Where a distribution's package puts the server and the libraries that it was linked with.
Result<ServerBinary> find_in_root(const fs::path& root) {
  ServerBinary binary;
  for (const char* directory : {"usr/sbin", "usr/libexec", "usr/bin"})
    for (const char* name : {"mariadbd", "mysqld"})
      if (const fs::path path = root / directory / name; binary.path.empty() && is_program(path))
        binary.path = path;
  binary.name = fmt::format("{}{}", root_prefix, root.string());
  if (binary.path.empty())
    return no_binary(fmt::format("there is no server program in the root directory {}", root.string()),
                     "its usr/sbin should hold mariadbd or mysqld");
  const auto libraries = library_directories(root);
  std::string search;
  for (const fs::path& directory : libraries)
    search += fmt::format("{}{}", search.empty() ? "" : ":", directory.string());
  for (const fs::path& directory : libraries)
    for (const fs::path& entry : sorted_entries(directory))
      if (binary.launch.empty() && entry.filename().string().starts_with("ld-linux") && is_program(entry) &&
          stays_inside(entry, root))
        binary.launch = {entry.string(), "--library-path", search, binary.path.string()};
  if (binary.launch.empty())
    return no_binary(fmt::format("there is no dynamic loader in the root directory {}", root.string()),
                     "its lib or usr/lib should hold the C library that the server was built for");
  return binary;
}

Result<ServerBinary> find_on_machine(const std::optional<std::string>& given) {
  ServerBinary binary;
  if (given) {
    // A name without a slash is looked up as a shell would.
    const auto found = given->find('/') == std::string::npos ? find_program({*given}) : std::nullopt;
    binary.path = found.value_or(fs::absolute(*given));
    if (!is_program(binary.path))
      return no_binary(fmt::format("there is no server program at {}", binary.path.string()),
                       "give the path of mariadbd or mysqld with --server-binary");
  } else {
    const auto found = find_program({"mariadbd", "mysqld"});
    if (!found)
      return no_binary("neither mariadbd nor mysqld was found on PATH",
                       "install one (Debian: apt install mariadb-server-core mariadb-client-core), or give "
                       "its path with --server-binary");
    binary.path = *found;
  }
  binary.name = binary.path.string();
  binary.launch = launch_beside_libraries(binary.path);
  return binary;
}

}  // namespace

fs::path ServerBinary::base() const {
  std::error_code missing;
  const fs::path directory = path.parent_path();
  return fs::is_directory(directory / "share", missing) ? directory : directory.parent_path();
}

fs::path ServerBinary::share() const {
  std::error_code missing;
  for (const char* below :
       {flavor == Flavor::mariadb ? "share/mariadb" : "share/mysql", "share/mysql", "share"})
    if (fs::exists(base() / below / "english" / "errmsg.sys", missing)) return base() / below;
  return {};
}

Result<ServerBinary> read_version_line(const fs::path& path, std::string_view line) {
  // Warnings may stand before it.
  const auto at = line.find(" Ver ");
  const auto begin = at == std::string_view::npos ? 0 : line.rfind('\n', at) + 1;
  const std::string text(line.substr(begin, line.find('\n', begin) - begin));
  const auto version = text.find(" Ver ");
  int major = 0, minor = 0, patch = 0;
  if (version == std::string::npos ||
      std::sscanf(text.c_str() + version, " Ver %d.%d.%d", &major, &minor, &patch) != 3)
    return no_binary(fmt::format("{} is not a MySQL or MariaDB server", path.string()),
                     fmt::format("its --version says '{}'", text));
  ServerBinary binary{.name = path.string(),
                      .path = path,
                      .flavor = text.find("MariaDB") != std::string::npos ? Flavor::mariadb : Flavor::mysql,
                      .release = major * 100 + minor,
                      .version = fmt::format("{}.{}.{}", major, minor, patch),
                      .version_line = text,
                      .launch = {path.string()}};
  const bool too_old = binary.release < (binary.flavor == Flavor::mariadb ? 1004 : 506);
  if (too_old)
    return no_binary(fmt::format("{} is version {}, too old for a sandbox", path.string(), binary.version),
                     "MariaDB 10.4 and MySQL 5.6 are the oldest that can be set up");
  return binary;
}

Result<ServerBinary> find_server_binary(const std::optional<std::string>& given) {
  const bool in_root = given && given->starts_with(root_prefix);
  auto found = in_root ? find_in_root(fs::absolute(given->substr(root_prefix.size())).lexically_normal())
                       : find_on_machine(given);
  if (!found) return found;
  Command ask = found->launch;
  ask.insert(ask.end(), {"--no-defaults", "--version"});
  const auto version = output_of(ask);
  if (!version) return tl::unexpected(version.error());
  auto binary = read_version_line(found->path, *version);
  if (!binary) return binary;
  binary->name = std::move(found->name);
  binary->launch = std::move(found->launch);
  return binary;
}

}  // namespace stemma::sandbox
