// A network of its own for a story: the loopback of a new network namespace, on which packets can be lost.
#pragma once

#include <string>

namespace stemma::live {

// While it lives, this thread, and the threads and processes that it starts, are in a namespace in which nobody else is. Wants
// root. Made before the story, and outlives it.
class PrivateNetwork {
 public:
  PrivateNetwork();
  ~PrivateNetwork();
  PrivateNetwork(const PrivateNetwork&) = delete;
  PrivateNetwork& operator=(const PrivateNetwork&) = delete;

  // From now on every packet from or to this address and port is lost, without a word to anybody.
  void cut(const std::string& ip, int port) const;
  void heal() const;

 private:
  void leave() const;
  int before_ = -1;  // the namespace that we came from
};

}  // namespace stemma::live
