// A topology file after its syntax and before its meaning: a tree of values that know where they stand.
// TOML text and a plan's JSON both become this, so that there is one check and one decoder for the two.
// Internal to `plans`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plans/topology.h"

namespace stemma {

// A piece of one line; {0, 0} is "not from a file".
struct Span {
  Place place;
  int length = 1;  // in columns
};

struct Entry;

struct Node {
  enum class Kind { text, integer, number, boolean, date, other, list, table };
  Kind kind = Kind::table;
  std::string text;  // of a text; of a date as "2026-12-31"; of `other`: what it is, for messages
  std::int64_t integer = 0;
  double number = 0;
  bool boolean = false;
  std::vector<Node> items;     // of a list
  std::vector<Entry> entries;  // of a table, in the order of the file
  Span span;                   // of the value; of a [table] its header

  // The entry of that name, nullptr if there is none or this is no table.
  [[nodiscard]] const Entry* find(std::string_view key) const;
};

struct Entry {
  std::string key;
  Span span;  // of the key
  Node value;
};

inline const Entry* Node::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

}  // namespace stemma
