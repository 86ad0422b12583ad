// The tree of servers, in columns.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "plans/render.h"

namespace stemma {
namespace {

// Columns on a screen, for UTF-8 text without combining characters.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t to) {
  const std::size_t is = width(text);
  return is < to ? text + std::string(to - is, ' ') : text;
}

// The names with their branches, in the order of a walk down the trees; `order` says which server each is.
void walk(const Topology& topology, std::vector<std::string>& names, std::vector<std::size_t>& order) {
  const std::function<void(const Server&, const std::string&, const std::string&)> down =
      [&](const Server& server, const std::string& branch, const std::string& below) {
        names.push_back(branch + server.name.text);
        order.push_back(static_cast<std::size_t>(&server - topology.servers.data()));
        const auto replicas = topology.replicas_of(server.name);
        for (std::size_t i = 0; i < replicas.size(); ++i) {
          const bool last = i + 1 == replicas.size();
          down(*replicas[i], below + (last ? "└─ " : "├─ "), below + (last ? "   " : "│  "));
        }
      };
  for (const Server& server : topology.servers)
    if (server.is_root()) down(server, "", "");
}

}  // namespace

std::string tree(const Topology& topology, const std::vector<std::string>& headings,
                 const std::vector<std::vector<std::string>>& cells, const Palette& palette) {
  std::vector<std::string> names;
  std::vector<std::size_t> order;
  walk(topology, names, order);
  std::vector<std::size_t> widths(headings.size(), 0);
  for (std::size_t c = 0; c < headings.size(); ++c) widths[c] = width(headings[c]);
  std::size_t name_width = 6;
  for (std::size_t i = 0; i < order.size(); ++i) {
    name_width = std::max(name_width, width(names[i]));
    for (std::size_t c = 0; c < headings.size(); ++c)
      widths[c] = std::max(widths[c], width(cells[order[i]][c]));
  }
  const auto line = [&](const std::string& name, const std::vector<std::string>& row) {
    std::string text = "  " + padded(name, name_width);
    for (std::size_t c = 0; c < row.size(); ++c) text += "  " + padded(row[c], widths[c]);
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  std::string text = palette.paint(palette.dim, line("server", headings)) + "\n";
  for (std::size_t i = 0; i < order.size(); ++i) text += line(names[i], cells[order[i]]) + "\n";
  return text;
}

}  // namespace stemma
