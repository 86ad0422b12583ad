#include "tests/plans/support_topology.h"

#include "tests/catch.h"

std::string replica(std::string_view keys) {
  return account + "[server.a]\naddress = \"a\"\n[server.b]\naddress = \"b\"\nsource = \"a\"\n" +
         std::string(keys);
}

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

std::string rendered(const std::vector<stemma::Diagnostic>& diagnostics) {
  std::string text;
  for (const stemma::Diagnostic& diagnostic : diagnostics) text += render(diagnostic);
  return text;
}

stemma::TopologyFile good(std::string_view text, const std::string& file) {
  auto read = stemma::read_topology(text, file);
  if (!read) FAIL(rendered(read.error()));
  return std::move(*read);
}

stemma::Topology without_places(stemma::Topology topology) {
  topology.path.clear();
  topology.places.clear();
  for (stemma::Ignore& ignore : topology.ignores) ignore.place = {};
  for (stemma::Server& server : topology.servers) {
    server.place = {};
    server.places.clear();
    for (stemma::DeclaredChannel& channel : server.channels) channel.place = {};
  }
  return topology;
}
