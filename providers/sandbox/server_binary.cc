#include "providers/sandbox/server_binary.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "providers/sandbox/process.h"

namespace stemma::sandbox {
namespace fs = std::filesystem;
namespace {

constexpr const char* usual_directories = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/usr/libexec";

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

}  // namespace

fs::path ServerBinary::base() const { return path.parent_path().parent_path(); }

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

Result<ServerBinary> read_version_line(const fs::path& path, std::string_view line) {
  // Warnings may stand before it.
  const auto at = line.find(" Ver ");
  const auto begin = at == line.npos ? 0 : line.rfind('\n', at) + 1;
  const std::string text(line.substr(begin, line.find('\n', begin) - begin));
  const auto version = text.find(" Ver ");
  int major = 0, minor = 0, patch = 0;
  if (version == std::string::npos ||
      std::sscanf(text.c_str() + version, " Ver %d.%d.%d", &major, &minor, &patch) != 3)
    return no_binary(fmt::format("{} is not a MySQL or MariaDB server", path.string()),
                     fmt::format("its --version says '{}'", text));
  ServerBinary binary{.path = path,
                      .flavor = text.find("MariaDB") != std::string::npos ? Flavor::mariadb : Flavor::mysql,
                      .version = fmt::format("{}.{}.{}", major, minor, patch),
                      .version_line = text};
  const int release = major * 100 + minor;
  const bool too_old = release < (binary.flavor == Flavor::mariadb ? 1004 : 507);
  if (too_old)
    return no_binary(fmt::format("{} is version {}, too old for a sandbox", path.string(), binary.version),
                     "MariaDB 10.4 and MySQL 5.7 are the oldest that can be set up");
  return binary;
}

Result<ServerBinary> find_server_binary(const std::optional<std::string>& given) {
  fs::path path;
  if (given) {
    // A name without a slash is looked up as a shell would.
    const auto found = given->find('/') == std::string::npos ? find_program({*given}) : std::nullopt;
    path = found.value_or(fs::absolute(*given));
    if (!is_program(path))
      return no_binary(fmt::format("there is no server program at {}", path.string()),
                       "give the path of mariadbd or mysqld with --server-binary");
  } else {
    const auto found = find_program({"mariadbd", "mysqld"});
    if (!found)
      return no_binary("neither mariadbd nor mysqld was found on PATH",
                       "install one (Debian: apt install mariadb-server-core mariadb-client-core), or give "
                       "its path with --server-binary");
    path = *found;
  }
  const auto version = output_of({path.string(), "--no-defaults", "--version"});
  if (!version) return tl::unexpected(version.error());
  return read_version_line(path, *version);
}

}  // namespace stemma::sandbox
