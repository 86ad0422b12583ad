// Catch2 v2 wants its main compiled once; v3 brings it as a library and this file is left out.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
