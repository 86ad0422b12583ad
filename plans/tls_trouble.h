// What a failed TLS handshake was about, told from the words of whichever library or server reports it.
#pragma once

#include <string_view>

namespace stemma {

enum class TlsTrouble {
  unknown,
  not_offered,      // the other side has no TLS
  other_authority,  // its certificate is signed by another than the given one
  not_verified,     // its certificate did not stand the test, and nothing says why
  other_name,       // its certificate is made out for another host
  expired,
  not_yet_valid,
  no_authority,  // nothing to verify with was given
  own_files,     // the own ca, cert or key can't be read
  own_pair,      // the own cert and key don't belong together
  no_version,    // no common version of TLS
};

// `said`: the text of error 2026, as of MariaDB Connector/C 3.3 and 3.4, libmysqlclient, or a receiver's Last_IO_Error.
TlsTrouble tls_trouble(std::string_view said);

}  // namespace stemma
