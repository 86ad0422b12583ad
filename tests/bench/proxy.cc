// A wire of a given length: forwards TCP, every byte late by half the round trip.
//
//   bench_proxy RTT_MICROSECONDS LISTEN_PORT:TARGET_PORT...     (all on 127.0.0.1)
//
// Prints "ready" once it listens on every port, then runs until it is killed. The kernel finishes the
// client's handshake with us at once, so the handshake's round trip is made up for by opening the far
// side later: a server that speaks first is heard two round trips after connect(), as on a real wire.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <queue>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC, the timerfd's clock

/// One client and the server behind it.
struct Link {
  enum Side : std::size_t { client, server };
  std::array<int, 2> fd{-1, -1};
  Clock::time_point opens;
  in_port_t target = 0;

  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() {
    for (const int each : fd)
      if (each >= 0) close(each);
  }
};

/// What reaches a side when its time has come: the opening, some bytes, or (no bytes) the end.
struct Arrival {
  enum class Kind { open, bytes, end };
  Clock::time_point due;
  std::uint64_t order = 0;
  Kind kind = Kind::open;
  std::shared_ptr<Link> link;
  Link::Side to = Link::server;
  std::string bytes;
};

struct Later {
  bool operator()(const Arrival& a, const Arrival& b) const {
    return a.due != b.due ? a.due > b.due : a.order > b.order;
  }
};

int checked(int result, const char* what) {
  if (result < 0) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
  return result;
}

sockaddr_in loopback(in_port_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void set_flag(int fd, int level, int option) {
  const int on = 1;
  checked(setsockopt(fd, level, option, &on, sizeof on), "setsockopt");
}

class Proxy {
 public:
  explicit Proxy(std::chrono::microseconds rtt)
      : one_way_(rtt / 2),
        epoll_(checked(epoll_create1(0), "epoll_create1")),
        timer_(checked(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), "timerfd_create")) {
    watch(timer_);
  }

  void listen_on(in_port_t port, in_port_t target) {
    const int fd = checked(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket");
    set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
    const auto address = loopback(port);
    checked(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
    checked(listen(fd, SOMAXCONN), "listen");
    targets_[fd] = target;
    watch(fd);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 64> events{};
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      if (count < 0 && errno != EINTR) checked(count, "epoll_wait");
      for (int i = 0; i < count; ++i) handle(events[static_cast<std::size_t>(i)].data.fd);
      deliver_due();
      arm();
    }
  }

 private:
  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    checked(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }

  void handle(int fd) {
    if (fd == timer_) {
      std::uint64_t ticks = 0;
      if (read(timer_, &ticks, sizeof ticks) < 0 && errno != EAGAIN) checked(-1, "read");
    } else if (const auto listener = targets_.find(fd); listener != targets_.end()) {
      accept_from(fd, listener->second);
    } else if (const auto end = ends_.find(fd); end != ends_.end()) {
      const auto [link, side] = end->second;
      read_from(link, side);
    }
  }

  void accept_from(int listener, in_port_t target) {
    const int fd = accept(listener, nullptr, nullptr);
    if (fd < 0) return;  // the client is gone already
    auto link = std::make_shared<Link>();
    link->fd[Link::client] = fd;
    link->target = target;
    // The handshake's round trip, and the last ACK's way.
    link->opens = Clock::now() + 3 * one_way_;
    adopt(link, Link::client);
    schedule({link->opens, 0, Arrival::Kind::open, link, Link::server, {}});
  }

  void adopt(const std::shared_ptr<Link>& link, Link::Side side) {
    const int fd = link->fd[side];
    set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
    ends_[fd] = {link, side};
    watch(fd);
  }

  void read_from(const std::shared_ptr<Link>& link, Link::Side side) {
    std::array<char, 65536> buffer;
    const auto size = recv(link->fd[side], buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    const auto due = std::max(Clock::now() + one_way_, link->opens);
    const auto to = side == Link::client ? Link::server : Link::client;
    if (size > 0) {
      schedule({due, 0, Arrival::Kind::bytes, link, to, {buffer.data(), static_cast<std::size_t>(size)}});
    } else {
      forget(link->fd[side]);
      schedule({due, 0, Arrival::Kind::end, link, to, {}});
    }
  }

  void schedule(Arrival arrival) {
    arrival.order = ++order_;
    arrivals_.push(std::move(arrival));
  }

  void deliver_due() {
    while (!arrivals_.empty() && arrivals_.top().due <= Clock::now()) {
      const Arrival arrival = arrivals_.top();
      arrivals_.pop();
      deliver(arrival);
    }
  }

  void deliver(const Arrival& arrival) {
    Link& link = *arrival.link;
    if (arrival.kind == Arrival::Kind::open) {
      const auto address = loopback(link.target);
      const int fd = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
      link.fd[Link::server] = fd;
      if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
        end(link, Link::client);
      else
        adopt(arrival.link, Link::server);
    } else if (arrival.kind == Arrival::Kind::bytes) {
      // Blocking: what the two sides say is far smaller than a socket's buffer. A failure shows on reading.
      send(link.fd[arrival.to], arrival.bytes.data(), arrival.bytes.size(), MSG_NOSIGNAL);
    } else {
      end(link, arrival.to);
    }
  }

  /// Nothing more comes for this side. The descriptors close with the last reference to the link.
  void end(const Link& link, Link::Side side) {
    shutdown(link.fd[side], SHUT_WR);
    if (side == Link::client) forget(link.fd[side]);
  }

  void forget(int fd) {
    if (ends_.erase(fd) > 0) checked(epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr), "epoll_ctl");
  }

  void arm() const {
    itimerspec when{};  // all zero: off
    if (!arrivals_.empty()) {
      const auto due = arrivals_.top().due.time_since_epoch();
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(due);
      when.it_value.tv_sec = seconds.count();
      when.it_value.tv_nsec = std::chrono::duration_cast<std::chrono::nanoseconds>(due - seconds).count();
    }
    checked(timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr), "timerfd_settime");
  }

  std::chrono::microseconds one_way_;
  int epoll_;
  int timer_;
  std::uint64_t order_ = 0;
  std::unordered_map<int, in_port_t> targets_;                                  // by listening socket
  std::unordered_map<int, std::pair<std::shared_ptr<Link>, Link::Side>> ends_;  // by connected socket
  std::priority_queue<Arrival, std::vector<Arrival>, Later> arrivals_;
};

in_port_t parse_port(const std::string& text) { return static_cast<in_port_t>(std::stoul(text)); }

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 2) {
    std::cerr << "usage: bench_proxy RTT_MICROSECONDS LISTEN_PORT:TARGET_PORT...\n";
    return 1;
  }
  try {
    Proxy proxy(std::chrono::microseconds(std::stol(words[0])));
    for (std::size_t i = 1; i < words.size(); ++i) {
      const auto colon = words[i].find(':');
      proxy.listen_on(parse_port(words[i].substr(0, colon)), parse_port(words[i].substr(colon + 1)));
    }
    std::cout << "ready" << std::endl;
    proxy.run();
  } catch (const std::exception& error) {
    std::cerr << "bench_proxy: " << error.what() << '\n';
    return 1;
  }
}
