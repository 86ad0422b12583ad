// Where a replica starts to read: the whole decision table.
#include "plans/attach.h"

#include "plans/preflight.h"
#include "tests/catch.h"
#include "tests/plans/support_fleet.h"

using namespace stemma;

namespace {

std::string origin_text(const Origin& origin) {
  if (std::holds_alternative<FromNoted>(origin)) return "noted coordinates";
  if (const auto* from = std::get_if<FromCoordinates>(&origin)) return to_text(from->at);
  if (const auto* from = std::get_if<FromGtid>(&origin)) return "GTID " + to_text(from->at);
  if (const auto* from = std::get_if<FromFirstBinlog>(&origin)) return "all of " + from->file;
  return std::holds_alternative<FromExecuted>(origin) ? "executed position" : "own GTIDs";
}

// "executed position", "own GTIDs, then back; repoint", "refused replica.diverged".
std::string decision(const Story& story, const std::string& replica = "replica") {
  const AttachDecision decided = decide_attach(story.scene(), links_of(story.server(replica)).front());
  REQUIRE(decided.attach.has_value() != decided.refusal.has_value());
  if (decided.refusal) {
    CHECK_FALSE(decided.refusal->message.empty());
    CHECK_FALSE(decided.refusal->hint.empty());
    CHECK(decided.refusal->server.text == replica);
    return "refused " + decided.refusal->code;
  }
  CHECK_FALSE(decided.attach->reason.empty());
  std::string text = origin_text(decided.attach->origin);
  if (decided.attach->fresh) text = "fresh: " + text;
  if (decided.attach->by_gtid_first) text += ", then back";
  for (const Hazard hazard : decided.attach->hazards) text += fmt::format("; {}", to_text(hazard));
  return text;
}

Finding refusal(const Story& story) {
  auto decided = decide_attach(story.scene(), links_of(story.server("replica")).front());
  REQUIRE(decided.refusal.has_value());
  return *decided.refusal;
}

// A primary and its replica, with these words of each.
std::string pair(const std::string& primary, const std::string& replica, const std::string& declared = "") {
  return "primary | " + primary + "; replica < primary " + declared + " | " + replica;
}

}  // namespace

TEST_CASE("fresh, and both are empty") {
  CHECK(decision(Story(pair("fresh", "fresh"))) == "fresh: noted coordinates");
  // A canary's schema, an empty `test`, the system's accounts and our own are no data.
  CHECK(decision(Story(pair("data=stemma_canary.canary,test account=repl@% account=mariadb.sys@localhost",
                            "fresh"))) == "fresh: noted coordinates");
  // Its own GTIDs, from before it was attached, don't make it less fresh; another's do.
  CHECK(decision(Story(pair("fresh", "fresh state=0-2-4"))) == "fresh: noted coordinates");
  CHECK(decision(Story(pair("fresh", "fresh state=0-7-4"))) == "refused replica.position-unknown");
}

TEST_CASE("fresh, and its source has data") {
  const Finding missing = refusal(Story(pair("data=shop.orders,app", "fresh")));
  CHECK(missing.code == "replica.data-missing");
  CHECK(missing.message == "primary has data and replica has none: app, shop");
  CHECK(missing.hint ==
        "load a backup of primary on replica and say so in [server.replica]: provision = "
        "\"assume-identical\" with at = "
        "\"FILE:POS\" or at = \"GTID\" of the backup; or, if the binlogs of primary reach back to its first "
        "day, "
        "provision = \"replay\"");
  CHECK(decision(Story(pair("data=test.t1", "fresh"))) == "refused replica.data-missing");
  CHECK(decision(Story(pair("data=shop.orders", "fresh data=shop.orders"))) ==
        "refused replica.data-missing");
  CHECK(decision(Story(pair("data=shop.orders", "fresh data=shop.other"))) == "refused replica.diverged");
  CHECK(decision(Story(pair("fresh", "fresh data=shop.orders"))) == "refused replica.errant-transactions");
  CHECK(refusal(Story(pair("data=a,b,c,d,e,f,g,h,i,j", "fresh"))).message ==
        "primary has data and replica has none: a, b, c, d, e, f, g, h and 2 more");
}

