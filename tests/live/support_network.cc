#include "tests/live/support_network.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace stemma::live {
namespace {

void shell(const std::string& command) {
  // NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): fixed words
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

}  // namespace

PrivateNetwork::PrivateNetwork() : before_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
  if (before_ < 0 || ::unshare(CLONE_NEWNET) != 0)
    throw std::runtime_error(
        fmt::format("no network of its own (as root it can be had): {}", std::strerror(errno)));
  try {
    shell(
        "ip link set lo up && nft 'add table inet cut; add chain inet cut both { type filter hook input "
        "priority 0; }'");
  } catch (...) {
    leave();
    throw;
  }
}

PrivateNetwork::~PrivateNetwork() { leave(); }

void PrivateNetwork::leave() const {
  ::setns(before_, CLONE_NEWNET);
  ::close(before_);
}

void PrivateNetwork::cut(const std::string& ip, int port) const {
  shell(fmt::format(
      "nft 'add rule inet cut both ip daddr {0} tcp dport {1} drop; add rule inet cut both ip saddr {0} "
      "tcp sport {1} drop'",
      ip, port));
}

void PrivateNetwork::heal() const { shell("nft flush chain inet cut both"); }

}  // namespace stemma::live
