#include "tests/servers/support_servers.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace stemma::test {
namespace {

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string output;
  std::array<char, 512> part{};
  while (pipe && std::fgets(part.data(), part.size(), pipe.get()) != nullptr) output += part.data();
  return output;
}

TestServer choose() {
  const char* chosen = std::getenv("STEMMA_TEST_SERVER");
  if (chosen == nullptr || *chosen == '\0') return {.name = "the machine's own", .binary = std::nullopt};
  std::string why;
  std::string binary = find_server(chosen, why);
  if (binary.empty()) throw std::runtime_error("STEMMA_TEST_SERVER=" + std::string(chosen) + ": " + why);
  return {.name = chosen, .binary = std::move(binary)};
}

}  // namespace

const TestServer& test_server() {
  static const TestServer server = choose();
  return server;
}

bool on_server(std::string_view name) { return test_server().name == name; }

bool on_mysql() { return test_server().name.starts_with("mysql"); }

std::string find_server(const std::string& name, std::string& why) {
  if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") != std::string::npos) {
    why = "there is no server of that name";
    return {};
  }
  // NAME  VERSION  PLACE, or the reason in PLACE's stead
  const std::string line = output_of(STEMMA_SOURCE_DIR "/tests/servers/fetch.sh --list " + name);
  const auto version = line.find_first_not_of(' ', line.find(' '));
  const auto place = line.find_first_not_of(' ', line.find(' ', version));
  if (place == std::string::npos) {
    why = "there is no server of that name";
    return {};
  }
  std::string text = line.substr(place, line.find('\n') - place);
  if (!text.starts_with("not had: ")) return text;
  why = text;
  return {};
}

}  // namespace stemma::test
