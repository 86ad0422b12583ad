// What differs between MariaDB Connector/C and Oracle's libmysqlclient: all of it, and nothing else.
// Only providers/mysql/connection.cc includes this; no other file sees mysql.h.
#pragma once

#include <mysql/mysql.h>

#include <string>

#include "plans/topology.h"

namespace stemma::mysql::library {

inline const char* path_or_null(const std::string& path) { return path.empty() ? nullptr : path.c_str(); }

inline void set_client_certificate(MYSQL* handle, const Tls& tls) {
  if (!tls.cert.empty()) mysql_options(handle, MYSQL_OPT_SSL_CERT, tls.cert.c_str());
  if (!tls.key.empty()) mysql_options(handle, MYSQL_OPT_SSL_KEY, tls.key.c_str());
}

#if defined(LIBMARIADB) || defined(MARIADB_PACKAGE_VERSION_ID)

using Flag = my_bool;  // Oracle's 8.0 dropped the type

// Gives `tls` the same meaning with both libraries, with one rest: Connector/C connects in plain text
// when the server has no TLS, so who asked for TLS must look at the cipher afterwards.
inline void set_tls(MYSQL* handle, const Tls& tls) {
  Flag encrypt = tls.mode != TlsMode::disabled ? 1 : 0;
  Flag verify = tls.mode == TlsMode::verify_identity ? 1 : 0;
#if MARIADB_PACKAGE_VERSION_ID >= 30400
  // 3.4 checks the chain and the host name together or not at all; 3.3 checks the chain by the mere
  // presence of a CA. So verify_ca is stricter with 3.4, never weaker.
  if (tls.mode == TlsMode::verify_ca) verify = 1;
#endif
  if (encrypt) mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &encrypt);
  mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  if (tls.mode == TlsMode::disabled) return;
  set_client_certificate(handle, tls);
  // A CA would make 3.3 verify the chain in every mode. Without one it loads the system's bundle on
  // each connect that meets TLS (33-57 ms), and has no way to be told not to.
  if (tls.mode >= TlsMode::verify_ca) mysql_options(handle, MYSQL_OPT_SSL_CA, path_or_null(tls.ca));
}

// Connector/C fetches the server's RSA key unasked.
inline void allow_public_key_fetch(MYSQL*) {}

#else

using Flag = bool;

inline void set_tls(MYSQL* handle, const Tls& tls) {
  unsigned int mode = SSL_MODE_DISABLED;
  switch (tls.mode) {
    case TlsMode::disabled: mode = SSL_MODE_DISABLED; break;
    case TlsMode::preferred: mode = SSL_MODE_PREFERRED; break;
    case TlsMode::required: mode = SSL_MODE_REQUIRED; break;
    case TlsMode::verify_ca: mode = SSL_MODE_VERIFY_CA; break;
    case TlsMode::verify_identity: mode = SSL_MODE_VERIFY_IDENTITY; break;
  }
  mysql_options(handle, MYSQL_OPT_SSL_MODE, &mode);
  if (tls.mode == TlsMode::disabled) return;
  set_client_certificate(handle, tls);
  if (tls.mode >= TlsMode::verify_ca) mysql_options(handle, MYSQL_OPT_SSL_CA, path_or_null(tls.ca));
}

// Without it caching_sha2_password over plain TCP ends in 2061 unless the server has the login cached.
inline void allow_public_key_fetch(MYSQL* handle) {
  Flag yes = true;
  mysql_options(handle, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &yes);
}

#endif

}  // namespace stemma::mysql::library
