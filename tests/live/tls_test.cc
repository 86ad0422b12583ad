// TLS on real servers: stemma's own connections and the channels, each mode against certificates that are right, wrong
// and expired, and against servers without any.
#include <fmt/format.h>

#include "providers/mysql/reader.h"
#include "tests/catch.h"
#include "tests/live/support_certificates.h"
#include "tests/live/support_story.h"
#include "tests/servers/support_servers.h"

namespace stemma::live {
namespace {

namespace fs = std::filesystem;

// Removed with all that is in it. Other users' servers could not read a mode of 0700, but these are this user's own.
class Directory {
 public:
  Directory() {
    std::string name = (fs::temp_directory_path() / "stemma-tls-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("can't make " + name);
    path_ = name;
  }
  ~Directory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

const char* const kNoTls = "TLS|SSL is required";
const char* const kHere = "DNS:localhost,IP:127.0.0.1";

// An authority whose certificates the servers have, and one that nobody knows.
struct Certificates {
  Directory directory;
  Authority ours{directory.path(), "ours"}, strange{directory.path(), "strange"};
  Certificates() {
    ours.sign("server", kHere);
    ours.sign("elsewhere", "DNS:other.example");
    ours.sign("expired", kHere, true);
    ours.sign("client", "DNS:client");
  }
};

// From 11.4 on, MariaDB lets the password prove what the name in a certificate does not.
bool password_proves(Story& story) {
  return !test::on_mysql() &&
         mysql::parse_version(story.cell("primary", "SELECT VERSION()")) >= Version{11, 4, 0};
}

std::vector<std::string> without_tls() {
  return {test::on_server("mysql-9.7") ? "--tls-version=" : "--skip-ssl"};
}

Shape one_server(std::vector<std::string> options) {
  Shape shape;
  shape.servers = {{"primary", "", ""}};
  shape.host = "localhost";  // Connector/C 3.4 compares no name with 127.0.0.1
  shape.options = std::move(options);
  return shape;
}

const char* const kAdmin = "user = \"root\"\npassword = { env = \"LIVE_ADMIN_PASSWORD\" }\n";

struct Login {
  std::string tls, more;  // more: lines of [admin]
  std::string
      said;  // empty: the login succeeds; else a part of the finding: "this|that", by the client library
  std::string hint;
};

void expect_logins(Story& story, const Shape& shape, const std::vector<Login>& logins) {
  for (const Login& login : logins) {
    INFO(login.tls << " " << login.more);
    Shape with = shape;
    with.admin = fmt::format("{}tls = \"{}\"\n{}", kAdmin, login.tls, login.more);
    story.rewrite(with);
    const Ran drift = story.stemma({"drift", "--format", "json"});
    INFO(drift.all());
    if (login.said.empty()) {
      CHECK(drift.code == 0);
      continue;
    }
    CHECK(drift.code == 6);
    const json findings = drift.document().at("findings");
    REQUIRE(findings.size() == 1);
    CHECK(findings[0]["server"] == "primary");
    CHECK(findings[0]["code"] == "server.unreachable");
    const std::string message = findings[0]["message"];
    const auto bar = std::min(login.said.find('|'), login.said.size());
    CHECK((contains(message, login.said.substr(0, bar)) ||
           (bar < login.said.size() && contains(message, login.said.substr(bar + 1)))));
    const Ran told = story.stemma({"drift"});
    INFO(told.all());
    CHECK(contains(told.out, login.hint));
  }
}

}  // namespace

TEST_CASE("stemma's own logins are encrypted and verified as the file says", "[live][server][tls]") {
  if (test::on_server("mysql-5.6")) {
    // Its TLS is of a time that this machine's library does not speak any more: told, and never verified by mistake.
    const Shape shape = one_server({});
    Story story(shape);
    expect_logins(story, shape, {{"preferred", "", "", ""}, {"required", "", "2026|no TLS", "tls"}});
    return;
  }
  const Certificates certificates;
  const Authority& ours = certificates.ours;
  const std::string ca = fmt::format("ca = \"{}\"\n", ours.ca());
  const std::string strange = fmt::format("ca = \"{}\"\n", certificates.strange.ca());
  const std::string client =
      fmt::format("cert = \"{}\"\nkey = \"{}\"\n", ours.pem("client"), ours.key("client"));
  const std::string mixed =
      fmt::format("cert = \"{}\"\nkey = \"{}\"\n", ours.pem("client"), ours.key("server"));
  const std::string untrusted = "is not signed by the authority in `ca`";
  const Shape shape = one_server(ours.server_options("server"));
  Story story(shape);

  expect_logins(
      story, shape,
      {{"disabled", "", "", ""},
       {"preferred", "", "", ""},
       {"required", "", "", ""},
       {"verify-ca", ca, "", ""},
       {"verify-identity", ca, "", ""},
       {"verify-identity", ca + client, "", ""},
       {"verify-ca", strange, "2026", untrusted},
       {"verify-identity", strange, "2026", untrusted},
       {"verify-ca", "ca = \"/nosuch/ca.pem\"\n", "can't read ca = \"/nosuch/ca.pem\"", "in PEM form"},
       {"required", mixed, "2026", "don't belong together"}});
  // A path counts from the topology file.
  fs::copy(ours.ca(), story.path("beside.pem"));
  expect_logins(story, shape, {{"verify-identity", "ca = \"beside.pem\"\n", "", ""}});
  const Ran verify = story.stemma({"verify"});  // the canary's own connections, too
  INFO(verify.all());
  CHECK(verify.code == 0);

  // An account that wants a client's certificate.
  story.unlogged("primary",
                 {"CREATE USER 'certified'@'%' IDENTIFIED BY 'x'", "GRANT ALL ON *.* TO 'certified'@'%'",
                  "ALTER USER 'certified'@'%' REQUIRE X509"});
  story.environment["LIVE_CERTIFIED"] = "x";
  Shape certified = shape;
  const std::string as_certified =
      "user = \"certified\"\npassword = { env = \"LIVE_CERTIFIED\" }\ntls = \"verify-ca\"\n";
  certified.admin = as_certified + ca + client;
  story.rewrite(certified);
  CHECK(story.stemma({"drift"}).code == 0);
  certified.admin = as_certified + ca;
  story.rewrite(certified);
  const Ran refused = story.stemma({"drift"});
  CHECK(refused.code == 6);
  CHECK(contains(refused.out, "server.login-refused"));
  CHECK(contains(refused.out, "REQUIRE"));

  story.restart("primary", ours.server_options("elsewhere"));
  expect_logins(story, shape,
                {{"required", "", "", ""}, {"verify-identity", ca, "2026", "not made out for 'localhost'"}});
  Shape numeric = shape;
  numeric.host = "127.0.0.1";
  expect_logins(story, numeric,
                {{"verify-ca", ca, "", ""}, {"verify-identity", ca, "2026|compare the name", ""}});
  story.restart("primary", ours.server_options("expired"));
  expect_logins(story, shape,
                {{"required", "", "", ""},
                 {"verify-ca", ca, "expired|verify failed", "renew it on the server"},
                 {"verify-identity", ca, "expired|verify failed", "renew it on the server"}});
}

TEST_CASE("a server without TLS gets no login that must be encrypted", "[live][server][tls]") {
  const Certificates certificates;
  const std::string ca = fmt::format("ca = \"{}\"\n", certificates.ours.ca());
  const std::string client = fmt::format("cert = \"{}\"\nkey = \"{}\"\n", certificates.ours.pem("client"),
                                         certificates.ours.key("client"));
  const Shape shape = one_server(without_tls());
  Story story(shape);
  // MySQL has forgotten every caching_sha2_password login now: the first one goes the long way, by the server's RSA
  // key. Connector/C left to itself sends the password in the clear here, which the server refuses (1045).
  if (test::on_mysql() && !test::on_server("mysql-5.6")) story.restart("primary", {});
  expect_logins(story, shape,
                {{"preferred", client, "", ""},
                 {"preferred", "", "", ""},
                 {"disabled", "", "", ""},
                 {"required", "", kNoTls, "give it a certificate"},
                 {"required", client, kNoTls, "give it a certificate"},
                 {"verify-ca", ca, kNoTls, "give it a certificate"},
                 {"verify-identity", ca, kNoTls, "give it a certificate"}});
}

TEST_CASE("a channel that must be encrypted is refused where its source offers no TLS",
          "[live][server][tls]") {
  const Certificates certificates;
  Shape shape = quickstart("position");
  shape.servers.pop_back();
  shape.options = without_tls();
  Story story(shape);
  const std::string before = story.snapshot();
  for (const std::string& tls : {std::string("tls = \"required\""),
                                 fmt::format("tls = \"verify-ca\"\nca = \"{}\"", certificates.ours.ca())}) {
    INFO(tls);
    Shape encrypted = shape;
    encrypted.replication += "\n" + tls;
    story.rewrite(encrypted);
    const Ran apply = story.stemma({"apply", "--yes"});
    INFO(apply.all());
    CHECK(apply.code == 3);
    CHECK(contains(apply.all(), "channel.tls-off"));
    CHECK(contains(apply.all(), "primary offers no TLS"));
  }
  CHECK(story.snapshot() == before);
  // Where it is to be encrypted if it can be, it runs in plain text.
  shape.replication += "\ntls = \"preferred\"";
  story.rewrite(shape);
  CHECK(story.apply().code == 0);
  CHECK(story.slave("replica-1", "Master_SSL_Allowed") == "No");
  CHECK(story.applied_steps().empty());
  story.writer().must_write();
  story.same_data();
}

TEST_CASE("channels are encrypted and verified as the file says, and lose nothing on the way",
          "[live][server][tls]") {
  const Certificates certificates;
  const Authority& ours = certificates.ours;
  Shape shape = quickstart("position");
  shape.options = ours.server_options("server");
  if (test::on_server("mysql-5.6")) {  // its TLS knows no certificates like these, so that it offers none
    shape.replication += "\ntls = \"required\"";
    Story story(shape);
    CHECK(story.cell("primary", "SELECT @@have_ssl") == "DISABLED");
    CHECK(story.apply().code == 3);
    return;
  }
  const std::string secret = shape.replication + "\nconnect_retry = \"1s\"\n";
  const auto with = [&](const std::string& lines) {
    Shape changed = shape;
    changed.replication = secret + lines;
    return changed;
  };
  const std::string ca = fmt::format("ca = \"{}\"\n", ours.ca());
  const std::string client =
      fmt::format("cert = \"{}\"\nkey = \"{}\"\n", ours.pem("client"), ours.key("client"));
  const std::string identity = "tls = \"verify-identity\"\n";
  const std::string right = identity + ca + client;

  Story story(with("tls = \"disabled\""));
  REQUIRE(story.apply().code == 0);
  CHECK(story.slave("replica-1", "Master_SSL_Allowed") == "No");
  story.writer().must_write();
  story.caught_up();
  // From here on the source itself takes no login in plain text.
  story.unlogged("primary", {"ALTER USER 'repl_user'@'%' REQUIRE SSL"});

  struct Mode {
    std::string lines;
    bool verifies, has_ca, has_pair;
  };
  for (const Mode& mode :
       {Mode{"tls = \"preferred\"", false, false, false}, Mode{"tls = \"required\"", false, false, false},
        Mode{"tls = \"verify-ca\"\n" + ca, !test::on_mysql(), true, false},
        Mode{identity + ca, true, true, false}, Mode{right, true, true, true}}) {
    INFO(mode.lines);
    story.rewrite(with(mode.lines));
    const Ran apply = story.apply();
    INFO(apply.all());
    REQUIRE(apply.code == 0);
    for (const char* replica : {"replica-1", "replica-2"}) {
      CHECK(story.slave(replica, "Slave_IO_Running") == "Yes");
      CHECK(story.slave(replica, "Master_SSL_Allowed") == "Yes");
      CHECK(story.slave(replica, "Master_SSL_Verify_Server_Cert") == (mode.verifies ? "Yes" : "No"));
      CHECK(story.slave(replica, "Master_SSL_CA_File") == (mode.has_ca ? ours.ca() : ""));
      CHECK(story.slave(replica, "Master_SSL_Cert") == (mode.has_pair ? ours.pem("client") : ""));
      CHECK(story.slave(replica, "Master_SSL_Key") == (mode.has_pair ? ours.key("client") : ""));
    }
    CHECK(story.codes().empty());
    CHECK(story.applied_steps().empty());
    story.writer().must_write();
    story.caught_up();
  }

  // Another authority: the channel stands still where it was, and says why.
  story.rewrite(with(fmt::format("{}ca = \"{}\"\n{}", identity, certificates.strange.ca(), client)));
  const Ran strange = story.stemma({"apply", "--yes"});
  INFO(strange.all());
  CHECK(strange.code == 5);
  CHECK(contains(strange.all(), "the receiver failed with 2026"));
  CHECK(contains(strange.all(), "not signed by " + certificates.strange.ca()));
  story.writer().must_write();
  story.rewrite(with(right));
  REQUIRE(story.apply().code == 0);
  story.caught_up();

  // To another source, with nothing said about TLS: everything is kept.
  Shape moved = with("");
  moved.servers[2].source = "replica-1";
  story.rewrite(moved);
  const Ran repoint = story.apply();
  INFO(repoint.all());
  REQUIRE(repoint.code == 0);
  CHECK(story.slave("replica-2", "Master_Port") == std::to_string(story.port("replica-1")));
  CHECK(story.slave("replica-2", "Master_SSL_Allowed") == "Yes");
  CHECK(story.slave("replica-2", "Master_SSL_Verify_Server_Cert") == "Yes");
  CHECK(story.slave("replica-2", "Master_SSL_CA_File") == ours.ca());
  CHECK(story.slave("replica-2", "Master_SSL_Cert") == ours.pem("client"));
  CHECK(story.slave("replica-2", "Master_SSL_Key") == ours.key("client"));
  story.writer().must_write();
  story.same_data();

  // A certificate for another name.
  moved.replication = secret + right;
  story.rewrite(moved);
  story.restart("primary", ours.server_options("elsewhere"));
  story.sql("primary", {"INSERT INTO app.t (n, note) VALUES (0, 'elsewhere')"});
  if (password_proves(story)) {
    story.await("replica-1", "Slave_IO_Running", "Yes");
    story.caught_up();
    return;
  }
  story.await("replica-1", "Last_IO_Errno", "2026");
  const Ran drift = story.stemma({"drift"});
  INFO(drift.all());
  CHECK(drift.code == 2);
  CHECK(contains(drift.out, "not made out for '127.0.0.1'"));
  if (test::on_mysql()) {  // there the name is left out of it by verify-ca
    moved.replication = secret + "tls = \"verify-ca\"\n" + ca;
    story.rewrite(moved);
    const Ran by_authority = story.apply();
    INFO(by_authority.all());
    CHECK(by_authority.code == 0);
  } else {
    story.restart("primary", ours.server_options("server"));
    story.await("replica-1", "Slave_IO_Running", "Yes");
  }
  story.caught_up();
}

}  // namespace stemma::live
