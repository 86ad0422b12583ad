#include "providers/sandbox/server_options.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace stemma::sandbox {
namespace fs = std::filesystem;
namespace {

struct Row {
  int from;  // the first release that knows it: 507 for 5.7
  const char* option;
};

// In MySQL 9.7 these take 245 MB where the defaults take 530, in 5.6 57 MB where they take 450. The
// performance schema stays on: replication shows its state there.
constexpr std::array mysql_rows = {
    Row{506, "--innodb-log-buffer-size=1M"},
    Row{506, "--table-open-cache=64"},
    Row{506, "--table-definition-cache=400"},
    Row{506, "--performance-schema-accounts-size=0"},
    Row{506, "--performance-schema-digests-size=0"},
    Row{506, "--performance-schema-hosts-size=0"},
    Row{506, "--performance-schema-users-size=0"},
    Row{506, "--performance-schema-events-statements-history-long-size=0"},
    Row{506, "--performance-schema-max-statement-classes=0"},
    Row{507, "--performance-schema-max-memory-classes=0"},
    Row{800, "--performance-schema-error-size=0"},
    Row{507, "--loose-mysqlx=OFF"},  // a plugin, which a build may lack
    Row{507, "--secure-file-priv=NULL"},
};
constexpr std::array mariadb_rows = {
    Row{1004, "--performance-schema=OFF"},
    Row{1004, "--aria-pagecache-buffer-size=1M"},
    Row{1004, "--innodb-buffer-pool-dump-at-shutdown=OFF"},
};

template <std::size_t size>
void add_rows(Options& to, const std::array<Row, size>& rows, int release) {
  for (const Row& row : rows)
    if (release >= row.from) to.emplace_back(row.option);
}

// The sandbox finds, reaches and stops its servers by these.
constexpr std::array<std::string_view, 13> ours = {
    "basedir",     "bind-address", "datadir", "defaults-extra-file", "defaults-file",   "log-error",
    "no-defaults", "pid-file",     "port",    "server-id",           "skip-networking", "socket",
    "user"};

}  // namespace

Options place_options(const ServerBinary& binary) {
  Options options;
  const fs::path base = binary.base();
  const fs::path share = binary.share();
  if (base == "/usr" || share.empty()) return options;
  options = {"--basedir=" + base.string(), "--lc-messages-dir=" + share.string(),
             "--character-sets-dir=" + (share / "charsets").string()};
  std::error_code missing;
  for (const char* below : {"lib/mysql/plugin", "lib/plugin", "lib64/mysql/plugin"})
    if (fs::is_directory(base / below, missing)) {
      options.push_back("--plugin-dir=" + (base / below).string());
      break;
    }
  return options;
}

Options file_options(const ServerBinary& binary) {
  const bool redo_is_one = binary.flavor == Flavor::mysql && binary.release >= 804;  // from 8.0.30
  return {redo_is_one ? "--innodb-redo-log-capacity=8M" : "--innodb-log-file-size=4M",
          "--innodb-buffer-pool-size=16M"};
}

Options small_options(const ServerBinary& binary) {
  Options options{"--key-buffer-size=1M"};
  if (binary.flavor == Flavor::mysql)
    add_rows(options, mysql_rows, binary.release);
  else
    add_rows(options, mariadb_rows, binary.release);
  return options;
}

Result<std::string> option_of(const std::string& text) {
  const std::string bare = text.starts_with("--") ? text.substr(2) : text;
  std::string name = bare.substr(0, bare.find('='));
  std::replace(name.begin(), name.end(), '_', '-');
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  if (name.empty() || name.front() == '-' || !std::all_of(name.begin(), name.end(), allowed))
    return fail(Trouble::input, "'{}' is not a server option: NAME=VALUE or NAME is", text);
  const std::string plain = name.starts_with("loose-") ? name.substr(6) : name;
  if (std::find(ours.begin(), ours.end(), plain) != ours.end())
    return fail(Trouble::input, "the sandbox itself chooses a server's {}", plain);
  return "--" + bare;
}

}  // namespace stemma::sandbox
