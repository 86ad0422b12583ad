#include "providers/sandbox/local_fleet.h"

#include <algorithm>
#include <set>

#include "providers/sandbox/ports.h"
#include "providers/sandbox/process.h"

namespace stemma::sandbox {
namespace fs = std::filesystem;
namespace {

// The declared ids stay; the others get the smallest free ones, in the order of the file. A server that
// runs keeps the id that it runs with.
std::vector<std::uint32_t> choose_server_ids(const Topology& topology, const fs::path& directory) {
  std::vector<std::uint32_t> ids;
  std::set<std::uint32_t> taken;
  constexpr std::string_view option = "--server-id=";
  for (const Server& server : topology.servers) {
    std::uint32_t id = server.server_id.value_or(0);
    if (const auto pid = running(files_of(directory, server.name)); id == 0 && pid)
      for (const std::string& word : command_line(*pid))
        if (word.starts_with(option)) id = static_cast<std::uint32_t>(std::stoul(word.substr(option.size())));
    ids.push_back(id);
    taken.insert(id);
  }
  std::uint32_t next = 1;
  for (std::uint32_t& id : ids) {
    if (id != 0) continue;
    while (taken.contains(next)) ++next;
    id = next++;
  }
  return ids;
}

Result<Options> options_of(const std::vector<std::string>& texts) {
  Options options;
  for (const std::string& text : texts) {
    auto option = option_of(text);
    if (!option) return tl::unexpected(option.error());
    options.push_back(std::move(*option));
  }
  return options;
}

// Each program is looked at once, whoever runs on it.
Result<void> choose_binaries(std::vector<LocalServer>& servers, const SandboxOptions& options) {
  for (const auto& [name, binary] : options.server_binaries)
    if (std::none_of(servers.begin(), servers.end(),
                     [&, wanted = name](const LocalServer& server) { return server.wanted->name == wanted; }))
      return fail(Trouble::input, "the sandbox has no server {} to run on {}", name.text, binary);
  std::map<std::optional<std::string>, ServerBinary> known;
  for (LocalServer& server : servers) {
    const auto own = options.server_binaries.find(server.wanted->name);
    // Data are never given to another program unless somebody says so.
    const auto given = own != options.server_binaries.end() ? own->second
                       : options.server_binary              ? options.server_binary
                                                            : program_of(server.files);
    auto place = known.find(given);
    if (place == known.end()) {
      auto binary = find_server_binary(given);
      if (!binary) return tl::unexpected(binary.error());
      place = known.emplace(given, std::move(*binary)).first;
    }
    server.binary = place->second;
  }
  return {};
}

}  // namespace

ServerFiles files_of(const fs::path& directory, const ServerName& name) {
  return ServerFiles{directory / as_file_name(name.text)};
}

Result<std::vector<LocalServer>> local_servers(const Topology& topology,
                                               const std::map<ServerName, Secret>& passwords,
                                               const fs::path& directory, const SandboxOptions& options) {
  const auto added = options_of(options.server_options);
  if (!added) return tl::unexpected(added.error());
  std::vector<LocalServer> servers;
  const auto ids = choose_server_ids(topology, directory);
  for (std::size_t i = 0; i < topology.servers.size(); ++i) {
    const Server& wanted = topology.servers[i];
    std::string ip = loopback_ip(wanted.address);
    if (ip.empty()) continue;
    const auto password = passwords.find(wanted.name);
    servers.push_back({.wanted = &wanted,
                       .ip = std::move(ip),
                       .server_id = ids[i],
                       .admin_password = password == passwords.end() ? Secret() : password->second,
                       .files = files_of(directory, wanted.name),
                       .binary = {},
                       .options = *added});
  }
  if (servers.empty())
    return tl::unexpected(Error{.trouble = Trouble::input,
                                .message = "no server of the file has a loopback address",
                                .hint = "a sandbox starts servers for addresses like \"127.0.0.1:3306\" only",
                                .number = 0,
                                .code = {}});
  if (const auto chosen = choose_binaries(servers, options); !chosen) return tl::unexpected(chosen.error());
  return servers;
}

Result<void> check_addresses(const std::vector<LocalServer>& servers) {
  std::map<std::pair<std::string, std::uint16_t>, ServerName> seen;
  for (const LocalServer& server : servers) {
    const Server& wanted = *server.wanted;
    const auto [other, is_new] = seen.try_emplace({server.ip, wanted.address.port}, wanted.name);
    if (!is_new)
      return fail(Trouble::input, "{}: {}:{} is the address of {} already", wanted.name.text, server.ip,
                  wanted.address.port, other->second.text);
    const auto pid = running(server.files);
    if (!pid) {
      if (const auto free = port_is_free(wanted.address); !free)
        return tl::unexpected(free.error().within(wanted.name.text));
    } else if (const std::string option = outdated_option(server, command_line(*pid)); !option.empty()) {
      return tl::unexpected(Error{
          .trouble = Trouble::refused,
          .message =
              fmt::format("{}: it runs already (process {}), but without {}", wanted.name.text, *pid, option),
          .hint = "the file or the options have changed since: run `stemma sandbox down` first",
          .number = 0,
          .code = {}});
    }
  }
  return {};
}

}  // namespace stemma::sandbox
