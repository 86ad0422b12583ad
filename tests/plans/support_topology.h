// Pieces of topology files, and answers in a form that tests can compare.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plans/topology_file.h"

// A replication account, on lines 1 to 3.
inline const std::string account = "[replication]\nuser = \"r\"\npassword = { env = \"R\" }\n";

// A file with the root `a` and its replica `b`, whose further keys begin on line 9.
std::string replica(std::string_view keys);

std::string repeated(std::string_view text, int times);

// All of them as a person would read them.
std::string rendered(const std::vector<stemma::Diagnostic>& diagnostics);

// The topology of a file that must be free of mistakes; what is wrong fails the test that asks.
stemma::TopologyFile good(std::string_view text, const std::string& file = "topology.toml");

// Equal but for the path and all places, as JSON promises it.
stemma::Topology without_places(stemma::Topology topology);
