// The one way in which Stemma says that something went wrong.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace stemma {

// What kind of trouble it is decides what the caller does next; the message is for people.
enum class Trouble {
  input,        // a file or an argument that the user wrote is wrong
  unreachable,  // a server did not answer; later may be better
  denied,       // a server refused the login
  refused,      // a server answered a statement with "no"
  unsafe,       // going on could lose data
  stale,        // the servers are no longer what the plan was made from
  late,         // the goal did not come true within its time
  locked,       // another apply holds the lock
  interrupted,  // the user asked to stop
  bug,          // we broke a rule of our own
};

struct Error {
  Trouble trouble = Trouble::bug;
  std::string message;  // one sentence, lower case, no full stop
  std::string hint;     // what to do next; may be empty
  int number = 0;       // the server's or client library's error number, 0 if there is none
  std::string code;     // a code of the table in plans/finding.cc; may be empty

  // Says where it happened, outermost first: "replica-1: CHANGE MASTER: access denied".
  [[nodiscard]] Error within(std::string_view where) const {
    Error copy = *this;
    copy.message = fmt::format("{}: {}", where, message);
    return copy;
  }

  bool operator==(const Error&) const = default;
};

// A value or an Error. tl::expected 1.0 is not [[nodiscard]]; a dropped Result is a dropped error.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

template <class... Args>
tl::unexpected<Error> fail(Trouble trouble, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error{trouble, fmt::format(format, std::forward<Args>(args)...), {}, 0, {}});
}

}  // namespace stemma
