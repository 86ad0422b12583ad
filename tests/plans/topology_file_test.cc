// Broken topology files: every mistake is found, at its place, and none is told twice.
#include "plans/topology_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/catch.h"
#include "tests/plans/support_topology.h"

using namespace stemma;

namespace {

// A file with a mistake of each kind, and where each must be found: "line:column part of the message".
struct Broken {
  std::string what, text;
  std::vector<std::string> expected;
};

const std::vector<Broken> broken_files = {
    // Syntax.
    {"value without quotes",
     "[server.a]\naddress = 127.0.0.1:3306\n",
     {"2:11 neither a number nor true or false"}},
    {"string not closed", "[server.a]\naddress = \"db:3306\n", {"2:19 this string is not closed"}},
    {"no equals sign", "[server.a]\naddress \"db\"\n", {"2:9 this is not TOML: expected '='"}},
    {"header not closed", "[server.a\naddress = \"db\"\n", {"1:10 expected ']', saw the end of the line"}},
    {"list not closed",
     "[server.a]\naddress = \"db\"\ndo_domain_ids = [1,\n[limits]\nlag = 5\n",
     {"3:1 the value that begins here is not closed", "5:7 'lag' must be a duration, not a whole number"}},
    {"string of several lines not closed",
     "[server.a]\naddress = \"db\"\n[topology]\nname = \"\"\"x\n\n",
     {"4:1 the value that begins here is not closed"}},
    {"capital truth", "[server.a]\naddress = \"db\"\nread_only = True\n", {"3:13 neither a number"}},
    {"key twice",
     "[server.a]\naddress = \"db\"\naddress = \"db2\"\n",
     {"3:1 the key 'address' stands in this table twice"}},
    {"server twice",
     "[server.a]\naddress = \"db\"\n[server.a]\naddress = \"db2\"\n",
     {"3:1 [server.a] stands in the file twice"}},
    {"two kinds of ignore",
     "[server.a]\naddress = \"db\"\n[[ignore]]\ncode = \"replica.lag\"\nreason = \"x\"\n[ignore]\n",
     {"6:1 [[ignore]] stands here with other brackets"}},
    {"no such month",
     "[server.a]\naddress = \"db\"\n[[ignore]]\ncode = \"replica.lag\"\nreason = \"x\"\nuntil = 2026-13-01\n",
     {"6:9 neither a number"}},
    {"not UTF-8",
     "[server.a]\naddress = \"db\"\n[topology]\nname = \"caf\xe9\"\n",
     {"4:12 the byte 0xe9 is not UTF-8"}},
    {"NUL",
     std::string("[server.a]\naddress = \"db\"\n[topology]\nname = \"a\0b\"\n", 47),
     {"4:10 a control character (0x00)"}},
    {"nested without end",
     "[server.a]\naddress = \"db\"\nx = " + std::string(100'000, '[') + "\n",
     {"3:69 nested too deeply"}},
    {"dotted without end",
     "[server.a]\naddress = \"db\"\n" + repeated("x.", 100'000) + "x = 1\n",
     {"3:66 nested too deeply"}},

    // Keys and sections.
    {"unknown key, near another",
     "[server.a]\nadress = \"db\"\naddress = \"db\"\n",
     {"2:1 unknown key 'adress' in [server.a]"}},
    {"unknown key, near nothing",
     "[server.a]\naddress = \"db\"\nfrobnicate = 1\n",
     {"3:1 unknown key 'frobnicate'"}},
    {"unknown section", "[servers.a]\naddress = \"db\"\n", {"1:2 unknown section [servers]"}},
    {"misspelt section that a source needs",
     "[replicaton]\nuser = \"r\"\n[server.a]\naddress = \"a\"\n[server.b]\naddress = \"b\"\nsource = \"a\"\n",
     {"1:2 unknown section [replicaton]"}},
    {"misspelt key that a server needs",
     "[server.a]\nadress = \"db\"\n",
     {"2:1 unknown key 'adress' in [server.a]"}},
    {"misspelt keys that an account needs",
     "[replication]\nusr = \"r\"\npasword = { env = \"R\" }\n[server.a]\naddress = "
     "\"a\"\n[server.b]\naddress = "
     "\"b\"\nsource = \"a\"\n",
     {"2:1 unknown key 'usr' in [replication]", "3:1 unknown key 'pasword' in [replication]"}},
    {"an unknown key near another one than the missing",
     "[server.a]\nserverid = 1\n",
     {"1:1 [server.a] has no 'address'", "2:1 unknown key 'serverid' in [server.a]"}},
    {"key outside any section",
     "name = \"x\"\n[server.a]\naddress = \"db\"\n",
     {"1:1 'name' stands in no section"}},
    {"key of another section",
     "[server.a]\naddress = \"db\"\nlag = \"10s\"\n",
     {"3:1 unknown key 'lag' in [server.a]"}},
    {"unknown key of [server.X.admin]",
     "[server.a]\naddress = \"db\"\nadmin = { usr = \"x\" }\n",
     {"3:11 unknown key 'usr' in [server.a.admin]"}},
    {"unknown key in [defaults]",
     "[defaults]\nreadonly = true\n[server.a]\naddress = \"db\"\n",
     {"2:1 unknown key 'readonly' in [defaults]"}},
    {"server without a name",
     "[server]\naddress = \"db\"\nserver_id = 1\n",
     {"2:1 [server] needs a name before its keys"}},
    {"name with a dot, without quotes",
     "[server.db]\naddress = \"db\"\n[server.db.1]\naddress = \"db1\"\n",
     {"3:12 unknown key '1' in [server.db]"}},
    {"[ignore] in single brackets",
     "[server.a]\naddress = \"db\"\n[ignore]\ncode = \"replica.lag\"\n",
     {"3:1 'ignore' must be a list of tables, not a table"}},
    {"[[server]]",
     "[[server]]\naddress = \"db\"\n",
     {"1:1 'server' must be tables with a name each, not a list"}},
    {"empty name", "[server.\"\"]\naddress = \"db\"\n", {"1:9 the name is empty"}},
    {"name with a control character",
     "[server.\"a\\u001b\"]\naddress = \"db\"\n",
     {"1:9 can't be the name of a server"}},
    {"name too long",
     "[server." + std::string(65, 'x') + "]\naddress = \"db\"\n",
     {"1:9 can't be the name of a server"}},
    {"empty file", "", {"1:1 the file has no server"}},
    {"only comments", "# nothing\n", {"1:1 the file has no server"}},
    {"no address", "[server.a]\nserver_id = 1\n", {"1:1 [server.a] has no 'address'"}},

    // Types and values.
    {"wrong types",
     "[server.a]\naddress = 3306\nserver_id = \"1\"\nread_only = \"yes\"\nvariables = 1\nadmin = true\n",
     {"2:11 'address' must be an address, not a whole number",
      "3:13 'server_id' must be a whole number, not a text",
      "4:13 'read_only' must be true or false, not a text", "5:13 'variables' must be a table of variables",
      "6:9 'admin' must be a table, not true or false"}},
    {"impossible choices",
     "[topology]\ncoordinates = \"gtids\"\n[server.a]\naddress = \"db\"\ntls = \"on\"\n",
     {"2:15 'coordinates' can't be \"gtids\"", "5:7 'tls' can't be \"on\""}},
    {"durations",
     "[limits]\nlag = \"10\"\nstep = \"0s\"\n[server.a]\naddress = \"db\"\ndelay = \"500ms\"\nheartbeat = "
     "\"1.5s\"\n"
     "connect_retry = \"99999999999s\"\n",
     {"2:7 a duration is a whole number and one of the units", "3:8 it must be at least 1s",
      "6:9 it counts in whole seconds", "7:13 a duration is a whole number", "8:17 the number is too big"}},
    {"addresses",
     "[server.a]\naddress = \"db:0\"\n[server.b]\naddress = \"db:65536\"\n[server.c]\naddress = \"::1\"\n"
     "[server.d]\naddress = \"unix:mysqld.sock\"\n[server.e]\naddress = \"d b\"\nadvertise = \"unix:/s\"\n"
     "[server.f]\naddress = \"[::1\"\n[server.g]\naddress = \":3306\"\n[server.h]\naddress = "
     "\"/run/my.sock\"\n"
     "[server.i]\naddress = \"\"\n[server.j]\naddress = \"db:\"\n[verify]\nread = \"unix:/s\"\n",
     {"2:11 the port \"0\" is not between 1 and 65535", "4:11 the port \"65536\"",
      "6:11 in brackets, \"[::1]:3306\"", "8:11 begins with '/'", "10:11 \"d b\" is no host name",
      "11:13 other machines can't reach a socket", "13:11 ']' is missing", "15:11 the host is missing",
      "17:11 \"unix:/run/my.sock\"", "19:11 it is empty", "21:11 the port \"\"",
      "23:8 other machines can't reach a socket"}},
    {"integers out of range",
     "[server.a]\naddress = \"a\"\nserver_id = 0\n[server.b]\naddress = \"b\"\nserver_id = 4294967296\n"
     "[server.c]\naddress = \"c\"\nserver_id = -1\ndo_domain_ids = [1, -2, \"x\"]\n",
     {"3:13 'server_id' can't be 0", "6:13 can't be 4294967296", "9:13 can't be -1",
      "10:21 'do_domain_ids' can't be -2", "10:25 must be a list of whole numbers, not a text"}},
    {"variables",
     "[server.a]\naddress = \"a\"\n[server.a.variables]\nsync_binlog = [1]\n\"x y\" = 1\nread_only = "
     "true\nbig = inf\n",
     {"4:15 'sync_binlog' must be a text, a number, true or false", "5:1 \"x y\" is no name of a variable",
      "6:1 'read_only' is a key of the server", "7:7 'big' must be a finite number"}},
    {"empty and unprintable texts",
     "[topology]\nname = \"\"\n[server.a]\naddress = \"a\"\n[admin]\nuser = \"a\\u0007\"\n",
     {"2:8 'name' is empty", "6:8 'user' has a control character"}},
    {"name that leads out of the directory",
     "[topology]\nname = \"../x\"\n[server.a]\naddress = \"a\"\n",
     {"2:8 'name' can't be \"../x\""}},
    {"a schema of the server for the canary",
     "[server.a]\naddress = \"a\"\n[verify]\ndatabase = \"mysql\"\n",
     {"4:12 the schema \"mysql\" belongs to the server"}},
    {"secrets",
     "[admin]\npassword = { evn = \"X\" }\n[server.a]\naddress = \"a\"\nadmin.password = { env = \"X\", file "
     "= \"y\" }\n"
     "[server.b]\naddress = \"b\"\nadmin.password = { command = \"pass\" }\n"
     "[server.c]\naddress = \"c\"\nadmin.password = { command = [] }\n[server.d]\naddress = "
     "\"d\"\nadmin.password = 5\n"
     "[server.e]\naddress = \"e\"\nadmin.password = {}\n",
     {"2:14 unknown key 'evn' in 'password'", "5:18 must name one place where the secret is kept",
      "8:30 'command' must be a list of texts, not a text", "11:30 'command' is empty",
      "14:18 'password' must be a reference to a secret, not a whole number", "17:18 must name one place"}},
    {"literal secret beside a mistake",
     "[admin]\npassword = \"hunter2\"\n[server.a]\naddress = 1\n",
     {"2:12 stands in the file for everybody to read", "4:11 'address' must be an address"}},

    {"verification without an authority",
     "[admin]\ntls = \"verify-identity\"\n[replication]\nuser = \"r\"\npassword = { env = \"X\" }\ntls = "
     "\"verify-ca\"\n"
     "[server.a]\naddress = \"a\"\n[server.b]\naddress = \"b\"\nsource = \"a\"\n[server.c]\naddress = "
     "\"c\"\nsource = "
     "\"a\"\ntls = \"verify-identity\"\n",
     {"2:1 tls = \"verify-identity\" has no authority to verify with",
      "6:1 tls = \"verify-ca\" has no authority to verify with"}},

    // What this version does not do.
    {"not supported",
     replica("provision = \"clone\"\ntunnel = [\"ssh\"]\n"),
     {"9:1 provision = \"clone\" is not supported by this version", "10:1 'tunnel' is not supported"}},

    // Further channels.
    {"a channel without a source",
     replica("[server.b.channel.x]\ndelay = \"1s\"\n"),
     {"9:1 [server.b.channel.x] has no 'source'"}},
    {"names of channels",
     replica("[server.c]\naddress = \"c\"\n[server.b.channel.Beta]\nsource = \"c\"\n"
             "[server.b.channel.group_replication_applier]\nsource = \"c\"\n"),
     {"11:19 \"Beta\" can't be the name of a channel", "13:19 can't be the name of a channel",
      "14:10 two channels from 'c'"}},
    {"unknown keys and sources of a channel",
     replica("[server.b.channel.x]\nsource = \"nobody\"\ndelya = \"1s\"\nread_only = true\n"),
     {"10:10 'source' names no server of this file: \"nobody\"", "11:1 unknown key 'delya'",
      "12:1 unknown key 'read_only' in [server.b.channel.x]"}},
    {"a channel from itself",
     replica("[server.b.channel.x]\nsource = \"b\"\n"),
     {"10:10 'b' names itself as its source"}},
    {"two channels from one source",
     replica("[server.b.channel.x]\nsource = \"a\"\n"),
     {"10:10 'b' has two channels from 'a': everything would be applied twice"}},
    {"a circle through a channel",
     replica("[server.c]\naddress = \"c\"\nsource = \"b\"\n[server.a.channel.back]\nsource = \"c\"\n"),
     {"13:10 in a circle: a -> c -> b -> a"}},
    {"the same writes by two ways",
     replica("[server.c]\naddress = \"c\"\nsource = \"a\"\n[server.d]\naddress = \"d\"\nsource = \"b\"\n"
             "[server.d.channel.x]\nsource = \"c\"\n"),
     {"16:10 'd' would get what 'a' writes twice: through 'b' and through 'c'"}},
    {"a key of a channel that is not there",
     account + "[server.a]\naddress = \"a\"\n[server.b]\naddress = \"b\"\ndelay = \"1s\"\n"
               "[server.b.channel.x]\nsource = \"a\"\n",
     {"8:1 'delay' is of the channel that 'source' makes, and 'b' has only named ones"}},
    {"a file and position for several sources",
     replica("provision = \"assume-identical\"\nat = \"b.000001:4\"\n[server.c]\naddress = \"c\"\n"
             "[server.b.channel.x]\nsource = \"c\"\n"),
     {"10:6 'b' has several sources, and a file and position is a place of one only"}},

    // Between values.
    {"duplicate addresses",
     "[server.a]\naddress = \"db\"\n[server.b]\naddress = \"DB:3306\"\n",
     {"4:11 'a' and 'b' have the same address"}},
    {"duplicate advertised addresses",
     "[server.a]\naddress = \"a\"\nadvertise = \"x:1\"\n[server.b]\naddress = \"b\"\nadvertise = \"x:1\"\n",
     {"6:13 'a' and 'b' have the same advertise: x:1"}},
    {"duplicate server ids",
     "[server.a]\naddress = \"a\"\nserver_id = 7\n[server.b]\naddress = \"b\"\nserver_id = 7\n",
     {"6:13 'a' and 'b' have the same server_id: 7"}},
    {"two cycles, each once",
     account + "[server.a]\naddress = \"a\"\nsource = \"b\"\n[server.b]\naddress = \"b\"\nsource = \"a\"\n"
               "[server.c]\naddress = \"c\"\nsource = \"e\"\n[server.d]\naddress = \"d\"\nsource = \"c\"\n"
               "[server.e]\naddress = \"e\"\nsource = \"d\"\n[server.f]\naddress = \"f\"\nsource = \"e\"\n",
     {"6:10 in a circle: a -> b -> a", "12:10 in a circle: c -> e -> d -> c"}},
    {"own source",
     account + "[server.a]\naddress = \"a\"\nsource = \"a\"\n",
     {"6:10 'a' names itself as its source"}},
    {"source that is not there",
     account + "[server.primary]\naddress = \"a\"\n[server.b]\naddress = \"b\"\nsource = \"primry\"\n",
     {"8:10 'source' names no server of this file: \"primry\""}},
    {"no replication account",
     "[server.a]\naddress = \"a\"\n[server.b]\naddress = \"b\"\nsource = \"a\"\n",
     {"5:10 'b' has a source, but the file has no [replication]"}},
    {"half a replication account",
     "[replication]\nhost = \"%\"\n[server.a]\naddress = \"a\"\n[server.b]\naddress = \"b\"\nsource = "
     "\"a\"\n",
     {"1:1 [replication] has no 'user'", "1:1 [replication] has no 'password'"}},
    {"provision of a root",
     "[server.a]\naddress = \"a\"\nprovision = \"replay\"\n",
     {"3:1 'a' has no source to be provisioned from"}},
    {"at without assume-identical",
     replica("at = \"mysql-bin.000001:4\"\n"),
     {"9:1 'at' goes with provision"}},
    {"at that is no coordinates",
     replica("provision = \"assume-identical\"\nat = \"yesterday\"\n"),
     {"10:6 this is neither FILE:POS nor a GTID set"}},
    {"super_read_only without read_only",
     "[server.a]\naddress = \"a\"\nsuper_read_only = true\n",
     {"3:1 super_read_only = true, but 'a' is not read_only"}},
    {"a source that only has a socket",
     account + "[server.a]\naddress = \"unix:/s\"\n[server.b]\naddress = \"b\"\nsource = "
               "\"a\"\n[server.c]\naddress = \"c\"\nsource = \"a\"\n",
     {"5:11 the replicas of 'a' can't reach it by a socket"}},
    {"ignore",
     "[server.a]\naddress = \"a\"\n[[ignore]]\ncode = \"replica.lagg\"\nreason = \"x\"\n[[ignore]]\ncode = "
     "\"replica.lag\"\n"
     "server = \"b\"\nuntil = \"2026-02-30\"\n[[ignore]]\nreason = \"\"\nuntil = \"soon\"\n",
     {"4:8 'code' can't be \"replica.lagg\"", "6:1 [[ignore]] has no 'reason'",
      "8:10 'server' names no server of this file: \"b\"", "9:9 there is no such day",
      "10:1 [[ignore]] has no 'code'", "11:10 'reason' is empty", "12:9 a date is written year-month-day"}},

    // Several causes at once, none of them reported twice.
    {"syntax and meaning",
     "[topology]\nnmae = \"x\"\n[admin]\npassword = secret\n[server.a]\naddress = 10.0.0.1\nserver_id = "
     "1\n[server.b]\n"
     "address = \"b\"\nserver_id = 1\nsource = \"c\"\n[limits]\nlag = 10s\n",
     {"2:1 unknown key 'nmae'", "4:12 neither a number", "6:11 neither a number",
      "10:13 have the same server_id", "11:10 names no server", "13:7 neither a number"}},
    {"a lost header takes its keys with it",
     account + "[server.a]\naddress = \"a\"\n[server.b\naddress = \"b\"\nsource = \"a\"\n[server.c]\naddress "
               "= \"c\"\nsource = \"b\"\n",
     {"6:10 expected ']'"}},
    {"tabs count as one column", "[server.a]\n\taddress\t=\t5\n", {"2:12 'address' must be an address"}},
    {"carriage returns",
     "[server.a]\r\naddress = \"a\"\r\nserver_id = 1.5\r\n",
     {"3:13 not a number with a fraction"}},
    {"byte order mark", "\xEF\xBB\xBF[servr.a]\n", {"1:2 unknown section [servr]"}},
    {"columns are characters",
     "[server.a]\naddress = \"a\"\nvariables = { x = \"äöü\", y = [] }\n",
     {"3:30 'y' must be a text"}},
};

}  // namespace

TEST_CASE("every mistake of a file is reported, with its place") {
  for (const Broken& broken : broken_files) {
    const auto read = read_topology(broken.text, "topology.toml");
    INFO(broken.what);
    REQUIRE_FALSE(read.has_value());
    INFO(rendered(read.error()));
    CHECK(read.error().size() == broken.expected.size());
    for (std::size_t i = 0; i < std::min(read.error().size(), broken.expected.size()); ++i) {
      const Diagnostic& found = read.error()[i];
      const std::string& expected = broken.expected[i];
      INFO(expected);
      CHECK(fmt::format("{}:{}", found.place.line, found.place.column) ==
            expected.substr(0, expected.find(' ')));
      CHECK(found.message.find(expected.substr(expected.find(' ') + 1)) != std::string::npos);
    }
  }
}

TEST_CASE("a diagnostic is shown with its line, a caret and what to write instead") {
  const auto read = read_topology("[server.a]\n\tadress = \"db\"\naddress = \"db\"\n", "dir/topology.toml");
  REQUIRE_FALSE(read.has_value());
  CHECK(rendered(read.error()) ==
        "dir/topology.toml:2:2: error: unknown key 'adress' in [server.a]\n"
        "    \tadress = \"db\"\n"
        "    \t^^^^^^\n"
        "help: did you mean 'address'?\n");
}

TEST_CASE("help names what to write instead") {
  const auto help = [](const std::string& text) {
    const auto read = read_topology(text, "t.toml");
    REQUIRE_FALSE(read.has_value());
    return read.error().front().help;
  };
  CHECK(help("[limits]\nlag = 10s\n[server.a]\naddress = \"a\"\n") == "text stands in quotes: \"10s\"");
  CHECK(help("[server.a]\naddress = \"a\"\nread_only = FALSE\n") == "write it small: false");
  CHECK(help("[server.a]\naddress = \"a\"\nlag = \"1s\"\n") == "'lag' belongs into [limits]");
  CHECK(help("[server.a]\naddress = \"a\"\ntls = \"require\"\n") ==
        "did you mean \"required\"? possible: \"disabled\", \"preferred\", \"required\", \"verify-ca\", "
        "\"verify-identity\"");
  CHECK(help("[server.a]\naddress = \"a\"\n[[ignore]]\nreason = \"x\"\ncode = \"user.pasword\"\n") ==
        "did you mean \"user.password\"?");
  CHECK(help(account +
             "[server.primary]\naddress = \"a\"\n[server.b]\naddress = \"b\"\nsource = \"primry\"\n") ==
        "did you mean \"primary\"?");
  CHECK(help("[server.db.1]\naddress = \"a\"\n[server.db]\naddress = \"b\"\n") ==
        "a dot in the name of a server needs quotes: [server.\"db.1\"]");
}

TEST_CASE("a long line is shown around its caret") {
  const auto read = read_topology(
      "[server.a]\naddress = \"a\"\ndo_domain_ids = [" + repeated("1, ", 300) + "-1]\n", "t.toml");
  REQUIRE_FALSE(read.has_value());
  const std::string text = render(read.error().front());
  CHECK(text.size() < 500);
  CHECK(text.find("-1]\n") != std::string::npos);
}

TEST_CASE("no secret gets into a diagnostic, however the line is broken") {
  const std::vector<std::string> lines = {"password = \"hunter2\"",
                                          "password = \"hunter2",
                                          "password = hunter2",
                                          "password: hunter2",
                                          "password = 'hunter2' x",
                                          "password == \"hunter2\"",
                                          "pass word = \"hunter2\"",
                                          "passwort = \"hunter2\"",
                                          "PASSWORD = \"hunter2\"",
                                          "\"password\" = \"hunter2\"",
                                          "password = [\"hunter2\"]",
                                          "password = { \"hunter2\" }",
                                          "password = \"\"\"hunter2",
                                          "password = { value = \"hunter2\" }",
                                          "password = '''\nhunter2''' x",
                                          "password = \"\"\"\nhunter2\n",
                                          "password = \"\\q\", \"hunter2\"",
                                          "x = { password = \"hunter2\", y }",
                                          "password = \"hunter2\" # \xff",
                                          "tls = { password = \"hunter2\" }",
                                          "password = 12hunter2",
                                          "password = \"a\\\"hunter2\" x",
                                          "password \"hunter2\"",
                                          "password = { env = \"X\", value = \"hunter2\" }",

                                          "password = {\n  value = \"hunter2\" }",
                                          "password = [\n  \"hunter2\"\n]"};
  for (const std::string& line : lines) {
    INFO(line);
    const auto read = read_topology("[server.a]\naddress = 5\n[admin]\n" + line + "\n", "t.toml");
    REQUIRE_FALSE(read.has_value());
    for (const Diagnostic& diagnostic : read.error()) {
      INFO(render(diagnostic));
      for (const std::string* text : {&diagnostic.line, &diagnostic.message, &diagnostic.help}) {
        CHECK(text->find("hunter2") == std::string::npos);
      }
    }
  }
}

TEST_CASE("a terminal is not obeyed") {
  const auto read =
      read_topology("[server.a]\naddress = \"\\u001b[2J\"\nx = \"\x1b[31m\"\n\"\\u001b[0m\" = 1\n", "t.toml");
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().size() == 3);
  CHECK(rendered(read.error()).find('\x1b') == std::string::npos);
}

TEST_CASE("files that nobody wrote by hand") {
  std::string binary;
  for (int i = 0; i < 20'000; ++i) binary += static_cast<char>(i * 7919 % 256);
  const std::string secrets =
      "[server.a]\naddress = \"a\"\nx = {" + repeated("password='hunter2',", 50'000) + "}\n";
  for (const std::string& text :
       {binary, secrets, std::string(1'000'000, 'x'), std::string(1'000'000, '['),
        "a = " + std::string(1'000'000, '9'), "a = \"" + std::string(1'000'000, 'x'),
        repeated("[a]\n", 100'000), repeated("{", 100'000), repeated("a = [\n", 10'000),
        "x" + repeated(".x", 500'000) + " = 1", repeated("[[[\n", 10'000),
        repeated("x.y.z = {}\n", 10'000)}) {
    const auto read = read_topology(text, "t.toml");
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().size() <= 1001);
    CHECK(rendered(read.error()).find("hunter2") == std::string::npos);
  }
}