TEST_CASE("accounts that the replica would miss") {
  const Finding found =
      refusal(Story(pair("fresh account=app@% account=boss@10.%", "fresh account=boss@10.%")));
  CHECK(found.code == "replica.data-missing");
  CHECK(found.message == "primary has accounts that replica lacks: 'app'@'%'");
  CHECK(found.hint.starts_with("create them on replica too (with SET sql_log_bin=0); or "));
  CHECK(decision(Story(pair("fresh account=app@%", "fresh account=app@%"))) == "fresh: noted coordinates");
}

TEST_CASE("the file's word that data are identical") {
  const std::string word = "provision=assume-identical";
  CHECK(decision(Story(pair("data=shop.t", "fresh data=shop.t", word))) ==
        "fresh: noted coordinates; assume-identical");
  CHECK(decision(Story(pair("data=shop.t,shop.u", "fresh data=shop.t", word))) ==
        "refused replica.data-missing");
  CHECK(decision(Story(pair("data=shop.t", "fresh data=shop.t,mine", word))) ==
        "refused replica.errant-transactions");
  CHECK(decision(Story(pair("data=shop.t", "fresh data=mine", word))) == "refused replica.diverged");
  CHECK(refusal(Story(pair("data=shop.t,shop.u", "fresh data=shop.t", word))).message ==
        "provision = \"assume-identical\" says that replica has the data of primary, but the names differ: "
        "it lacks "
        "shop.u");

  SECTION("at a file and position") {
    const std::string there = word + " at=mysql-bin.000002:700";
    CHECK(decision(Story(pair("data=shop", "fresh data=shop", there))) ==
          "fresh: mysql-bin.000002:700; assume-identical");
    CHECK(decision(Story(pair("data=shop binlogs=mysql-bin.000003", "fresh data=shop", there))) ==
          "refused replica.binlog-gone");
    CHECK(decision(Story("by gtid; " + pair("data=shop", "fresh data=shop", there))) ==
          "refused replica.position-unknown");
  }
  SECTION("at a GTID") {
    const std::string there = word + " at=0-1-7";
    CHECK(decision(Story("by gtid; " + pair("data=shop", "fresh data=shop", there))) ==
          "fresh: GTID 0-1-7; assume-identical");
    CHECK(decision(Story(pair("data=shop", "fresh data=shop", there))) ==
          "fresh: GTID 0-1-7, then back; assume-identical");
    CHECK(decision(Story(pair("data=shop horizon=0-1-8", "fresh data=shop", there))) ==
          "refused replica.binlog-gone");
    CHECK(decision(Story(pair("data=shop horizon=0-1-7", "fresh data=shop", there))) ==
          "fresh: GTID 0-1-7, then back; assume-identical");
  }
  SECTION("it is never used where there is a trace of replication") {
    CHECK(decision(Story(pair("data=shop", "stopped data=shop", word))) == "executed position");
    CHECK(decision(Story(pair("data=shop", "no-channel data=shop", word))) ==
          "own GTIDs, then back; repoint");
  }
}

TEST_CASE("replay of a whole life") {
  const std::string word = "provision=replay";
  CHECK(decision(Story(pair("data=shop", "fresh", word))) == "fresh: all of mysql-bin.000001; replay");
  CHECK(decision(Story(pair("data=shop binlogs=mysql-bin.000002", "fresh", word))) ==
        "refused replica.binlog-gone");
  CHECK(decision(Story(pair("data=shop binlogs=mysql-bin.000011", "fresh", word))) ==
        "refused replica.binlog-gone");
  CHECK(decision(Story(pair("data=shop no-binlog", "fresh", word))) == "refused replica.binlog-gone");
  CHECK(decision(Story(pair("data=shop", "fresh data=shop", word))) == "refused replica.errant-transactions");
}

TEST_CASE("it has executed something of this very source") {
  CHECK(decision(Story(pair("", "stopped executed=mysql-bin.000001:500"))) == "executed position");
  CHECK(decision(Story("by gtid; " + pair("", "stopped"))) == "own GTIDs");
  // Whose id it was last connected to is not known before the first connection.
  CHECK(decision(Story(pair("", "stopped from-id=0"))) == "executed position");
}

