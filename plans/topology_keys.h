// Every key that a topology file may have: what the check of a file, and the JSON Schema of the file
// (`stemma schema`), are made from.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace stemma {

// The tables of a file. Values are bits: some keys stand in several tables.
enum class Section : unsigned {
  none = 0,
  file = 1,  // the top level
  topology = 2,
  admin = 4,  // also [server.X.admin]
  replication = 8,
  server = 16,   // also [defaults]
  channel = 32,  // [server.X.channel.NAME]
  limits = 64,
  verify = 128,
  ignore = 256,
};

enum class KeyType {
  text,  // not empty, without control characters
  boolean,
  integer,       // within [min, max]
  seconds,       // "10s"; within [min, max] seconds
  milliseconds,  // "500ms"; within [min, max] milliseconds
  address,       // "host:port", "unix:/path"
  host_address,  // the same without sockets
  server,        // the name of a server of this file
  coordinates,   // "FILE:POS" or a GTID set
  date,
  choice,      // one of `choices`
  secret,      // a literal, or one of { env = … }, { file = … }, { command = […] }
  texts,       // a list of texts, not empty
  integers,    // a list of integers within [min, max]
  variables,   // a table of any names with texts, numbers or booleans
  table,       // one table with the keys of `below`
  tables,      // a table of such tables by name: [server.X]
  table_list,  // a list of such tables: [[ignore]]
};

struct KeyName {
  unsigned sections = 0;  // in which it may stand
  std::string_view name;
  KeyType type = KeyType::text;
  std::string_view doc;  // one line for people
};

struct KeyRule {
  std::span<const std::string_view> choices = {};
  std::int64_t min = 0, max = 0;
  bool required = false;
  // What this version does not do yet: "" nothing, "all" the whole key, else those of `choices` between '|'.
  std::string_view not_yet = {};
  Section below = Section::none;
};

struct Key : KeyName, KeyRule {};

std::span<const Key> topology_keys();

// nullptr: there is no such key in that section.
const Key* find_key(Section section, std::string_view name);

// The names of the keys of a section, in the order of the table.
std::vector<std::string_view> key_names(Section section);

// True when this version of stemma does not do what the key asks (`value` counts for choices).
bool is_not_yet(const Key& key, std::string_view value);

// How the header of a section is written: "[limits]", "[server.NAME]"; "" for the top level.
std::string_view header_of(Section section);

}  // namespace stemma
