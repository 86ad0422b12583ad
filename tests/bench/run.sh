#!/usr/bin/env bash
# Builds the bench's own two programs, then measures. See README.md; `run.sh --help` lists the options.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
configured=$root/build/release

# A tree that was configured before the bench was part of it has no such targets.
if [[ -f $configured/CMakeCache.txt ]] &&
  cmake --build "$configured" --target help | grep bench_limit >/dev/null; then  # -q would break the pipe
  cmake --build "$configured" --target bench_limit bench_proxy >&2
  programs=$configured/bench
else
  programs=$root/build/bench
  mkdir -p "$programs"
  client=libmariadb
  pkg-config --exists "$client" || client=mysqlclient
  flags=(-O2 -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -pthread)
  read -ra include <<<"$(pkg-config --cflags "$client" | sed 's/-I/-isystem /g')"
  read -ra libraries <<<"$(pkg-config --libs "$client")"
  for name in limit proxy; do
    if [[ ! $programs/bench_$name -nt $here/$name.cc ]]; then
      g++ "${flags[@]}" "${include[@]}" "$here/$name.cc" -o "$programs/bench_$name" "${libraries[@]}"
    fi
  done
fi

# exec: a signal meant for the bench reaches the process that stops the servers.
exec python3 -B "$here/bench.py" --programs "$programs" --stemma "$configured/stemma" "$@"
