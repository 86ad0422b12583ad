#include "plans/tls_trouble.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace stemma {
namespace {

struct Phrase {
  std::string_view said;  // in small letters
  TlsTrouble about;
};
// The first that fits.
constexpr std::array kRows = {
    Phrase{"does not support it", TlsTrouble::not_offered},
    Phrase{"doesn't support it", TlsTrouble::not_offered},
    Phrase{"ca certificate is required", TlsTrouble::no_authority},
    Phrase{"not yet valid or expired", TlsTrouble::expired},
    Phrase{"expired", TlsTrouble::expired},
    Phrase{"not yet valid", TlsTrouble::not_yet_valid},
    Phrase{"validation of ssl server certificate", TlsTrouble::other_name},
    Phrase{"hostname verification", TlsTrouble::other_name},
    Phrase{"hostname mismatch", TlsTrouble::other_name},
    Phrase{"ip address mismatch", TlsTrouble::other_name},
    Phrase{"certificate validation failure", TlsTrouble::other_name},  // MariaDB's receiver
    Phrase{"failed to verify the server certificate",
           TlsTrouble::no_authority},  // the same, verifying without a CA
    Phrase{"key values mismatch", TlsTrouble::own_pair},
    Phrase{"private key does not match", TlsTrouble::own_pair},
    Phrase{"no such file", TlsTrouble::own_files},
    Phrase{"set_default_verify_paths", TlsTrouble::own_files},
    Phrase{"unable to get certificate", TlsTrouble::own_files},
    Phrase{"unable to get private key", TlsTrouble::own_files},
    Phrase{"self-signed certificate", TlsTrouble::other_authority},
    Phrase{"self signed certificate", TlsTrouble::other_authority},
    Phrase{"issuer certificate", TlsTrouble::other_authority},
    Phrase{"not trusted", TlsTrouble::other_authority},
    Phrase{"verify failed", TlsTrouble::not_verified},
    Phrase{"reason(0)", TlsTrouble::not_verified},  // MariaDB's receiver asks OpenSSL too late
    Phrase{"no protocols available", TlsTrouble::no_version},
    Phrase{"unsupported protocol", TlsTrouble::no_version},
    Phrase{"protocol version", TlsTrouble::no_version},
};

}  // namespace

TlsTrouble tls_trouble(std::string_view said) {
  std::string small(said);
  std::transform(small.begin(), small.end(), small.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const Phrase& row : kRows)
    if (small.find(row.said) != std::string::npos) return row.about;
  return TlsTrouble::unknown;
}

}  // namespace stemma
