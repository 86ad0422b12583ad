#include "providers/sandbox/ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

namespace stemma::sandbox {
namespace fs = std::filesystem;
namespace {

// The inodes of the sockets that listen on a port, whichever address: a wildcard takes all of them.
std::set<std::string> listening_inodes(std::uint16_t port) {
  std::set<std::string> inodes;
  const std::string wanted = fmt::format(":{:04X}", port);
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(table);
    std::string line;
    std::getline(file, line);  // the heading
    while (std::getline(file, line)) {
      std::istringstream fields(line);
      std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
      fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode;
      constexpr std::string_view listening = "0A";
      if (state == listening && local.ends_with(wanted)) inodes.insert(inode);
    }
  }
  return inodes;
}

std::optional<std::string> name_of_process(const std::string& pid) {
  std::string name;
  std::getline(std::ifstream("/proc/" + pid + "/comm"), name);
  if (name.empty()) return std::nullopt;
  return name;
}

// "mariadbd, process 4711", or nothing: other users' processes keep their files to themselves.
std::optional<std::string> port_holder(std::uint16_t port) {
  const auto inodes = listening_inodes(port);
  if (inodes.empty()) return std::nullopt;
  std::error_code skip;
  for (const auto& process : fs::directory_iterator("/proc", skip)) {
    const std::string pid = process.path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    std::error_code denied;
    for (const auto& descriptor : fs::directory_iterator(process.path() / "fd", denied)) {
      std::error_code closed;
      const std::string target = fs::read_symlink(descriptor.path(), closed).string();
      constexpr std::string_view prefix = "socket:[";
      if (!target.starts_with(prefix)) continue;
      if (!inodes.contains(target.substr(prefix.size(), target.size() - prefix.size() - 1))) continue;
      return fmt::format("{}, process {}", name_of_process(pid).value_or("a program"), pid);
    }
  }
  return std::nullopt;
}

// 0 or the errno of a trial bind().
int try_bind(const std::string& ip, std::uint16_t port) {
  sockaddr_storage storage{};
  socklen_t length = 0;
  if (ip.find(':') != std::string::npos) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    inet_pton(AF_INET6, ip.c_str(), &v6->sin6_addr);
    length = sizeof *v6;
  } else {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    inet_pton(AF_INET, ip.c_str(), &v4->sin_addr);
    length = sizeof *v4;
  }
  const int descriptor = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return errno;
  // As the server does: connections of an earlier server that linger in TIME_WAIT are no obstacle.
  const int yes = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const int failure = bind(descriptor, reinterpret_cast<sockaddr*>(&storage), length) == 0 ? 0 : errno;
  close(descriptor);
  return failure;
}

}  // namespace

std::string loopback_ip(const Address& address) {
  if (!address.socket.empty()) return {};
  if (strcasecmp(address.host.c_str(), "localhost") == 0) return "127.0.0.1";
  in_addr v4{};
  if (inet_pton(AF_INET, address.host.c_str(), &v4) == 1)
    return (ntohl(v4.s_addr) >> 24) == 127 ? address.host : std::string();
  in6_addr v6{};
  if (inet_pton(AF_INET6, address.host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6)) return "::1";
  return {};
}

Result<void> port_is_free(const Address& address) {
  const int failure = try_bind(loopback_ip(address), address.port);
  if (failure == 0) return {};
  Error error{.trouble = Trouble::refused,
              .message = fmt::format("port {} can't be used: {}", address.port, std::strerror(failure)),
              .hint = "choose another port in the file",
              .number = 0,
              .code = {}};
  if (failure == EADDRINUSE) {
    const auto holder = port_holder(address.port);
    error.message =
        fmt::format("port {} is already taken{}{}", address.port, holder ? " by " : "", holder.value_or(""));
    error.hint = "stop what listens there, or choose another port in the file";
  }
  return tl::unexpected(std::move(error));
}

}  // namespace stemma::sandbox
