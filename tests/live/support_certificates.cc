#include "tests/live/support_certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <stdexcept>

namespace stemma::live {
namespace {

constexpr long kDay = 24L * 60 * 60;

void must(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("OpenSSL can't ") + what);
}

struct Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(std::FILE* file) const { std::fclose(file); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

void extend(X509* certificate, int kind, const std::string& value) {
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()));
  must(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "add an extension");
}

Owned<std::FILE> open(const std::filesystem::path& path) {
  Owned<std::FILE> file(std::fopen(path.c_str(), "w"));
  must(file != nullptr, "write a file");
  return file;
}

}  // namespace

struct Authority::Pair {
  Owned<X509> certificate;
  Owned<EVP_PKEY> key;

  Pair(const std::string& name, long from, long until)
      : certificate(X509_new()), key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")) {
    static std::atomic<long> serial{1};
    X509* const made = certificate.get();
    must(made != nullptr && key, "make a key");
    must(X509_set_version(made, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(made), serial++) == 1 &&
             X509_gmtime_adj(X509_getm_notBefore(made), from) != nullptr &&
             X509_gmtime_adj(X509_getm_notAfter(made), until) != nullptr &&
             X509_set_pubkey(made, key.get()) == 1,
         "make a certificate");
    must(X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0) == 1,
         "name a certificate");
  }
  void sign_by(const Pair& authority) {
    must(X509_set_issuer_name(certificate.get(), X509_get_subject_name(authority.certificate.get())) == 1 &&
             X509_sign(certificate.get(), authority.key.get(), EVP_sha256()) > 0,
         "sign a certificate");
  }
  void write(const std::string& pem, const std::string& key_file) const {
    must(
        PEM_write_X509(open(pem).get(), certificate.get()) == 1 &&
            PEM_write_PrivateKey(open(key_file).get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
        "write a certificate");
  }
};

Authority::Authority(std::filesystem::path directory, const std::string& name)
    : directory_(std::move(directory)), name_(name), own_(std::make_unique<Pair>(name, -2 * kDay, 2 * kDay)) {
  std::filesystem::create_directories(directory_);
  extend(own_->certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  extend(own_->certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  own_->sign_by(*own_);
  own_->write(pem(name), key(name));
}

Authority::~Authority() = default;

void Authority::sign(const std::string& name, const std::string& names, bool expired) const {
  Pair made(name, -2 * kDay, expired ? -kDay : kDay);
  extend(made.certificate.get(), NID_subject_alt_name, names);
  made.sign_by(*own_);
  made.write(pem(name), key(name));
}

std::vector<std::string> Authority::server_options(const std::string& name) const {
  return {"--ssl-ca=" + ca(), "--ssl-cert=" + pem(name), "--ssl-key=" + key(name)};
}

}  // namespace stemma::live
