#!/usr/bin/env bash
# run.sh SECONDS TARGET [OPTION…]: builds TARGET_fuzz with clang and lets it run that long, as in
# `tests/fuzz/run.sh 120 gtid`; the options are libFuzzer's. It begins with what it found at earlier runs
# (build/fuzz/corpus/TARGET) and with tests/fuzz/corpus/TARGET, which it never writes to. What breaks the
# program is left in build/fuzz as TARGET-crash-…; give the program that file to see it again.
set -euo pipefail
cd "$(dirname "$0")/../.."

if (($# < 2)) || [[ ! $1 =~ ^[0-9]+$ || ! -f tests/fuzz/$2_fuzz.cc ]]; then
  targets=(tests/fuzz/*_fuzz.cc)
  targets=("${targets[@]##*/}")
  echo "usage: $0 SECONDS TARGET [OPTION…]; targets: ${targets[*]%_fuzz.cc}" >&2
  exit 1
fi
seconds=$1 target=$2
shift 2

if ! command -v clang++ >/dev/null; then
  echo "clang++ is missing; as root: apt-get install --no-install-recommends clang libclang-rt-dev" >&2
  exit 1
fi

log=build/fuzz/$target-build.log
mkdir -p "build/fuzz/corpus/$target"
if ! { cmake --preset fuzz && cmake --build --preset fuzz -j 2 --target "${target}_fuzz"; } >"$log" 2>&1; then
  grep -E -A 12 'FAILED:|error|Error' "$log" | head -n 60
  echo "the whole log: $log"
  exit 1
fi

exec "build/fuzz/tests/fuzz/${target}_fuzz" -max_total_time="$seconds" -max_len=16384 -print_final_stats=1 \
  -artifact_prefix="build/fuzz/$target-" "$@" "build/fuzz/corpus/$target" "tests/fuzz/corpus/$target"
