#include "plans/plan_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "plans/fingerprint.h"
#include "plans/json_text.h"
#include "plans/password_hash.h"
#include "plans/topology_file.h"

namespace stemma {
namespace {

using nlohmann::json;

json servers_to_json(const Scene& scene) {
  json servers = json::array();
  for (const Server& server : scene.desired.servers) servers.push_back(server_to_json(scene, server));
  return servers;
}

// Where a channel starts: a value, or a typed unknown with the step that brings it.
json origin_to_json(const Plan& plan, const Step& step) {
  const auto unknown = [&](std::string_view what, const std::string& of, StepKind kind) {
    json value = {{"unknown", what}, {"of", of}};
    for (auto before = step.after.rbegin(); before != step.after.rend(); ++before)
      if (plan.steps[*before].kind == kind && plan.steps[*before].server.text == of) {
        value["after"] = plan.steps[*before].id;
        break;
      }
    return value;
  };
  const Origin& origin = *step.origin;
  if (std::holds_alternative<FromNoted>(origin)) {
    json noted = json::array();
    for (const ServerName& source : sources_of(step))
      noted.push_back(unknown("coordinates", source.text, StepKind::capture_coordinates));
    return noted.size() == 1 ? noted.front() : noted;
  }
  if (const auto* at = std::get_if<FromCoordinates>(&origin)) return to_text(at->at);
  if (const auto* gtid = std::get_if<FromGtid>(&origin)) return to_text(gtid->at);
  if (const auto* first = std::get_if<FromFirstBinlog>(&origin)) return to_text(Coordinates{first->file, 4});
  if (std::holds_alternative<FromExecuted>(origin))
    return unknown("executed-position", step.server.text, StepKind::stop_replica);
  return unknown("gtid-position", step.server.text, StepKind::stop_replica);
}

json step_to_json(const Plan& plan, const Step& step, const Preview& preview) {
  json entry = {{"id", step.id},           {"kind", to_text(step.kind)}, {"server", step.server.text},
                {"summary", step.summary}, {"reason", step.reason},      {"needs", json::array()},
                {"sql", preview(step)},    {"hazards", json::array()},   {"requires", json::array()},
                {"ensures", json::array()}};
  for (const StepIndex before : step.after) entry["needs"].push_back(plan.steps[before].id);
  for (const Hazard hazard : step.hazards) entry["hazards"].push_back(to_text(hazard));
  for (const Fact& fact : step.needs) entry["requires"].push_back(describe(fact));
  for (const Fact& fact : step.ensures) entry["ensures"].push_back(describe(fact));
  if (step.origin) entry["from"] = origin_to_json(plan, step);
  return entry;
}

}  // namespace

json server_to_json(const Scene& scene, const Server& server) {
  const ServerState* state = scene.observed.find(server.name);
  json entry = {{"name", server.name.text},
                {"address", to_text(server.address)},
                {"role", server.is_root() ? "source" : "replica"},
                {"reachable", state != nullptr}};
  entry["flavor"] = state == nullptr ? json() : json(state->flavor == Flavor::mysql ? "mysql" : "mariadb");
  entry["version"] = state == nullptr ? json() : json(to_text(state->version));
  return entry;
}

json finding_to_json(const Finding& found) {
  json entry = {{"code", found.code},          {"severity", to_text(found.weight)},
                {"server", found.server.text}, {"attribute", found.attribute},
                {"message", found.message},    {"desired", found.desired},
                {"observed", found.observed},  {"ignored", found.ignored}};
  entry["line"] = found.place.line > 0 ? json(found.place.line) : json();
  if (!found.hint.empty()) entry["hint"] = found.hint;
  return entry;
}

Result<json> plan_to_json(const Scene& scene, const Plan& plan, const Preview& preview,
                          std::string_view version, bool to_save) {
  json document = {{"format_version", kFormatVersion},
                   {"stemma_version", version},
                   {"topology", scene.desired.name},
                   {"coordinates", plan.coordinates == CoordinatesMode::gtid ? "gtid" : "position"},
                   {"servers", servers_to_json(scene)},
                   {"differences", json::array()},
                   {"steps", json::array()},
                   {"refusals", json::array()},
                   {"notes", plan.notes},
                   {"fingerprint", fingerprint(scene, plan)}};
  auto desired = to_json(scene.desired);
  if (desired)
    document["desired"] = std::move(*desired);
  else if (to_save)
    return tl::unexpected(desired.error());
  for (const Finding& found : plan.differences) {
    if (found.weight != Weight::error) continue;
    document["differences"].push_back({{"server", found.server.text},
                                       {"attribute", found.attribute},
                                       {"desired", found.desired},
                                       {"observed", found.observed},
                                       {"code", found.code}});
  }
  for (const Step& step : plan.steps) document["steps"].push_back(step_to_json(plan, step, preview));
  for (const Finding& found : plan.refusals)
    document["refusals"].push_back({{"code", found.code},
                                    {"server", found.server.text},
                                    {"message", found.message},
                                    {"hint", found.hint}});
  std::set<std::string> changed;
  for (const Step& step : plan.steps) changed.insert(step.server.text);
  document["summary"] = {
      {"steps", plan.steps.size()}, {"servers_changed", changed.size()}, {"critical_path", json::array()}};
  for (const StepIndex step : plan.critical_path)
    document["summary"]["critical_path"].push_back(plan.steps[step].id);
  document["plan_id"] = plan_id_of(document);
  return document;
}

std::string plan_id_of(const json& document) {
  if (!document.contains("plan_id")) return short_digest(json_text(document));
  json content = document;
  content.erase("plan_id");
  return short_digest(json_text(content));
}

bool looks_like_plan(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

Result<SavedPlan> load_plan(std::string_view text) {
  json document = parse_json(text);
  if (document.is_discarded() || !document.is_object())
    return fail(Trouble::input, "the plan file is not whole: it is no valid JSON");
  const auto text_at = [&](const char* key) {
    return document.contains(key) && document[key].is_string() ? document[key].get<std::string>()
                                                               : std::string();
  };
  const std::string format = text_at("format_version");
  if (format.empty()) return fail(Trouble::input, "this JSON is no plan of stemma: it has no format_version");
  if (format.substr(0, format.find('.')) != kFormatVersion.substr(0, kFormatVersion.find('.')))
    return fail(Trouble::input, "the plan has format version {}, this stemma reads {}; plan again", format,
                kFormatVersion);
  const auto id = document.find("plan_id");
  if (id == document.end() || *id != plan_id_of(document))
    return fail(Trouble::input,
                "the plan was changed after it was saved: its plan_id does not fit its content; plan again");
  if (!document.contains("desired") || !document.contains("steps") || !document.contains("fingerprint"))
    return fail(Trouble::input,
                "the plan holds no topology to apply; save it with `stemma plan FILE -o PLAN`");
  auto desired = topology_from_json(document["desired"]);
  if (!desired) return tl::unexpected(desired.error().within("the plan's topology"));
  return SavedPlan{std::move(*desired), std::move(document)};
}

bool same_steps(const json& a, const json& b) {
  return a.value("steps", json()) == b.value("steps", json()) &&
         a.value("refusals", json()) == b.value("refusals", json());
}

Result<void> still_as_saved(const SavedPlan& saved, const json& made_now) {
  // What was saved went through text, which holds neither bytes that are no UTF-8 nor numbers that are none.
  const json now = parse_json(json_text(made_now));
  const auto changes = moved(saved.document["fingerprint"], now["fingerprint"]);
  if (!changes.empty())
    return tl::unexpected(Error{Trouble::stale,
                                "the plan is stale, nothing was changed; since it was made:",
                                fmt::format("{}", fmt::join(changes, "\n  ")),
                                0,
                                {}});
  if (!same_steps(saved.document, now))
    return tl::unexpected(Error{Trouble::input,
                                "the steps are not those that this stemma makes of its topology",
                                "plan again",
                                0,
                                {}});
  return {};
}

}  // namespace stemma