TEST_CASE("the binlog that it would go on from is purged") {
  const std::string at = "stopped executed=mysql-bin.000001:500";
  CHECK(decision(Story(pair("binlogs=mysql-bin.000002", at))) == "own GTIDs, then back");
  const std::string gone = "binlogs=mysql-bin.000002 horizon=0-1-90";
  CHECK(refusal(Story(pair(gone, at))).message ==
        "primary has purged mysql-bin.000001, from which replica would have to go on");
  // Its threads are only to be started: the relay log is kept, and what counts is what it receives next.
  const auto started = [](const Story& story) {
    return decide_attach(story.scene(), links_of(story.server("replica")).front(), true);
  };
  Story kept(pair(gone, at));
  kept.channel("replica").read = {"mysql-bin.000002", 700};
  CHECK(started(kept).attach->in_place);
  kept.channel("replica").read = {"mysql-bin.000001", 900};
  CHECK(started(kept).refusal->code == "replica.binlog-gone");
}

TEST_CASE("a schema that holds more than the canary is data, whatever its name") {
  const std::string named = "stemma_canary";
  CHECK(decision(Story(pair("data=" + named + ".canary", "fresh"))) == "fresh: noted coordinates");
  CHECK(decision(Story(pair("data=" + named + ".canary," + named + "_7.canary", "fresh"))) ==
        "fresh: noted coordinates");
  CHECK(decision(Story(pair("data=" + named + ".orders", "fresh"))) == "refused replica.data-missing");
}

TEST_CASE("the same host, but another server: its position is worth nothing there") {
  CHECK(decision(Story(pair("", "stopped from-id=77"))) == "own GTIDs, then back");
  CHECK(decision(Story(pair("", "stopped lost-place"))) == "own GTIDs, then back");
  CHECK(decision(Story("primary; old; replica < primary | follows=old")) == "own GTIDs, then back; repoint");
  CHECK(decision(Story(pair("", "no-channel"))) == "own GTIDs, then back; repoint");
}

TEST_CASE("without GTIDs of its own nothing tells where to go on") {
  const Finding found =
      refusal(Story("primary | data=shop; old; replica < primary | data=shop follows=old slave-pos="));
  CHECK(found.code == "replica.position-unknown");
  CHECK(found.message ==
        "its file and position are not of primary, and it has no gtid_slave_pos to go on from");
}

TEST_CASE("a domain that the replica does not know would be read from its beginning") {
  const Finding found =
      refusal(Story("primary | binlog-gtid=0-1-10,5-1-3; old; replica < primary | follows=old"));
  CHECK(found.code == "replica.position-unknown");
  CHECK(found.message == "its gtid_slave_pos 0-1-10 says nothing of domain 5 of primary");
}

TEST_CASE("it has executed what its source lacks") {
  const Finding found = refusal(Story("primary; old; replica < primary | follows=old slave-pos=0-9-12"));
  CHECK(found.code == "replica.errant-transactions");
  CHECK(found.message == "has executed transactions that primary lacks: 0-9-12");
  CHECK(decision(Story(pair("", "stopped slave-pos=0-3-10"))) == "refused replica.errant-transactions");
  // Read a moment later than the source to which it is connected: proves nothing.
  CHECK(decision(Story(pair("", "applier-off slave-pos=0-1-12"))) == "executed position");
}

TEST_CASE("a GTID position that is older than the data would apply them again") {
  const std::string by_gtid = "by gtid; primary | data=shop.t; replica < primary | stopped ";
  Story emptied(by_gtid + "data=shop.t slave-pos= state= binlog-gtid=");
  emptied.channel("replica").gtid = ChannelGtid::slave_pos;
  const Finding found = refusal(emptied);
  CHECK(found.code == "replica.position-unknown");
  CHECK(found.message ==
        "has data (shop) and no GTID position, so that it would apply all of primary once more");

  Story back(by_gtid + "slave-pos=0-1-8");
  back.channel("replica").gtid = ChannelGtid::slave_pos;
  const Finding older = refusal(back);
  CHECK(older.code == "replica.position-unknown");
  CHECK(older.message ==
        "its gtid_slave_pos 0-1-8 is older than what its own binlog shows that it has executed: 0-1-10");
  // While the applier runs the two are not read at the same instant.
  back.channel("replica").applier = true;
  CHECK(decision(back) == "own GTIDs");
}

