#include "plans/plan_graph.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/strong_components.hpp>
#include <queue>

namespace stemma {
namespace {

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS>;

// boost::topological_sort gives an order, but which one depends on how the edges were added. Plans must be
// the same for the same input, and read best when what could come first does: smallest ready vertex first.
std::vector<std::size_t> smallest_first_order(const Graph& graph) {
  std::vector<std::size_t> waits(boost::num_vertices(graph));
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t v = 0; v < waits.size(); ++v)
    if ((waits[v] = boost::in_degree(v, graph)) == 0) ready.push(v);
  std::vector<std::size_t> order;
  while (!ready.empty()) {
    const std::size_t v = ready.top();
    ready.pop();
    order.push_back(v);
    for (auto [edge, end] = boost::out_edges(v, graph); edge != end; ++edge)
      if (--waits[boost::target(*edge, graph)] == 0) ready.push(boost::target(*edge, graph));
  }
  return order;
}

}  // namespace

Result<GraphShape> shape_of(const std::vector<std::vector<std::size_t>>& after) {
  Graph graph(after.size());
  for (std::size_t v = 0; v < after.size(); ++v)
    for (const std::size_t before : after[v]) boost::add_edge(before, v, graph);

  std::vector<std::size_t> component(after.size());
  const std::size_t components = boost::strong_components(
      graph, boost::make_iterator_property_map(component.begin(), boost::get(boost::vertex_index, graph)));
  if (components != after.size()) {
    std::vector<std::size_t> members(components, 0);
    for (const std::size_t c : component) ++members[c];
    std::vector<std::string> cycle;
    for (std::size_t v = 0; v < component.size(); ++v)
      if (members[component[v]] > 1) cycle.push_back(std::to_string(v));
    return fail(Trouble::bug, "the steps wait for each other in a cycle: {}", fmt::join(cycle, ", "));
  }

  GraphShape shape;
  shape.order = smallest_first_order(graph);
  shape.urgency.assign(after.size(), 1);
  std::vector<std::size_t> follower(after.size(), after.size());
  for (auto v = shape.order.rbegin(); v != shape.order.rend(); ++v)
    for (auto [edge, end] = boost::out_edges(*v, graph); edge != end; ++edge) {
      const std::size_t next = boost::target(*edge, graph);
      if (shape.urgency[next] + 1 > shape.urgency[*v]) {
        shape.urgency[*v] = shape.urgency[next] + 1;
        follower[*v] = next;
      }
    }
  if (!after.empty()) {
    auto start = static_cast<std::size_t>(std::max_element(shape.urgency.begin(), shape.urgency.end()) -
                                          shape.urgency.begin());
    for (; start != after.size(); start = follower[start]) shape.critical_path.push_back(start);
  }
  return shape;
}

}  // namespace stemma
