#include "plans/tls_trouble.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace stemma {
namespace {

struct Row {
  std::string_view said;  // in small letters
  TlsTrouble about;
};
// The first that fits.
constexpr std::array kRows = {
    Row{"does not support it", TlsTrouble::not_offered},
    Row{"doesn't support it", TlsTrouble::not_offered},
    Row{"ca certificate is required", TlsTrouble::no_authority},
    Row{"not yet valid or expired", TlsTrouble::expired},
    Row{"expired", TlsTrouble::expired},
    Row{"not yet valid", TlsTrouble::not_yet_valid},
    Row{"validation of ssl server certificate", TlsTrouble::other_name},
    Row{"hostname verification", TlsTrouble::other_name},
    Row{"hostname mismatch", TlsTrouble::other_name},
    Row{"ip address mismatch", TlsTrouble::other_name},
    Row{"certificate validation failure", TlsTrouble::other_name},  // MariaDB's receiver
    Row{"failed to verify the server certificate",
        TlsTrouble::no_authority},  // the same, verifying without a CA
    Row{"key values mismatch", TlsTrouble::own_pair},
    Row{"private key does not match", TlsTrouble::own_pair},
    Row{"no such file", TlsTrouble::own_files},
    Row{"set_default_verify_paths", TlsTrouble::own_files},
    Row{"unable to get certificate", TlsTrouble::own_files},
    Row{"unable to get private key", TlsTrouble::own_files},
    Row{"self-signed certificate", TlsTrouble::other_authority},
    Row{"self signed certificate", TlsTrouble::other_authority},
    Row{"issuer certificate", TlsTrouble::other_authority},
    Row{"not trusted", TlsTrouble::other_authority},
    Row{"verify failed", TlsTrouble::not_verified},
    Row{"lib(0)::reason(0)", TlsTrouble::not_verified},  // MariaDB's receiver asks OpenSSL too late
    Row{"no protocols available", TlsTrouble::no_version},
    Row{"unsupported protocol", TlsTrouble::no_version},
    Row{"protocol version", TlsTrouble::no_version},
};

}  // namespace

TlsTrouble tls_trouble(std::string_view said) {
  std::string small(said);
  std::transform(small.begin(), small.end(), small.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const Row& row : kRows)
    if (small.find(row.said) != std::string::npos) return row.about;
  return TlsTrouble::unknown;
}

}  // namespace stemma
