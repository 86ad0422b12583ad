// Plans, drift and status for people and for other programs' formats. Pure: text out; terminal codes come in
// with the palette.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "plans/fact.h"
#include "plans/plan.h"
#include "plans/plan_file.h"

namespace stemma {

// What surrounds a piece of text; empty strings for plain text.
struct Palette {
  std::string good, bad, warn, dim, bold, reset;
  [[nodiscard]] std::string paint(const std::string& with, std::string_view text) const {
    return with.empty() ? std::string(text) : with + std::string(text) + reset;
  }
};

struct PlanView {
  const Scene& scene;
  const Plan& plan;
  const Preview& preview;
  std::string plan_id;
};

std::string plan_as_text(const PlanView&, const Palette&, bool with_sql);
std::string plan_as_markdown(const PlanView&);  // for a pull request
std::string plan_as_sql(const PlanView&);       // a commented script, server by server in the plan's order
std::string plan_as_dot(const Plan&);
std::string plan_as_mermaid(const Plan&);

// One line: "Plan: 9 steps on 3 servers, …".
std::string plan_summary(const Plan&, const Scene&);
// "create 'repl_user'@'%' …" with what is known only after apply: "(binlog coordinates of primary, known after step 3)".
std::string step_sentence(const Plan&, const Step&);

// What stands behind a server in the tree: the channel is that of the branch, nullptr at a root.
using TreeCells = std::function<std::vector<std::string>(const Server&, const DeclaredChannel*)>;
// The trees of servers, a line for each server below each of its sources; what hangs on it stands below the first.
std::string tree(const Topology&, const std::vector<std::string>& headings, const TreeCells&, const Palette&);

// Findings server by server, errors first to be read; ignored ones marked.
std::string findings_as_text(const std::vector<Finding>&, const Topology&, const Palette&);
std::string drift_as_text(const std::vector<Finding>&, const Topology&, const Palette&);
nlohmann::json drift_to_json(const std::vector<Finding>&, const Topology&);

// What a server that could not be observed is called in a table cell: "no answer", "login refused".
std::string silence_text(const Fleet&, const ServerName&);

// Whom the GRANTs are for: an account that only looks, or one that applies, too.
enum class GrantsFor { looking, applying };
// The GRANTs that the file's admin accounts need, for each version, as SQL with comments. Asks no server.
std::string grants_as_sql(const Topology&, GrantsFor);

std::string status_as_text(const Scene&, const std::vector<Finding>&, const Palette&);
nlohmann::json status_to_json(const Scene&, const std::vector<Finding>&);

}  // namespace stemma
