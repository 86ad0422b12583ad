// The small languages inside a topology file's strings: addresses, durations, dates, enumerations.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "plans/topology.h"

namespace stemma {

// The words of each enumeration, in the order of its values.
inline constexpr std::array<std::string_view, 5> tls_words = {"disabled", "preferred", "required",
                                                              "verify-ca", "verify-identity"};
inline constexpr std::array<std::string_view, 5> provision_words = {"refuse", "assume-identical", "replay",
                                                                    "clone", "dump"};
inline constexpr std::array<std::string_view, 3> coordinates_words = {"position", "gtid", "auto"};

// The place of `text` among `words`, nothing if it is none of them.
std::optional<std::size_t> index_in(std::span<const std::string_view> words, std::string_view text);

// On failure of these: what is wrong, as the end of a sentence.
// "host:port", "host" (port 3306), "[::1]:3306", "unix:/path".
tl::expected<Address, std::string> parse_address(std::string_view text);
// "500ms", "10s", "2m", "1h".
tl::expected<std::chrono::milliseconds, std::string> parse_duration(std::string_view text);
// A day that exists, written "2026-12-31"; gives the same text.
tl::expected<std::string, std::string> parse_date(std::string_view text);

// "10s", "1500ms": what parse_duration reads.
std::string duration_text(std::chrono::milliseconds duration);

// Letters, digits, '_', '.', '-'; 1 to 64 of them.
bool is_server_name(std::string_view text);
// Small letters, digits, '_', '-'; 1 to 64 of them. Servers don't tell small from capital letters here, and MySQL keeps
// group_replication_… for itself.
bool is_channel_name(std::string_view text);
// "FILE:POS" or a GTID set of either flavor; a set is only looked at roughly, its server judges it.
bool is_coordinates(std::string_view text);
bool has_control_characters(std::string_view text);

// The candidate that `word` is likely meant to be, "" if none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// "a, b, c", each in double quotes.
std::string list_in_quotes(std::span<const std::string_view> words);
// Between double quotes, fit for a terminal, cut when it is long.
std::string in_quotes(std::string_view text);

}  // namespace stemma
