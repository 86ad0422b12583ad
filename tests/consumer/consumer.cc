// Prints the servers of a topology file, one on a line.
#include <fstream>
#include <iostream>
#include <iterator>

#include "plans/topology_file.h"

int main(int argc, char** argv) {
  if (argc != 2) return 1;
  std::ifstream in(argv[1]);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  const auto file = stemma::read_topology(text, argv[1]);
  if (!file) return 1;
  for (const auto& server : file->topology.servers) std::cout << server.name.text << '\n';
}
