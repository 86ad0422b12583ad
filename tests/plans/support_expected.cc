#include "tests/plans/support_expected.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/catch.h"

void check_text(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::path(STEMMA_SOURCE_DIR) / "tests/plans/expected" / (name + ".txt");
  if (std::getenv("STEMMA_WRITE_EXPECTED") != nullptr) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  std::ifstream file(path, std::ios::binary);
  const std::string expected(std::istreambuf_iterator<char>(file), {});
  INFO(path.string());
  CHECK(text == expected);
}
