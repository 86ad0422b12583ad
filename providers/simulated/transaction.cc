#include "providers/simulated/transaction.h"

#include <fmt/format.h>

namespace stemma::simulated {
namespace {

constexpr int kOk = 0, kSchemaExists = 1007, kTableExists = 1050, kDuplicateRow = 1062, kNoTable = 1146,
              kNoSchema = 1049, kAccountTrouble = 1396;

int carry_out(const CreateSchema& change, Data& data) {
  return data.rows.try_emplace(change.schema).second ? kOk : kSchemaExists;
}

int carry_out(const CreateTable& change, Data& data) {
  const auto schema = data.rows.find(change.schema);
  if (schema == data.rows.end()) return kNoSchema;
  return schema->second.try_emplace(change.table).second ? kOk : kTableExists;
}

int carry_out(const InsertRow& change, Data& data) {
  const auto schema = data.rows.find(change.schema);
  if (schema == data.rows.end()) return kNoSchema;
  const auto table = schema->second.find(change.table);
  if (table == schema->second.end()) return kNoTable;
  return table->second.insert(change.key).second ? kOk : kDuplicateRow;
}

int carry_out(const CreateAccount& change, Data& data) {
  return data.accounts.try_emplace(change.name, change.account).second ? kOk : kAccountTrouble;
}

int carry_out(const AlterAccount& change, Data& data) {
  const auto found = data.accounts.find(change.name);
  if (found == data.accounts.end()) return kAccountTrouble;
  found->second = change.account;
  return kOk;
}

int carry_out(const DropAccount& change, Data& data) {
  return data.accounts.erase(change.name) > 0 ? kOk : kAccountTrouble;
}

}  // namespace

int Data::apply(const Change& change) {
  return std::visit([&](const auto& part) { return carry_out(part, *this); }, change);
}

std::string message_of(int error) {
  switch (error) {
    case kSchemaExists: return "Can't create database; database exists";
    case kNoSchema: return "Unknown database";
    case kTableExists: return "Table already exists";
    case kDuplicateRow: return "Duplicate entry for key 'PRIMARY'";
    case kNoTable: return "Table doesn't exist";
    case kAccountTrouble: return "Operation on account failed";
    default: return fmt::format("error {}", error);
  }
}

}  // namespace stemma::simulated
