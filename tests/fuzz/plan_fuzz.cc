// Plan files from any bytes: nothing crashes; a document whose plan_id fits is taken or refused with a reason; what it
// wants is printed and read back, and compared with itself and with a document of other content.
#include "plans/json_text.h"
#include "plans/plan_file.h"
#include "tests/fuzz/support.h"

using namespace stemma;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  if (const auto saved = load_plan(text); !saved) must(!saved.error().message.empty());
  // No mutation finds a digest by itself.
  nlohmann::json document = parse_json(text);
  if (!document.is_object()) return 0;
  document["plan_id"] = plan_id_of(document);
  const auto saved = load_plan(json_text(document));
  if (!saved) {
    must(!saved.error().message.empty());
    return 0;
  }
  reads_back(saved->desired);
  must(same_steps(saved->document, document));
  must(still_as_saved(*saved, document).has_value());
  nlohmann::json other = document;
  other["fingerprint"] = document["desired"];
  other["steps"] = nlohmann::json::array();
  (void)still_as_saved(*saved, other);
  return 0;
}
