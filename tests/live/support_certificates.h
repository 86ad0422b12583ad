// A certificate authority that lives as long as its directory: what servers and channels are given to prove themselves by.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace stemma::live {

// Its own certificate and those that it has signed are PEM files in `directory`: NAME.pem and NAME.key.
class Authority {
 public:
  Authority(std::filesystem::path directory, const std::string& name);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  // `names` as a subjectAltName takes them: "DNS:localhost,IP:127.0.0.1". An expired one was good until yesterday.
  void sign(const std::string& name, const std::string& names, bool expired = false) const;
  [[nodiscard]] std::string pem(const std::string& name) const {
    return (directory_ / (name + ".pem")).string();
  }
  [[nodiscard]] std::string key(const std::string& name) const {
    return (directory_ / (name + ".key")).string();
  }
  // The authority's own certificate.
  [[nodiscard]] std::string ca() const { return pem(name_); }
  // Options that make a server prove itself by that certificate.
  [[nodiscard]] std::vector<std::string> server_options(const std::string& name) const;

 private:
  struct Pair;
  std::filesystem::path directory_;
  std::string name_;
  std::unique_ptr<Pair> own_;
};

}  // namespace stemma::live
