// The shape of a dependency graph, worked out by Boost.Graph. No Boost type leaves plan_graph.cc.
#pragma once

#include <cstddef>
#include <vector>

#include "plans/error.h"

namespace stemma {

struct GraphShape {
  std::vector<std::size_t> order;          // each vertex after those it waits for; ties by vertex number
  std::vector<std::size_t> critical_path;  // a longest chain, from its start
  std::vector<std::size_t> urgency;        // by vertex: the length of the longest chain that hangs on it
};

// `after[v]` lists the vertices that v waits for. A cycle is an error (Trouble::bug) that names its vertices.
Result<GraphShape> shape_of(const std::vector<std::vector<std::size_t>>& after);

}  // namespace stemma
