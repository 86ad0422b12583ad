// Topology files from any bytes: nothing crashes, every mistake can be shown, a good file is printed and read back,
// and planned for servers that are silent and for servers just installed.
#include "plans/topology_file.h"
#include "tests/fuzz/support.h"

using namespace stemma;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = read_topology(text_of(data, size), "fuzz.toml");
  if (!file) {
    must(!file.error().empty());
    for (const Diagnostic& mistake : file.error()) must(!render(mistake).empty() && !mistake.message.empty());
    return 0;
  }
  for (const Diagnostic& warning : file->warnings) must(!render(warning).empty());
  const Topology& topology = file->topology;
  reads_back(topology);
  Fleet fleet;
  for (const Server& server : topology.servers) fleet.silent[server.name] = {};
  plan_everything(topology, fleet);
  fleet.silent.clear();
  for (const Server& server : topology.servers) fleet.servers[server.name] = {};
  plan_everything(topology, fleet);
  return 0;
}
