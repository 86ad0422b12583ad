#include "providers/mysql/system_authorities.h"

#include <dlfcn.h>

namespace stemma::mysql {
namespace {

thread_local bool unwanted = false;

}  // namespace

WithoutSystemAuthorities::WithoutSystemAuthorities() { unwanted = true; }
WithoutSystemAuthorities::~WithoutSystemAuthorities() { unwanted = false; }

}  // namespace stemma::mysql

struct ssl_ctx_st;

// OpenSSL's function as the client library finds it: a program's own symbols come before those of the libraries that it
// is linked with. Everybody else who calls it gets OpenSSL's.
extern "C" int SSL_CTX_set_default_verify_paths(ssl_ctx_st* context) {
  if (stemma::mysql::unwanted) return 1;
  using Function = int(ssl_ctx_st*);
  auto* const of_openssl = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, "SSL_CTX_set_default_verify_paths"));
  return of_openssl == nullptr ? 0 : of_openssl(context);
}