TEST_CASE("MySQL by file and position: transactions beyond which a replica was pointed") {
  const std::string uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
  Story story("by position; primary; replica < primary");
  for (const char* name : {"primary", "replica"}) {
    ServerState& state = story.state(name);
    state.flavor = Flavor::mysql;
    state.version = {9, 7, 0};
    state.mysql_gtids.emplace().mode = "ON";
    state.mysql_gtids->at_coordinates = state.mysql_gtids->executed = *GtidSet::parse(uuid + ":1-8");
  }
  const auto told = [&] {
    std::string text;
    for (const Finding& found : preflight(story.scene()))
      if (found.code == "replica.diverged") text = found.message;
    return text;
  };
  CHECK(told().empty());
  story.state("replica").mysql_gtids->executed = *GtidSet::parse(uuid + ":1-3:5-8");
  CHECK(told() == "has skipped transactions of primary: " + uuid + ":4");
  // Another worker is at it.
  story.channel("replica").executed.position -= 100;
  story.channel("replica").retrieved = *GtidSet::parse(uuid + ":4-8");
  CHECK(told().empty());
  // It was received, and stepped over: nothing is left to execute.
  story.channel("replica").executed = story.channel("replica").read;
  CHECK_FALSE(told().empty());
  // A backup that began later.
  story.channel("replica").retrieved = {};
  story.state("replica").mysql_gtids->executed = *GtidSet::parse(uuid + ":4-8");
  CHECK(told().empty());
}

TEST_CASE("neither flavor follows the other") {
  Story story("primary | fresh; replica < primary | fresh");
  ServerState& source = story.state("primary");
  source.flavor = Flavor::mysql;
  source.version = {8, 0, 36};
  source.mysql_gtids.emplace();
  std::string told;
  for (const Finding& found : preflight(story.scene()))
    if (found.code == "server.version-order" && found.weight == Weight::error) told += found.message;
  CHECK(told ==
        "is MariaDB and can't follow primary, which is MySQL: neither understands all that the other writes");
  CHECK_FALSE(story.plan().refusals.empty());
}

TEST_CASE("what it needs is purged at the source") {
  CHECK(decision(Story("primary | horizon=0-1-11; old; replica < primary | follows=old")) ==
        "refused replica.binlog-gone");
  CHECK(decision(Story("primary | horizon=0-1-10; old; replica < primary | follows=old")) ==
        "own GTIDs, then back; repoint");
}

TEST_CASE("its position is ahead of the source: the source was made anew") {
  const Finding found =
      refusal(Story(pair("at=mysql-bin.000001:400", "stopped executed=mysql-bin.000002:1000")));
  CHECK(found.code == "replica.diverged");
  CHECK(found.message ==
        "has executed up to mysql-bin.000002:1000 of primary, which stands at mysql-bin.000001:400 only: the "
        "source's "
        "binlogs are not those it came from");
}

TEST_CASE("a source whose binlogs were begun anew beneath a connected replica") {
  const auto judged = [](const std::string& source, const std::string& replica) {
    const Story story("primary | at=mysql-bin.000001:400 " + source + "; replica < primary | " + replica);
    const Server& server = story.server("replica");
    std::string text(to_text(relation_of(story.scene(), {server, server.channels.front()}).relation));
    for (const Finding& found : preflight(story.scene())) text += "; " + found.code + ": " + found.message;
    return text;
  };
  const std::string ahead = "read=mysql-bin.000002:1000";
  CHECK(
      judged("later-at=mysql-bin.000001:500", ahead) ==
      "diverged; replica.diverged: has received up to mysql-bin.000002:1000 of primary, which stands at "
      "mysql-bin.000001:500 only: its binlogs were begun anew (RESET MASTER, or a crash), and what it writes "
      "does not arrive");
  // Read a moment later than its source; connected to another one; and one that does not read.
  CHECK(judged("", ahead) == "identical");
  CHECK(judged("later-at=mysql-bin.000002:1000", ahead) == "identical");
  CHECK(judged("later-at=mysql-bin.000001:500", ahead + " from-id=77") == "identical");
  CHECK(judged("later-at=mysql-bin.000001:500", ahead + " connecting") == "identical");
}

