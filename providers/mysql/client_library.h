// What differs between MariaDB Connector/C and Oracle's libmysqlclient: all of it, and nothing else.
// Only providers/mysql/connection.cc includes this; no other file sees mysql.h.
#pragma once

#include <mysql/mysql.h>

#include <cstdarg>
#include <cstddef>
#include <cstdlib>
#include <mutex>
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

// Gives `tls` the same meaning with both libraries, with one rest: Connector/C 3.4 connects in plain text
// when the server has no TLS, so who asked for TLS must look at the cipher afterwards.
inline void set_tls(MYSQL* handle, const Tls& tls) {
  Flag encrypt = tls.mode != TlsMode::disabled ? 1 : 0;
  Flag verify = tls.mode == TlsMode::verify_identity ? 1 : 0;
#if MARIADB_PACKAGE_VERSION_ID >= 30400
  // 3.4 checks the chain and the host name together or not at all; 3.3 checks the chain by the mere
  // presence of a CA. So verify_ca is stricter with 3.4, never weaker.
  if (tls.mode == TlsMode::verify_ca) verify = 1;
#endif
#if MARIADB_PACKAGE_VERSION_ID < 30400
  // ENFORCE only asks. Once there is a fingerprint to compare, a server without TLS is turned away before the
  // login begins; an empty one is then not compared.
  if (tls.mode >= TlsMode::required) mysql_options(handle, MARIADB_OPT_TLS_PEER_FP, "");
#endif
  if (encrypt) mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &encrypt);
  mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  if (tls.mode == TlsMode::disabled) return;
  set_client_certificate(handle, tls);
  // A CA would make 3.3 verify the chain in every mode.
  if (tls.mode >= TlsMode::verify_ca) mysql_options(handle, MYSQL_OPT_SSL_CA, path_or_null(tls.ca));
}

// Whether the library compares the name in a certificate with this host. Connector/C from 3.4.2 on does not where the
// host is spelled so (is_local_connection in plugins/auth/my_auth.c), though behind a tunnel it is another machine.
inline bool compares_name_with(const std::string& host) {
#if MARIADB_PACKAGE_VERSION_ID >= 30400
  return host != "127.0.0.1" && host != "::1";
#else
  (void)host;
  return true;
#endif
}

// A login plugin, as mysql/client_plugin.h has it, which includes a header that is not installed.
struct LoginPlugin {
  int type;
  unsigned interface_version;
  const char *name, *author, *description;
  unsigned version[3];
  const char* license;
  void* api;
  int (*init)(char*, std::size_t, int, std::va_list);
  int (*deinit)();
  int (*options)(const char*, const void*);
  int (*log_in)(void* wire, MYSQL*);
};
constexpr int kLoginPlugin = 2;

// Connector/C's caching_sha2_password takes TLS asked for as TLS there (is_connection_secure, seen in 3.3.20): to a
// server without any it sends the password itself, in the clear. Told when the login begins that TLS is not asked for
// after all, it encrypts the password with the server's RSA key, which it fetches unasked.
inline void prepare_sha2_password(MYSQL* handle) {
  static decltype(LoginPlugin::log_in) original = nullptr;
  static std::once_flag once;
  std::call_once(once, [&] {
    auto* const plugin = reinterpret_cast<LoginPlugin*>(
        mysql_client_find_plugin(handle, "caching_sha2_password", kLoginPlugin));
    if (plugin == nullptr) return;  // then nobody logs in by it
    original = plugin->log_in;
    plugin->log_in = [](void* wire, MYSQL* mysql) {
      unsigned long offered = CLIENT_SSL;
      mariadb_get_infov(mysql, MARIADB_CONNECTION_SERVER_CAPABILITIES, &offered);
      const char* must_encrypt = nullptr;
      mysql_get_option(mysql, MARIADB_OPT_TLS_PEER_FP, &must_encrypt);
      if ((offered & CLIENT_SSL) == 0 && must_encrypt == nullptr) {
        const Flag no = 0;
        mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &no);
        mysql_options(mysql, MYSQL_OPT_SSL_CERT, nullptr);
        mysql_options(mysql, MYSQL_OPT_SSL_KEY, nullptr);
      }
      return original(wire, mysql);
    };
  });
}

// What in the environment makes the library verify nothing, whatever it is told; nullptr: nothing.
inline const char* switch_against_verification() {
  constexpr const char* name = "MARIADB_TLS_DISABLE_PEER_VERIFICATION";  // Connector/C 3.4
  return std::getenv(name) == nullptr ? nullptr : name;
}

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

inline bool compares_name_with(const std::string&) { return true; }

// Without it caching_sha2_password over plain TCP ends in 2061 unless the server has the login cached.
inline void prepare_sha2_password(MYSQL* handle) {
  Flag yes = true;
  mysql_options(handle, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &yes);
}

inline const char* switch_against_verification() { return nullptr; }

#endif

}  // namespace stemma::mysql::library
