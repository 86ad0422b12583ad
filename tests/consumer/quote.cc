// Needs the client library itself, though nothing here names it.
#include <iostream>

#include "providers/mysql/connection.h"

int main() { std::cout << stemma::mysql::escape("it's") << '\n'; }
