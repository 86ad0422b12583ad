// The left side of a fixture's line: what a topology file says of one server, in a few words.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

std::vector<std::string> split(std::string_view text, std::string_view separators);

// "delay=60s" is a key and its value.
std::pair<std::string, std::string> key_value(const std::string& word);

// "replica < primary delay=60s x<other channel.x.delay=5s" as [server.replica]. The address is NAME:3306 unless
// another is given.
std::string server_table(const std::vector<std::string>& declared, const std::string& address = "");
