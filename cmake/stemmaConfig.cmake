# find_package(stemma): stemma::plans, stemma::engine and stemma::providers.
include(CMakeFindDependencyMacro)

# What their headers use ...
find_dependency(Threads)
find_dependency(fmt)
find_dependency(tl-expected)
find_dependency(nlohmann_json)
# ... and what only their insides use: static libraries hand it on to whoever links them.
find_dependency(tomlplusplus)
find_dependency(Boost CONFIG)
find_dependency(OpenSSL)
find_dependency(PkgConfig)
if(NOT TARGET PkgConfig::MYSQLCLIENT)
  pkg_search_module(MYSQLCLIENT IMPORTED_TARGET libmariadb mysqlclient)
  if(NOT MYSQLCLIENT_FOUND)
    set(stemma_FOUND FALSE)
    set(stemma_NOT_FOUND_MESSAGE "pkg-config knows neither libmariadb nor mysqlclient")
    return()
  endif()
endif()

include(${CMAKE_CURRENT_LIST_DIR}/stemmaTargets.cmake)
