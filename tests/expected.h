// Texts for people and for servers, compared letter by letter with files.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/catch.h"

// Checks that `text` is that of tests/FOLDER/expected/NAME.txt. With STEMMA_WRITE_EXPECTED set the file is written
// instead: look at the difference before you commit it.
inline void check_text(const std::string& folder, const std::string& name, const std::string& text) {
  const auto path =
      std::filesystem::path(STEMMA_SOURCE_DIR) / "tests" / folder / "expected" / (name + ".txt");
  if (std::getenv("STEMMA_WRITE_EXPECTED") != nullptr) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  std::ifstream file(path, std::ios::binary);
  const std::string expected(std::istreambuf_iterator<char>(file), {});
  INFO(path.string());
  CHECK(text == expected);
}
