// What each error of a receiver is taken for. The texts are those of the servers and libraries.
#include "plans/thread_hints.h"

#include "plans/tls_trouble.h"
#include "tests/catch.h"

using namespace stemma;

namespace {

Channel failed(int number, const std::string& text, bool tls = true, bool verify = true) {
  Channel channel;
  channel.host = "db1";
  channel.port = 3306;
  channel.user = "repl";
  channel.ca = "/ca.pem";
  channel.tls = tls;
  channel.verify = verify;
  channel.receiver_errno = number;
  channel.receiver_error = text;
  return channel;
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("what a failed TLS handshake was about") {
  struct Row {
    const char* said;
    TlsTrouble about;
  };
  const auto row = GENERATE(
      // Connector/C 3.3.20
      Row{"2026 TLS/SSL error: self-signed certificate in certificate chain", TlsTrouble::other_authority},
      Row{"2026 TLS/SSL error: certificate has expired", TlsTrouble::expired},
      Row{"2026 TLS/SSL error: Validation of SSL server certificate failed", TlsTrouble::other_name},
      Row{"2026 TLS/SSL error: key values mismatch", TlsTrouble::own_pair},
      Row{"2026 TLS/SSL error: No such file or directory (2)", TlsTrouble::own_files},
      Row{"2026 TLS/SSL error: SSL is required, but the server does not support it", TlsTrouble::not_offered},
      // MariaDB 10.11's and 11.8's receiver
      Row{"SSL connection error: SSL certificate validation failure", TlsTrouble::other_name},
      Row{"SSL connection error: Failed to verify the server certificate", TlsTrouble::no_authority},
      Row{"SSL connection error: error:00000000:lib(0)::reason(0)", TlsTrouble::not_verified},
      Row{"SSL connection error: error:00000000:lib(0):func(0):reason(0)", TlsTrouble::not_verified},  // 10.5
      Row{"SSL connection error: SSL_CTX_set_default_verify_paths failed", TlsTrouble::own_files},
      // MySQL 9.7's
      Row{"SSL connection error: error:0A000086:SSL routines::certificate verify failed",
          TlsTrouble::not_verified},
      Row{"SSL connection error: CA certificate is required if ssl-mode is VERIFY_CA or VERIFY_IDENTITY",
          TlsTrouble::no_authority},
      Row{"SSL connection error: SSL is required but the server doesn't support it", TlsTrouble::not_offered},
      Row{"SSL connection error: something else", TlsTrouble::unknown});
  INFO(row.said);
  CHECK(tls_trouble(row.said) == row.about);
}

TEST_CASE("what to do about a receiver that can't connect") {
  const std::string unverified =
      "message: SSL connection error: error:0A000086:SSL routines::certificate verify failed";
  CHECK(mentions(receiver_hint(failed(2026, unverified)),
                 "not signed by /ca.pem, or has expired, or is not made out for 'db1'"));
  CHECK_FALSE(mentions(receiver_hint(failed(2026, unverified, true, false)), "'db1'"));
  CHECK(
      mentions(receiver_hint(failed(2026, "SSL certificate validation failure")), "not made out for 'db1'"));
  CHECK(mentions(receiver_hint(failed(2026, "SSL_CTX_set_default_verify_paths failed")),
                 "can't read the channel's ca"));
  CHECK(mentions(receiver_hint(failed(1045, "Access denied")), "'repl' with another password"));
  CHECK_FALSE(mentions(receiver_hint(failed(1045, "Access denied")), "REQUIRE SSL"));
  CHECK(mentions(receiver_hint(failed(1045, "Access denied", false)), "REQUIRE SSL"));
  Channel beyond_ascii = failed(1045, "Access denied");
  CHECK_FALSE(mentions(receiver_hint(beyond_ascii), "utf8mb4"));
  beyond_ascii.user = "реплика";
  CHECK(mentions(receiver_hint(beyond_ascii), "character_set_server = utf8mb4"));
  CHECK(mentions(receiver_hint(failed(2059, "client_ed25519 cannot be loaded")), "plugin_dir"));
  CHECK(mentions(receiver_hint(failed(2003, "Can't connect")), "db1:3306"));
  CHECK(mentions(receiver_hint(failed(1236, "Could not find first log")), "provision the replica anew"));
  CHECK(receiver_hint(failed(1236, "A replica with the same server_uuid has connected")).empty());
}

TEST_CASE("what to do about an applier that stopped") {
  Channel channel;
  channel.applier_errno = 1062;
  CHECK(mentions(applier_hint(channel), "mend the data"));
  channel.applier_errno = 1594;
  channel.executed = {"mysql-bin.000007", 4711};
  CHECK(mentions(applier_hint(channel), "stands at mysql-bin.000007:4711"));
  channel.executed = {};
  CHECK(mentions(applier_hint(channel), "nor does it know where it stood"));
  channel.gtid = ChannelGtid::auto_position;
  CHECK(mentions(applier_hint(channel), "RESET REPLICA (SLAVE"));
  CHECK_FALSE(mentions(applier_hint(channel), "delay"));
  channel.name = "east";
  channel.delay = 60;
  CHECK(mentions(applier_hint(channel), "RESET REPLICA FOR CHANNEL 'east'"));
  CHECK(mentions(applier_hint(channel), "sets the delay of 60 s to 0"));
  channel.gtid = ChannelGtid::slave_pos;
  CHECK(mentions(applier_hint(channel), "the replica fetches anew what its source still has"));
}
