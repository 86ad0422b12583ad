#!/usr/bin/env bash
# coverage.sh [--live]: builds with gcov's counters into build/coverage, runs the tests of plans and engine (--live: the
# stories on this machine's MariaDB as well), and prints by file how many of their lines were run; files with all of them
# are left out. Details: build/coverage/report.html. Exit status: 1 when a test fails, or when plans and engine together
# are below 95 %.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v gcovr >/dev/null; then
  echo "gcovr is missing; as root: apt-get install --no-install-recommends gcovr" >&2
  exit 1
fi
dir=build/coverage
mkdir -p "$dir"
targets=(plans_tests engine_tests)
if [[ ${1:-} == --live ]]; then targets+=(live_tests stemma); fi
if ! { cmake -S . -B "$dir" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O0 --coverage -fprofile-abs-path" &&
  cmake --build "$dir" -j 2 --target "${targets[@]}"; } >"$dir/log" 2>&1; then
  grep -E -A 12 'FAILED:|error|Error' "$dir/log" | head -n 60
  echo "the whole log: $dir/log"
  exit 1
fi
find "$dir" -name '*.gcda' -delete
for program in plans_tests engine_tests; do "$dir/tests/$program" >"$dir/$program.log" || { tail -n 60 "$dir/$program.log"; exit 1; }; done
if [[ ${1:-} == --live ]]; then "$dir/tests/live_tests" "[live]" >"$dir/live.log" || { tail -n 60 "$dir/live.log"; exit 1; }; fi
# Exceptions' branches are no lines of ours; a line that only a defect of stemma's own can reach says so.
gcovr --root . --object-directory "$dir" --filter '(plans|engine)/' --exclude-lines-by-pattern '.*Trouble::bug.*' \
  --gcov-ignore-parse-errors --html-details "$dir/report.html" --txt --fail-under-line 95 --sort-uncovered |
  grep -vE ' 100%( |$)'
