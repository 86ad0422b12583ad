// The tree of servers, in columns.
#include <fmt/format.h>

#include <algorithm>
#include <set>

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

struct Row {
  std::string name;  // with its branches
  std::vector<std::string> cells;
};

class Walk {
 public:
  Walk(const Topology& topology, const TreeCells& cells) : topology_(topology), cells_(cells) {}

  std::vector<Row> rows() {
    for (const Server& server : topology_.servers)
      if (server.is_root()) down(server, nullptr, "", "");
    return std::move(rows_);
  }

 private:
  void down(const Server& server, const DeclaredChannel* channel, const std::string& branch,
            const std::string& below) {
    const std::string of =
        channel == nullptr || channel->name.empty() ? "" : fmt::format(" ({})", channel->name);
    rows_.push_back({branch + server.name.text + of, cells_(server, channel)});
    if (server.channels.size() > 1 && !told_.insert(&server).second) return;
    const auto replicas = topology_.replicas_of(server.name);
    for (std::size_t i = 0; i < replicas.size(); ++i) {
      const bool last = i + 1 == replicas.size();
      const auto& channels = replicas[i]->channels;
      const auto from_here = std::find_if(channels.begin(), channels.end(), [&](const DeclaredChannel& one) {
        return one.source == server.name;
      });
      down(*replicas[i], &*from_here, below + (last ? "└─ " : "├─ "), below + (last ? "   " : "│  "));
    }
  }

  const Topology& topology_;
  const TreeCells& cells_;
  std::vector<Row> rows_;
  std::set<const Server*> told_;  // those with several sources, whose replicas stand in the tree already
};

}  // namespace

std::string tree(const Topology& topology, const std::vector<std::string>& headings, const TreeCells& cells,
                 const Palette& palette) {
  const std::vector<Row> rows = Walk(topology, cells).rows();
  std::vector<std::size_t> widths(headings.size(), 0);
  for (std::size_t c = 0; c < headings.size(); ++c) widths[c] = width(headings[c]);
  std::size_t name_width = 6;
  for (const Row& row : rows) {
    name_width = std::max(name_width, width(row.name));
    for (std::size_t c = 0; c < headings.size(); ++c) widths[c] = std::max(widths[c], width(row.cells[c]));
  }
  const auto line = [&](const std::string& name, const std::vector<std::string>& row) {
    std::string text = "  " + padded(name, name_width);
    for (std::size_t c = 0; c < row.size(); ++c) text += "  " + padded(row[c], widths[c]);
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  std::string text = palette.paint(palette.dim, line("server", headings)) + "\n";
  for (const Row& row : rows) text += line(row.name, row.cells) + "\n";
  return text;
}

}  // namespace stemma
