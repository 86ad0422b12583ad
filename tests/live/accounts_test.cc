// The replication account on real servers: names and hosts that are hard to quote, limits, and login plugins.
#include <fmt/format.h>

#include "tests/catch.h"
#include "tests/live/support_story.h"
#include "tests/servers/support_servers.h"

namespace stemma::live {
namespace {

namespace fs = std::filesystem;

// A primary and one replica.
Shape pair() {
  Shape shape = quickstart("position");
  shape.servers.pop_back();
  return shape;
}

Shape with_account(Shape shape, const std::string& lines) {
  shape.account = lines;
  return shape;
}

// All is as declared, a second apply has nothing to do, and rows arrive.
void converges(Story& story) {
  const Ran apply = story.apply();
  INFO(apply.all());
  REQUIRE(apply.code == 0);
  CHECK(story.codes().empty());
  CHECK(story.applied_steps().empty());
  CHECK(story.slave("replica-1", "Slave_IO_Running") == "Yes");
  story.writer().must_write();
  story.caught_up();
}

void refused(Story& story, const std::string& code, const std::string& part) {
  const std::string before = story.snapshot();
  const Ran apply = story.stemma({"apply", "--yes"});
  INFO(apply.all());
  CHECK(apply.code == 3);
  CHECK(contains(apply.all(), code));
  CHECK(contains(apply.all(), part));
  CHECK(story.snapshot() == before);
}

}  // namespace

TEST_CASE("any name will do for the replication account", "[live][server][accounts]") {
  Shape shape = pair();
  shape.options = {"--character-set-server=utf8mb4"};  // by which MariaDB's receiver says its name
  struct Name {
    const char *toml, *host, *name;
  };
  const std::vector<Name> names = {{"'''o'brien\\'''", "%", "o'brien\\"},
                                   {"'реплика'", "127.0.0.0/255.0.0.0", "реплика"},
                                   {"'a`b\"c d'", "127.0.0.%", "a`b\"c d"}};
  Story story(with_account(shape, fmt::format("user = {}\nhost = \"{}\"", names[0].toml, names[0].host)));
  for (const Name& name : names) {
    INFO(name.name);
    story.rewrite(with_account(shape, fmt::format("user = {}\nhost = \"{}\"", name.toml, name.host)));
    converges(story);
    CHECK(story.slave("replica-1", "Master_User") == name.name);
  }
  story.same_data();
}

TEST_CASE("servers and accounts at IPv6 addresses", "[live][server][accounts]") {
  Shape shape = with_account(pair(), "user = \"repl_user\"\nhost = \"::1\"");
  shape.host = "::1";
  Story story(shape);
  converges(story);
  CHECK(story.slave("replica-1", "Master_Host") == "::1");
  story.same_data();
}

TEST_CASE("a name or a password that does not fit is refused before anything is changed",
          "[live][server][accounts]") {
  const std::size_t longest = test::on_server("mysql-5.6")      ? 16
                              : test::on_server("mysql-9.7")    ? 32
                              : test::on_server("mariadb-10.5") ? 80
                                                                : 128;
  const Shape shape = pair();
  Story story(with_account(shape, fmt::format("user = \"{}\"", std::string(longest + 1, 'u'))));
  refused(story, "user.missing", fmt::format("{} characters", longest));
  if (!test::on_mysql()) return;
  // A MySQL channel takes 32 bytes of password.
  story.environment["LIVE_REPL_PASSWORD"] = "пароль-пароль-1234567";
  story.rewrite(shape);
  refused(story, "user.password", "32 bytes");
  story.environment["LIVE_REPL_PASSWORD"] = "пароль-пароль-123456";
  converges(story);
}

TEST_CASE("the login plugins that a server has, and those that it lacks", "[live][server][accounts]") {
  const Shape shape = pair();
  if (test::on_server("mysql-9.7")) {
    Story story(with_account(shape, "user = \"repl_user\"\nplugin = \"mysql_native_password\""));
    refused(story, "user.plugin", "MySQL 9 has dropped it");
    return;
  }
  if (test::on_server("mysql-5.6")) {
    Story story(with_account(shape, "user = \"repl_user\"\nplugin = \"ed25519\""));
    refused(story, "user.plugin", "declare one of these");
    return;
  }
  Story story(with_account(shape, "user = \"repl_user\"\nhost = \"%\"\nplugin = \"ed25519\""));
  refused(story, "user.plugin", "INSTALL SONAME 'auth_ed25519'");
  // Debian 12 has the plugin in the package mariadb-server, which a machine for tests need not have.
  const fs::path plugin_dir = story.cell("primary", "SELECT @@plugin_dir");
  if (!fs::exists(plugin_dir / "auth_ed25519.so")) return;
  for (const char* server : {"primary", "replica-1"})
    story.unlogged(server, {"INSTALL SONAME 'auth_ed25519'"});
  // The replica's server has no client half of it: its channel says so, the accounts are right, and stay so.
  const Ran apply = story.stemma({"apply", "--yes"});
  INFO(apply.all());
  CHECK(apply.code == 5);
  CHECK(contains(apply.all(), "2059"));
  CHECK(contains(apply.all(), "client_ed25519.so"));
  CHECK(contains(apply.all(), "put this file into the replica's plugin_dir"));
  CHECK(story.codes() == Codes{"replica-1 replica.receiver-error"});
  const auto stored = [&] {
    return story.cell("primary", "SELECT authentication_string FROM mysql.user WHERE user = 'repl_user'");
  };
  const std::string before = stored();
  CHECK(before.size() == 43);

  // Another password declared is told without a login, and given; the plugin stays.
  story.environment["LIVE_REPL_PASSWORD"] = "another password, longer than 32 bytes";
  CHECK(has(story.codes(), "primary user.password"));
  CHECK(stored() == before);
  CHECK(story.apply().code == 5);
  CHECK(stored() != before);
  // The replica's own turn comes when it has caught up.
  CHECK(story.codes() == Codes{"replica-1 replica.receiver-error", "replica-1 user.password"});

  // With the file in its place it flows.
  const fs::path with_client = story.path("plugins");
  fs::create_directories(with_client);
  for (const auto& entry : fs::directory_iterator(plugin_dir))
    fs::create_symlink(entry.path(), with_client / entry.path().filename());
  fs::path client;
  for (fs::path root = plugin_dir; root.has_relative_path() && client.empty(); root = root.parent_path()) {
    const fs::path there = root / "x86_64-linux-gnu/libmariadb3/plugin/client_ed25519.so";
    if (fs::exists(there)) client = there;
  }
  REQUIRE_FALSE(client.empty());
  fs::create_symlink(client, with_client / "client_ed25519.so");
  story.restart("replica-1", {"--plugin-dir=" + with_client.string()});
  converges(story);
  story.same_data();
}

TEST_CASE("caching_sha2_password without TLS, by a key that is fetched or at hand",
          "[live][server][accounts]") {
  const Shape shape = pair();
  Story story(with_account(shape, "user = \"repl_user\"\nhost = \"%\"\nplugin = \"caching_sha2_password\""));
  if (!test::on_server("mysql-9.7"))
    return refused(story, "user.plugin", "has no authentication plugin caching_sha2_password");
  Shape plain = with_account(
      shape, "user = \"repl_user\"\nhost = \"%\"\nplugin = \"caching_sha2_password\"\ntls = \"disabled\"");
  story.rewrite(plain);
  converges(story);
  CHECK(story.slave("replica-1", "Get_Source_public_key") == "1");
  const auto forget = [&] {  // the source has to see the whole password again
    story.sql("primary", {"FLUSH PRIVILEGES"});
    story.sql("replica-1", {"STOP SLAVE IO_THREAD", "START SLAVE IO_THREAD"});
    story.writer().must_write();
    story.caught_up();
  };
  forget();

  const fs::path key = story.path("source.pem");
  fs::copy(fs::path(story.cell("primary", "SELECT @@datadir")) / "public_key.pem", key);
  plain.account += fmt::format("\npublic_key = \"{}\"", key.string());
  story.rewrite(plain);
  converges(story);
  CHECK(story.slave("replica-1", "Source_public_key_path") == key);
  CHECK(story.slave("replica-1", "Get_Source_public_key") == "0");
  forget();

  // The other form in which 9.7 can store it.
  story.sql("primary", {"SET GLOBAL caching_sha2_password_storage_format = 'PBKDF2_SHA512'"});
  story.unlogged("primary", {fmt::format("ALTER USER 'repl_user'@'%' IDENTIFIED BY '{}'",
                                         mysql::escape(story.environment["LIVE_REPL_PASSWORD"]))});
  CHECK(story.cell("primary",
                   "SELECT LEFT(authentication_string, 3) FROM mysql.user WHERE user = 'repl_user'") ==
        "$B$");
  CHECK(story.codes().empty());
  story.environment["LIVE_REPL_PASSWORD"] = "another";
  CHECK(has(story.codes(), "primary user.password"));
  story.same_data();
}

}  // namespace stemma::live
