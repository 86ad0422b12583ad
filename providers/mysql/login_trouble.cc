#include "providers/mysql/login_trouble.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "plans/tls_trouble.h"

namespace stemma::mysql {
namespace {

// Numbers that both libraries share. Connector/C says 2002 where Oracle's says 2003.
constexpr unsigned kSocketFailed = 2002, kHostFailed = 2003, kUnknownHost = 2005;
constexpr unsigned kServerLost = 2013, kTlsFailed = 2026, kServerLostExtended = 2055;

std::string tls_hint(const std::string& said, const Address& address) {
  switch (tls_trouble(said)) {
    case TlsTrouble::not_offered:
      return "the server offers no TLS: give it a certificate (ssl_cert, ssl_key), or set tls to "
             "\"preferred\"";
    case TlsTrouble::not_verified:  // Oracle's library, whatever it was
      return fmt::format(
          "the server's certificate did not stand the test, and the client library does not say why: it is "
          "not signed by the authority in `ca`, has expired (renew it on the server), or is not made out for "
          "'{}'",
          address.host);
    case TlsTrouble::other_authority:
      return "the server's certificate is not signed by the authority in `ca`: name the one that signed it, "
             "or give the server a certificate of this one";
    case TlsTrouble::other_name:
      return fmt::format(
          "the server's certificate is not made out for '{}': reach it by a name that the certificate has, "
          "give it one with this name (subjectAltName), or set tls to \"verify-ca\", which compares no names "
          "(but for MariaDB Connector/C 3.4, where only \"required\" does not)",
          address.host);
    case TlsTrouble::expired:
      return "the server's certificate has expired, or this machine's clock is wrong: renew it on the server "
             "(ssl_cert)";
    case TlsTrouble::not_yet_valid:
      return "the server's certificate is not valid yet: check the clocks of the two machines";
    case TlsTrouble::own_pair: return "the `cert` and the `key` of this login don't belong together";
    case TlsTrouble::no_version:
      return "this machine and the server speak no common version of TLS: see the server's tls_version";
    case TlsTrouble::own_files:
      return "the `cert` and the `key` of this login are no files in PEM form, or don't belong together";
    case TlsTrouble::no_authority:
    case TlsTrouble::unknown: break;
  }
  return "check the TLS mode and the ca, cert and key of this login, and the server's certificate";
}

}  // namespace

std::string connect_hint(unsigned number, const std::string& said, const Address& address) {
  // Connector/C's words for what the server said before TLS was up: its number is inside.
  constexpr std::string_view inside = "cannot be verified: ";
  if (const auto at = said.find(inside); at != std::string::npos) {
    const auto of_server = std::strtoul(said.c_str() + at + inside.size(), nullptr, 10);
    if (of_server >= 1000 && of_server < 2000)
      return connect_hint(static_cast<unsigned>(of_server), said.substr(at + inside.size()), address);
  }
  switch (number) {
    case kSocketFailed:
    case kHostFailed:
      return address.socket.empty()
                 ? fmt::format(
                       "nothing accepts connections at {}: check host, port, the server's "
                       "bind_address, and firewalls",
                       to_text(address))
                 : fmt::format("check that the server runs and that its socket is {}", address.socket);
    case kUnknownHost:
      return fmt::format("check the spelling of '{}', and DNS on this machine", address.host);
    case kServerLost:
    case kServerLostExtended:
      return fmt::format(
          "something at {} took the connection and then fell silent or closed it: check that "
          "it is a MySQL or MariaDB server, and that it is not overloaded",
          to_text(address));
    case kTlsFailed: return tls_hint(said, address);
    case 1040:
    case 1203: return "raise max_connections, or close what holds them";
    case 1130: return "no account of the server has a host pattern that matches this machine";
    case 3159:
    case 2061: return "the server wants this login encrypted: set tls to \"required\"";
    case 2049:
    case 2059:
      return "this client library lacks the account's authentication plugin: give the account another one";
    default: return "check user and password, and the host pattern, plugin and REQUIRE clause of the account";
  }
}

Result<void> check_tls(const Tls& tls, const char* switched_off) {
  const auto wrong = [](std::string message, std::string hint) -> Result<void> {
    return tl::unexpected(Error{.trouble = Trouble::unreachable,
                                .message = std::move(message),
                                .hint = std::move(hint),
                                .number = 0,
                                .code = {}});
  };
  if (tls.mode == TlsMode::disabled) return {};
  const bool verifies = tls.mode >= TlsMode::verify_ca;
  if (verifies && tls.ca.empty())
    return wrong("the server's certificate can't be verified without a CA",
                 "name the CA's file with `ca` beside `tls`");
  if (verifies && switched_off != nullptr)
    return wrong(fmt::format("{} is set, so that no certificate would be verified", switched_off),
                 "take it out of the environment");
  for (const auto& [key, file] : {std::pair{"ca", &tls.ca}, {"cert", &tls.cert}, {"key", &tls.key}})
    if (!file->empty() && (verifies || key != std::string_view("ca")) && ::access(file->c_str(), R_OK) != 0)
      return wrong(fmt::format("can't read {} = \"{}\": {}", key, *file, std::strerror(errno)),
                   "a file in PEM form, on this machine, which this user may read");
  return {};
}

Error name_not_compared(const std::string& host) {
  return {
      .trouble = Trouble::unreachable,
      .message = fmt::format("this client library does not compare the name in a certificate with {}", host),
      .hint = "write the address as localhost, or set tls to \"verify-ca\"",
      .number = 0,
      .code = {}};
}

}  // namespace stemma::mysql
