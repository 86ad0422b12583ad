// What writers and replication move about in a simulated fleet.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <variant>

#include "engine/clock.h"
#include "plans/gtid.h"
#include "plans/observed.h"

namespace stemma::simulated {

// An account, with the password behind its hash: a channel logs in with a password.
struct Account {
  AccountState state;
  std::string password;
  bool operator==(const Account&) const = default;
};

struct CreateSchema {
  std::string schema;
};
struct CreateTable {
  std::string schema, table;
};
struct InsertRow {
  std::string schema, table;
  std::uint64_t key = 0;  // a primary key: the same row twice is error 1062
};
struct CreateAccount {
  AccountName name;
  Account account;
};
struct AlterAccount {
  AccountName name;
  Account account;
};
struct DropAccount {
  AccountName name;
};
// What a transaction does, as far as replication can trip over it.
using Change = std::variant<CreateSchema, CreateTable, InsertRow, CreateAccount, AlterAccount, DropAccount>;

// A committed transaction. It keeps its number and its GTID wherever it is replicated to.
struct Transaction {
  std::uint64_t number = 0;  // unique in its fleet, whatever servers call it
  Gtid gtid;                 // MariaDB's; on MySQL only `server` and `sequence`
  std::string uuid;          // MySQL: of the server that numbered it; "" without GTIDs
  Change change;
  Clock::Time written;
};

// What a server stores.
struct Data {
  std::map<std::string, std::map<std::string, std::set<std::uint64_t>>> rows;  // by schema and table
  std::map<AccountName, Account> accounts;

  // Carries out the change, or gives the server's error number for why it can't be.
  int apply(const Change&);
  bool operator==(const Data&) const = default;
};

// What an applier says of that error.
std::string message_of(int error);

}  // namespace stemma::simulated
