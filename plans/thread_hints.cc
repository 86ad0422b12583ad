#include "plans/thread_hints.h"

#include <fmt/format.h>

#include <algorithm>

#include "plans/tls_trouble.h"

namespace stemma {
namespace {

std::string tls_hint(const Channel& channel) {
  const std::string authority = channel.ca.empty() ? "an authority that the replica trusts" : channel.ca;
  switch (tls_trouble(channel.receiver_error)) {
    case TlsTrouble::not_offered:
      return "its source offers no TLS: give the source a certificate (ssl_cert, ssl_key), or declare tls = "
             "\"preferred\"";
    case TlsTrouble::no_authority:
      return "it has nothing to verify its source's certificate with: declare `ca`, a file on the replica's "
             "machine";
    case TlsTrouble::own_files:
      return fmt::format(
          "the replica's server can't read the channel's ca, cert or key ({}{}{}): they are files on "
          "its machine, which it must be allowed to read",
          channel.ca, channel.cert.empty() ? "" : ", " + channel.cert,
          channel.key.empty() ? "" : ", " + channel.key);
    case TlsTrouble::own_pair: return "the channel's cert and key don't belong together";
    case TlsTrouble::other_name:
      return fmt::format(
          "the source's certificate is not made out for '{0}': give it one with this name "
          "(subjectAltName), or `advertise` the source by a name that its certificate has",
          channel.host);
    case TlsTrouble::expired:
      return "renew the source's certificate (ssl_cert), or mend the clock of the replica";
    case TlsTrouble::not_yet_valid: return "check the clocks of source and replica";
    case TlsTrouble::no_version: return "see tls_version of both servers: they have none in common";
    case TlsTrouble::other_authority:
    case TlsTrouble::not_verified:
      return fmt::format(
          "the source's certificate is not signed by {}, or has expired{}: `openssl verify` tells which",
          authority, channel.verify ? fmt::format(", or is not made out for '{}'", channel.host) : "");
    case TlsTrouble::unknown: break;
  }
  return "check the channel's tls, ca, cert and key, and the source's certificate";
}

std::string login_hint(const Channel& channel) {
  const bool ascii =
      std::all_of(channel.user.begin(), channel.user.end(), [](unsigned char c) { return c < 0x80; });
  return fmt::format(
      "the source has '{}' with another password, or with a host pattern that does not fit the replica{}{}",
      channel.user, channel.tls ? "" : ", or wants TLS of it (REQUIRE SSL), which the channel lacks",
      // MariaDB 10.11's receiver sends the name in latin1 by default.
      ascii ? "" : "; a name like this one needs character_set_server = utf8mb4 on the replica");
}

}  // namespace

std::string receiver_hint(const Channel& channel) {
  switch (channel.receiver_errno) {
    case 1045: return login_hint(channel);
    case 1236:  // of many causes
    case 13114:
      if (channel.receiver_error.find("purged") == std::string::npos &&
          channel.receiver_error.find("Could not find first log") == std::string::npos)
        return {};
      return "what it asks for is gone (SHOW BINARY LOGS of its source tells what is left): provision the "
             "replica anew from a backup";
    case 2002:
    case 2003:
    case 2005:
      return fmt::format(
          "check that the replica can reach its source as {}:{}; `advertise` in the file says how",
          channel.host, channel.port);
    case 2026: return tls_hint(channel);
    // A server logs in as a client here, with the client halves of the plugins in its own directory. Debian has them
    // where its client library looks.
    case 2059:
      return "put this file into the replica's plugin_dir (on Debian a link to the one of package "
             "libmariadb3, below /usr/lib/*/libmariadb3/plugin), or declare another plugin";
    case 2061:
    case 3159: return "the source wants this login encrypted: declare tls = \"required\"";
    default: return {};
  }
}

std::string applier_hint(const Channel& channel) {
  if (!channel.relay_log_unreadable())
    return "starting it tries the same transaction again; if that fails, mend the data on the replica "
           "(stemma never skips a transaction)";
  const std::string broken = "its relay log can't be read, as after a crash";
  const std::string of_channel = channel.name.empty() ? "" : fmt::format(" FOR CHANNEL '{}'", channel.name);
  if (channel.fetches_anew())
    return broken +
           "; started by GTID with both threads stopped, the replica fetches anew what its source still has";
  if (channel.gtid != ChannelGtid::no)
    return fmt::format(
        "{}; what it has not executed comes again by GTID, as long as its source has it: run STOP REPLICA{}; "
        "RESET REPLICA{} (SLAVE before 8.0.22), then apply again{}",
        broken, of_channel, of_channel,
        channel.delay == 0
            ? ""
            : fmt::format(" (it sets the delay of {} s to 0: say it again first)", channel.delay));
  if (!channel.executed.known())
    return broken + ", nor does it know where it stood: provision the replica anew from a backup";
  return fmt::format(
      "{}; its applier stands at {} of its source (after a crash of a MariaDB replica compare "
      "gtid_slave_pos, which may be further): if that has this file still, stop the channel{} and change it "
      "to that place, from which it fetches anew",
      broken, to_text(channel.executed), channel.name.empty() ? "" : " '" + channel.name + "'");
}

}  // namespace stemma
