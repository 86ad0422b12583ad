#!/usr/bin/env bash
# run.sh [--quick|--all] [--write-readme]: builds and tests everything, the tests on real servers included: release; with
# the address and undefined-behaviour sanitizers, which also tells how many lines were run; with the thread sanitizer;
# clang-format; each fuzzer for a quarter of a minute; then what holds on any server on each server of tests/servers, which
# are fetched meanwhile, as the next build is made while tests of the last one wait for their servers. --write-readme puts
# the table of servers into README.md. --all adds the stories that only the release build has run till then, with the
# sanitizers and on the other servers, and clang-tidy; --quick is the release build alone.
# A stage that fails does not hide the others.
# The last line is "N passed, N failed": CTest's tests of all builds added up, each server of tests/servers, each fuzzer
# and each stage that cannot even run its tests counting as one. A server that can't be had was not run: it counts as
# neither, and is named with its reason; with CI=true it counts as failed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

quick=0 all= write_readme=
for option in "$@"; do
  case $option in
    --quick) quick=1 ;;
    --all) all=1 ;;
    --write-readme) write_readme=1 ;;
    *) echo "usage: $0 [--quick|--all] [--write-readme]" >&2 && exit 1 ;;
  esac
done

passed=0
failed=0
summary=()
logs=build/logs
mkdir -p "$logs"
ahead= # the process group of build_ahead
fetching=
released=0
. tests/in_memory.sh
trap '[[ -z $in_memory ]] || rm -rf "$in_memory"; [[ -z $ahead ]] || kill -- "-$ahead" 2>/dev/null; [[ -z $fetching ]] || kill "$fetching" 2>/dev/null' EXIT
trap 'echo "interrupted" >&2; exit 130' INT
export GCOV_ERROR_FILE=/dev/null # a program that a story kills may leave a file of counters half written

# note NAME SECONDS WORDS: one line of the summary.
note() { summary+=("$(printf '  %-16s %4ss  %s' "$1" "$2" "$3")"); }

# stage NAME COMMAND…: runs it; a failure counts as one.
stage() {
  local name=$1 start=$SECONDS
  shift
  echo "== $name"
  if "$@"; then
    note "$name" $((SECONDS - start)) ok
  else
    note "$name" $((SECONDS - start)) FAILED
    failed=$((failed + 1))
    return 1
  fi
}

# Quiet when it works, the end of the log when it does not.
build() {
  local log=$logs/$1.log
  if make_build "$1"; then return; fi
  grep -E -A 12 'FAILED:|error|Error' "$log" | head -n 120
  echo "the whole log: $log"
  return 1
}

make_build() { cmake --preset "$1" >"$logs/$1.log" 2>&1 && cmake --build --preset "$1" -j 2 -- -k 0 >>"$logs/$1.log" 2>&1; }

# build_ahead PRESET…: one after the other in the background, in the time that nobody else wants.
build_ahead() {
  local preset
  renice -n 19 "$BASHPID" >/dev/null
  for preset in "$@"; do
    if make_build "$preset"; then echo ok; else echo FAILED; fi >"$logs/$preset.new"
    mv "$logs/$preset.new" "$logs/$preset.built"
  done
}

# built PRESET: waits for that; a build that failed is made once more, for its words.
built() {
  while [[ ! -e $logs/$1.built ]] && kill -0 "$ahead" 2>/dev/null; do sleep 1; done
  [[ -e $logs/$1.built && $(<"$logs/$1.built") == ok ]] || build "$1"
}

# run_tests PRESET [CTEST OPTION…]: the tests of one build, two at a time: the live ones wait for their servers most of
# the time.
run_tests() {
  local name="$1 tests" log=$logs/$1-tests.log start=$SECONDS code line bad all
  echo "== $name"
  ctest --preset "$1" --parallel 2 --timeout 1800 "${@:2}" 2>&1 | tee "$log"
  code=${PIPESTATUS[0]}
  line=$(grep -E '^[0-9]+% tests passed' "$log")
  if [[ $line =~ ,\ ([0-9]+)\ tests?\ failed\ out\ of\ ([0-9]+) ]]; then
    bad=${BASH_REMATCH[1]} all=${BASH_REMATCH[2]}
  else
    bad=1 all=1
  fi
  if ((code != 0 && bad == 0)); then bad=1; fi
  passed=$((passed + all - bad))
  failed=$((failed + bad))
  note "$name" $((SECONDS - start)) "$((all - bad)) passed, $bad failed"
}

# The suites tagged [server], on each server but the machine's own, which the other tests have run on.
run_servers() {
  local name status seconds words
  echo "== servers"
  wait "$fetching" # what it could not have is told now
  rm -f "$logs/servers.tsv"
  tests/servers/run.sh ${write_readme:+--write-readme} ${all:+--whole}
  if [[ ! -e $logs/servers.tsv ]]; then
    note servers 0 FAILED
    failed=$((failed + 1))
    return
  fi
  while IFS=$'\t' read -r name status seconds words; do
    case $status in
      passed) passed=$((passed + 1)) ;;
      not-run)
        words="not run: $words"
        if [[ ${CI:-} == true ]]; then failed=$((failed + 1)); fi
        ;;
      *) failed=$((failed + 1)) words="FAILED: $words" ;;
    esac
    note "$name" "$seconds" "$words"
  done <"$logs/servers.tsv"
}

# A few seconds of each fuzzer: what it finds in that time, a change has just broken.
run_fuzzers() {
  local target log units start=$SECONDS failures=0 runs=0
  echo "== fuzzers"
  for target in tests/fuzz/*_fuzz.cc; do
    target=${target##*/} target=${target%_fuzz.cc} log=$logs/fuzz-$target.log
    if tests/fuzz/run.sh 15 "$target" >"$log" 2>&1; then
      passed=$((passed + 1))
      units=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
      runs=$((runs + ${units:-0}))
    else
      failures=$((failures + 1))
      tail -n 60 "$log"
    fi
  done
  failed=$((failed + failures))
  note fuzzers $((SECONDS - start)) "$runs runs, $failures failed"
}

if ((quick)); then
  stage packages tests/deps.sh
  stage "release build" build release && run_tests release
  note "other servers" 0 "not run: tests/run.sh without --quick"
else
  stage packages tests/deps.sh --test
  tests/deps.sh --servers # what can't be had for want of it is told as such
  env -u TMPDIR tests/servers/fetch.sh >"$logs/fetch.log" 2>&1 </dev/null &
  fetching=$!
  stage "release build" build release && released=1
  rm -f "$logs"/{asan,tsan,fuzz}.built
  set -m
  build_ahead asan tsan fuzz &
  ahead=$!
  set +m
  if ((released)); then run_tests release; fi
  # Counted from nothing: only what these tests run.
  if stage "asan build" built asan; then
    find build/asan -name '*.gcda' -delete
    if ((all)); then run_tests asan; else run_tests asan --exclude-regex '^(consumer|layers|live-faults|live-more|live-scenarios)$'; fi
    stage coverage tests/coverage.sh
  fi
  if stage "tsan build" built tsan; then
    if ((all)); then run_tests tsan; else run_tests tsan --exclude-regex '^live-(faults|more)$'; fi
  fi
  if ((all)); then stage lint tests/lint.sh; else stage format tests/lint.sh --format; fi
  stage "fuzz build" built fuzz && run_fuzzers
  run_servers
fi

echo
echo "summary"
printf '%s\n' "${summary[@]}"
echo
echo "$passed passed, $failed failed"
((failed == 0))
