// The system's certificate authorities, which the client libraries read although nothing is verified by them.
#pragma once

namespace stemma::mysql {

// While one lives, this thread's connections do without the system's certificate authorities. Both client libraries read
// them on each connect that meets TLS, unless a CA is named, whatever is to be verified, and have no way to be told not
// to (Connector/C 3.3: ma_tls_set_certs; Oracle's: new_VioSSLFd): with OpenSSL 3.0 some 40 ms of processor time each, four
// fifths of what `stemma status` took. Nothing of ours needs them: who wants verification has to name a CA.
class WithoutSystemAuthorities {
 public:
  WithoutSystemAuthorities();
  ~WithoutSystemAuthorities();
  WithoutSystemAuthorities(const WithoutSystemAuthorities&) = delete;
  WithoutSystemAuthorities& operator=(const WithoutSystemAuthorities&) = delete;
};

}  // namespace stemma::mysql
