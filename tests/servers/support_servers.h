// Which server the suites run on: STEMMA_TEST_SERVER names one of tests/servers/fetch.sh, and it must be
// here. Without it, it is the machine's own. A suite never leaves a test out because a server is missing:
// that is for tests/run.sh to decide, and to say.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stemma::test {

struct TestServer {
  std::string name;                   // "mysql-9.7"; "the machine's own" when nobody chose one
  std::optional<std::string> binary;  // for `--server-binary`; none: what is on PATH
};

// Throws std::runtime_error, which fails the test that asks, when the chosen server is not here.
const TestServer& test_server();
bool on_server(std::string_view name);  // "mysql-5.6"; never true of the machine's own
bool on_mysql();                        // any of fetch.sh's; the machine's own is MariaDB

// What --server-binary takes for a server of fetch.sh, or an empty text and `why` when it is not here.
std::string find_server(const std::string& name, std::string& why);

}  // namespace stemma::test
