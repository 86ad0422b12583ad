#!/usr/bin/env bash
# coverage.sh: how many lines of plans and engine the tests of the build with ASan (preset asan) have run since it was
# built, by file; files with all of them are left out. Details: build/asan/coverage/report.html. Exit status: 1 when both
# together are below 95 %.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v gcovr >/dev/null; then
  echo "gcovr is missing; as root: apt-get install --no-install-recommends gcovr" >&2
  exit 1
fi
build=build/asan
if [[ -z $(find "$build" -name '*.gcda' -print -quit 2>/dev/null) ]]; then
  echo "nothing was counted: cmake --preset asan && cmake --build --preset asan && ctest --preset asan" >&2
  exit 1
fi
mkdir -p "$build/coverage"
# Exceptions' branches are no lines of ours; a line that only a defect of stemma's own can reach says so.
gcovr --root . --object-directory "$build" --filter '(plans|engine)/' --exclude-lines-by-pattern '.*Trouble::bug.*' \
  --gcov-ignore-parse-errors --html-details "$build/coverage/report.html" --txt --fail-under-line 95 --sort-uncovered \
  "$build/CMakeFiles/plans.dir" "$build/CMakeFiles/engine.dir" | grep -vE ' 100%( |$)'
