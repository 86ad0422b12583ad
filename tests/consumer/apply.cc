// `stemma apply FILE --yes`, in a program of one's own. Only built by the test: it would change servers.
#include <fstream>
#include <iostream>
#include <iterator>

#include "engine/apply.h"
#include "engine/secrets.h"
#include "plans/topology_file.h"
#include "providers/mysql/provider.h"

int main(int argc, char** argv) {
  if (argc != 2) return 1;
  std::ifstream in(argv[1]);
  const auto file = stemma::read_topology(std::string(std::istreambuf_iterator<char>(in), {}), argv[1]);
  if (!file) return 1;
  const auto resolved = stemma::resolve_secrets(file->topology, {.base = {}, .need_replication = true});
  if (!resolved) return 1;
  stemma::mysql::MysqlProvider provider(file->topology, resolved->secrets, {});
  stemma::SystemClock clock;
  const std::atomic<bool> stop = false;
  const stemma::ApplyTo to{file->topology, resolved->secrets, provider, clock, stop};

  const auto prepared = stemma::prepare_apply(to, std::chrono::seconds(10));
  if (!prepared || !prepared->plan.refusals.empty()) return 1;
  for (const auto& step : prepared->plan.steps) std::cout << step.id << ": " << step.summary << '\n';
  auto journal =
      stemma::Journal::create(stemma::default_journal_directory(), file->topology.name, prepared->plan);
  if (!journal) return 1;
  const auto applied = stemma::carry_out(*prepared, to, *journal, {});
  return applied ? static_cast<int>(applied->ending) : 1;
}
