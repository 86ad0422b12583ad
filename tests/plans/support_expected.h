// Texts for people, compared letter by letter with the files in expected/.
#pragma once

#include <string>

// Checks that `text` is that of tests/plans/expected/NAME.txt. With STEMMA_WRITE_EXPECTED set the file is written
// instead: look at the difference before you commit it.
void check_text(const std::string& name, const std::string& text);
