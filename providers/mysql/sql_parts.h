// Parts of the changing half of the SQL. Internal to providers/mysql.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "plans/observed.h"
#include "plans/topology.h"
#include "providers/mysql/dialect.h"

namespace stemma::mysql {

// Where a channel starts, as the text of two SQL values; both empty for "by its own GTIDs".
struct StartingPoint {
  std::string file, position;
};

std::string account_name(const ReplicationAccount&);

// The statements that change the replication account, to be run outside the binlog. `password` is a quoted literal.
std::vector<std::string> create_account(const Dialect&, const ReplicationAccount&,
                                        const std::string& password);
// The same where the account may be there already, with whatever password.
std::vector<std::string> create_or_alter_account(const Dialect&, const ReplicationAccount&,
                                                 const std::string& password);
std::vector<std::string> alter_account(const Dialect&, const ReplicationAccount&,
                                       const std::string& password);
std::vector<std::string> grant_replication(const ReplicationAccount&);
// Takes from the account all but what replication needs.
std::vector<std::string> revocations(const AccountState&, const ReplicationAccount&);
// Accounts are made on each server by itself: in the binlog they would be errant transactions of a replica, and
// stop the applier of one that has them already.
std::vector<std::string> outside_binlog(std::vector<std::string> work);
// On a super_read_only server accounts can only be changed while that is off. read_only stays on all the while, and
// where a crash leaves super_read_only off, the next plan finds it missing.
std::vector<std::string> beside_super_read_only(std::vector<std::string> work,
                                                std::chrono::seconds lock_wait);
std::string limit_lock_wait(std::chrono::seconds);

// What a CHANGE of a channel is made of.
struct ChannelChange {
  const DeclaredChannel& channel;
  const Server& source;
  const ReplicationAccount& account;
  std::string password;  // a quoted literal
  StartingPoint from;
  const Channel* now = nullptr;  // none: a new channel
  bool source_offers_tls = false;
  bool sha2_account = false;  // its source's account, or its default, is caching_sha2_password
};
// The channel's name where a statement wants it: after the verb (MariaDB), at the end (MySQL). "" where there is
// nothing to say: MariaDB's default channel, and MySQL before it knew others. On MySQL the default one is named,
// too: a statement that names none is about all channels.
std::string after_verb(const Dialect&, std::string_view channel);
std::string at_end(const Dialect&, std::string_view channel);
// CHANGE MASTER TO, with the name of the channel where it stands after the verb; at_end() is still to come.
std::string change_verb(const Dialect&, std::string_view channel);
// The statements that set the declared filters of schemas and tables; CHANGE leaves the others as they are.
std::vector<std::string> set_filters(const Dialect&, const DeclaredChannel&);
std::string change_source(const Dialect&, const ChannelChange&);

}  // namespace stemma::mysql
