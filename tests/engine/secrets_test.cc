// Where secrets come from, and what is said when they don't.
#include "engine/secrets.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "tests/catch.h"
#include "tests/engine/support_directory.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;

namespace {

// The secret, or "error: …"; warnings go into `warnings`.
std::vector<std::string> warnings;
std::string text_of(const SecretRef& ref, const ResolveOptions& options = {.base = "/tmp"}) {
  warnings.clear();
  const auto secret = resolve(ref, options, warnings);
  if (secret) return secret->reveal();
  CHECK(secret.error().trouble == Trouble::input);
  return "error: " + secret.error().message;
}

class File {
 public:
  File(const std::string& content, mode_t mode)
      : path(std::filesystem::temp_directory_path() / "stemma-secret-test") {
    std::ofstream(path, std::ios::binary) << content;
    ::chmod(path.c_str(), mode);
  }
  ~File() { std::filesystem::remove(path); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  std::filesystem::path path;
};

}  // namespace

TEST_CASE("a literal and the environment") {
  CHECK(text_of(FromLiteral{Secret("x")}) == "x");
  ::setenv("STEMMA_TEST_SECRET", "from env \n", 1);
  CHECK(text_of(FromEnv{"STEMMA_TEST_SECRET"}) == "from env \n");
  ::setenv("STEMMA_TEST_SECRET", "", 1);
  CHECK(text_of(FromEnv{"STEMMA_TEST_SECRET"}) ==
        "error: the environment variable STEMMA_TEST_SECRET is set but empty");
  ::unsetenv("STEMMA_TEST_SECRET");
  CHECK(text_of(FromEnv{"STEMMA_TEST_SECRET"}) ==
        "error: the environment variable STEMMA_TEST_SECRET is not set");
}

TEST_CASE("files: one line end at the end is taken off") {
  const auto [content, secret] = GENERATE(table<std::string, std::string>({{"s3cret", "s3cret"},
                                                                           {"s3cret\n", "s3cret"},
                                                                           {"s3cret\r\n", "s3cret"},
                                                                           {"s3cret\n\n", "s3cret\n"},
                                                                           {" a b \n", " a b "},
                                                                           {"one\ntwo\n", "one\ntwo"}}));
  const File file(content, 0600);
  CHECK(text_of(FromFile{file.path.string()}) == secret);
  CHECK(warnings.empty());
}

TEST_CASE("a relative file counts from the topology file's directory") {
  const File file("s3cret", 0600);
  CHECK(text_of(FromFile{file.path.filename().string()}, {.base = file.path.parent_path()}) == "s3cret");
}

TEST_CASE("files that are no good") {
  CHECK(text_of(FromFile{"/nonesuch"}) == "error: can't read /nonesuch: No such file or directory");
  CHECK(text_of(FromFile{"/tmp"}).starts_with("error: /tmp is empty or can't be read"));
  const File empty("", 0600);
  CHECK(text_of(FromFile{empty.path.string()}).ends_with("is empty or can't be read"));
}

TEST_CASE("a file that others can read is worth a warning") {
  const File file("s3cret", 0644);
  CHECK(text_of(FromFile{file.path.string()}) == "s3cret");
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0] == "the secret file " + file.path.string() + " can be read by others: chmod 600 it");
}

TEST_CASE("commands run without a shell") {
  CHECK(text_of(FromCommand{{"echo", "$HOME; ls"}}) == "$HOME; ls");
  CHECK(text_of(FromCommand{{"printf", "%s", "it's"}}) == "it's");
  CHECK(text_of(FromCommand{{"/nonesuch/program"}}) ==
        "error: can't run /nonesuch/program: No such file or directory");
  CHECK(text_of(FromCommand{{"false"}}) == "error: false ended with exit code 1");
  CHECK(text_of(FromCommand{{"true"}}) == "error: true printed nothing");
  CHECK(text_of(FromCommand{{"sh", "-c", "kill -9 $$"}}) == "error: sh ended with signal 9");
}

TEST_CASE("what a command's arguments hold is in no message") {
  CHECK(text_of(FromCommand{{"sh", "-c", "exit 3", "hush"}}) == "error: sh ended with exit code 3");
}

TEST_CASE("a command that hangs is ended") {
  const auto begin = std::chrono::steady_clock::now();
  CHECK(text_of(FromCommand{{"sleep", "60"}}, {.base = "/tmp", .timeout = std::chrono::seconds(1)}) ==
        "error: sleep gave no secret within 1 s");
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
}

TEST_CASE("a command is done when it has ended, whatever it has left running") {
  const auto begin = std::chrono::steady_clock::now();
  CHECK(text_of(FromCommand{{"sh", "-c", "sleep 20 2>&1 & echo hi"}}) == "hi");
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
}

TEST_CASE("what has no end is no secret") {
  CHECK(text_of(FromFile{"/dev/zero"}) == "error: /dev/zero is too long for a secret");
  CHECK(text_of(FromCommand{{"cat", "/dev/zero"}}) == "error: cat printed too much for a secret");
}

TEST_CASE("a pipe whose writer never comes is not waited for without end") {
  const Directory directory;
  const auto pipe = directory.path / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(text_of(FromFile{pipe}, {.base = "/tmp", .timeout = std::chrono::milliseconds(200)}) ==
        fmt::format("error: {} gave no secret within 200 ms", pipe.string()));
  std::thread writer([&] { std::ofstream(pipe) << "late\n"; });
  CHECK(text_of(FromFile{pipe}) == "late");
  writer.join();
}

TEST_CASE("all secrets of a file at once") {
  Story story("a; b < a; c < a");
  ::unsetenv("ADMIN");
  ::unsetenv("REPL");
  SECTION("one cause is one line") {
    const auto resolved = resolve_secrets(story.topology, {.base = "/tmp", .need_replication = true});
    REQUIRE_FALSE(resolved.has_value());
    CHECK(resolved.error().message ==
          "the admin password of a: the environment variable ADMIN is not set\n"
          "the replication password: the environment variable REPL is not set");
  }
  SECTION("reading does not need the replication secret") {
    ::setenv("ADMIN", "boss", 1);
    const auto resolved = resolve_secrets(story.topology, {.base = "/tmp"});
    ::unsetenv("ADMIN");
    REQUIRE(resolved.has_value());
    CHECK_FALSE(resolved->secrets.replication.has_value());
    CHECK(resolved->secrets.admin.size() == 3);
    CHECK(resolved->secrets.admin.at({"b"}).reveal() == "boss");
    CHECK(resolved->warnings ==
          std::vector<std::string>{
              "the replication password: the environment variable REPL is not set; it is not "
              "compared"});
  }
  SECTION("a command is run once, however often it is named") {
    const File counter("", 0600);
    const FromCommand count{{"sh", "-c", "echo x >> " + counter.path.string() + "; echo secret"}};
    for (Server& server : story.topology.servers) server.admin.password = count;
    story.topology.replication->password = count;
    const auto resolved = resolve_secrets(story.topology, {.base = "/tmp", .need_replication = true});
    REQUIRE(resolved.has_value());
    CHECK(resolved->secrets.replication->reveal() == "secret");
    CHECK(std::filesystem::file_size(counter.path) == 2);
  }
  SECTION("no password declared is an empty one") {
    for (Server& server : story.topology.servers) server.admin.password.reset();
    const auto resolved = resolve_secrets(story.topology, {.base = "/tmp"});
    REQUIRE(resolved.has_value());
    CHECK(resolved->secrets.admin.at({"a"}).reveal().empty());
  }
}