TEST_CASE("a channel through which nothing came, on empty servers, is as good as none") {
  CHECK(decision(Story("primary | fresh; old; replica < primary | fresh follows=old stopped lost-place")) ==
        "fresh: noted coordinates");
  CHECK(
      decision(Story("primary | data=shop; old; replica < primary | fresh follows=old stopped lost-place")) ==
      "refused replica.position-unknown");
  CHECK(decision(Story("primary | fresh; old; replica < primary | fresh follows=old channel=x stopped")) ==
        "refused replica.position-unknown");
}

TEST_CASE("data and accounts of a server") {
  Story story(pair("data=mysql,sys,information_schema,performance_schema,stemma_canary,test,shop.a", ""));
  CHECK(data_of(story.state("primary"), story.topology) == std::vector<std::string>{"shop"});
  story.state("primary").schemas.reset();
  CHECK(data_of(story.state("primary"), story.topology).empty());
  CHECK(is_fresh(Story(pair("fresh", "fresh")).state("replica")));
  CHECK_FALSE(is_fresh(story.state("replica")));
}

// Found by an attack on real servers: each of these lost or doubled transactions, or threatened to.

TEST_CASE("a position on disk that is older than the data is not gone on from") {
  Story story(pair("", "stopped"));
  const Coordinates here = story.channel("replica").executed;
  auto& translated = story.state("primary").gtid_at[to_text(here)];
  translated = story.state("replica").gtid_replicated;
  CHECK(decision(story) == "executed position");
  translated = gtid("0-1-8");  // the source says: this is where 0-1-8 ends; the replica has executed 0-1-10
  CHECK(decision(story) == "own GTIDs, then back");
  translated.reset();  // no place between two transactions
  CHECK(decision(story) == "own GTIDs, then back");
  // While the applier runs, memory counts, not the disk, and it moves while it is compared.
  story.channel("replica").applier = true;
  CHECK(decision(story) == "executed position");
}

TEST_CASE("in GTID mode a stopped channel's position is nothing to go on from") {
  Story story(pair("", "stopped"));
  story.channel("replica").gtid = ChannelGtid::slave_pos;
  CHECK(decision(story) == "own GTIDs, then back");
}

TEST_CASE("a stopped channel that was last connected to another server id does not start from its position") {
  Story story(pair("", "stopped"));
  story.channel("replica").source_server_id = 77;
  CHECK(decision(story) == "own GTIDs, then back");
  CHECK(steps(story.plan()).find("configure-source") != std::string::npos);
}

TEST_CASE("received and unapplied transactions are not thrown away for another source") {
  Story story("primary; old; replica < primary | follows=old");
  story.channel("replica").applier = false;
  story.channel("replica").read.position += 100;
  CHECK(decision(story) == "refused replica.applier-stopped");
  story.channel("replica").applier_errno = 1062;
  CHECK(decision(story) == "refused replica.applier-error");
}

TEST_CASE("a source that only lags behind its own source is waited for") {
  // middle stands behind: the replica has what the primary has, and middle will.
  Story story(
      "primary; middle < primary | state=0-1-8 binlog-gtid=0-1-8; old; replica < middle | follows=old");
  CHECK(decision(story) == "own GTIDs, then back; repoint");
  CHECK(steps(story.plan()).find("middle.await-caught-up") != std::string::npos);
}

TEST_CASE("a second channel from the same server is refused") {
  Story story(pair("", "no-channel"));
  Channel other;
  other.name = "m1";
  other.host = "localhost";
  other.source_server_id = story.state("primary").identity.server_id;
  story.state("replica").channels.push_back(other);
  CHECK(decision(story) == "refused channel.unmanaged");
}

TEST_CASE("a backup's coordinates that the source never had are refused") {
  const std::string word = "provision=assume-identical at=";
  CHECK(decision(Story(pair("data=shop", "fresh data=shop", word + "mysql-bin.000002:999999"))) ==
        "refused replica.position-unknown");
  CHECK(decision(Story("by gtid; " + pair("data=shop", "fresh data=shop", word + "0-1-99"))) ==
        "refused replica.position-unknown");
}
