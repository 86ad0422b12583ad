#include <exception>
#include <iostream>

#include "cli/exit_code.h"
#include "cli/run.h"

int main(int argc, char** argv) {
  try {
    return stemma::cli::run(argc, argv);
  } catch (const std::exception& thrown) {
    std::cerr << "error: " << thrown.what()
              << "\nThis is a bug of stemma; please report it with the command line.\n";
    return stemma::cli::ExitCode::error;
  }
}
