// The whole program but for main().
#pragma once

namespace stemma::cli {

// Parses argv, runs one command and returns the exit code.
int run(int argc, const char* const* argv);

}  // namespace stemma::cli
