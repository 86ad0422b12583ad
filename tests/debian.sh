#!/usr/bin/env bash
# debian.sh trixie|sid [COMMAND…]: builds this tree with the compiler and libraries of another Debian release, and runs
# the tests there. trixie: Catch2 v3, MariaDB Connector/C 3.4, every test on its own MariaDB 11.8. sid: today's compiler,
# and Oracle's libmysqlclient; the tests that need no server. Both: the suites that hold on any server, on each server
# that tests/servers/fetch.sh has here.
# COMMAND: run that instead, in this directory as it is there.
# As root, on a Debian with mmdebstrap. The release stands in a root directory of its own,
# ${XDG_CACHE_HOME:-~/.cache}/stemma/debian/SUITE, with its build; remove that to have it made anew. What runs in it sees
# this tree read-only, and has a loopback network and processes of its own, of which none outlives it.
# Exit status: 0 when all is well.
set -euo pipefail
cd "$(dirname "$0")/.."

suite=${1:-}
case $suite in
  trixie | sid) shift ;;
  *) echo "usage: $0 trixie|sid [COMMAND…]" >&2 && exit 1 ;;
esac
if ((EUID != 0)); then echo "$0: needs root, to mount and to change the root directory" >&2 && exit 1; fi

cache=${XDG_CACHE_HOME:-$HOME/.cache}/stemma
root=$cache/debian/$suite

# Whole or not at all.
make_root() {
  local packages new=$root.new log=$root.log
  packages=$(tests/deps.sh --list | paste -sd,)
  if [[ $suite == sid ]]; then
    packages=${packages/default-libmysqlclient-dev/libmysqlclient-dev}
    packages=${packages//mariadb-/mysql-} # their packages conflict; the plugins of the library are with the client
  fi
  tests/deps.sh --servers
  mkdir -p "$cache/debian"
  rm -rf "$new" # of a run that was killed
  echo "making $root"
  if ! mmdebstrap --mode=root --variant=apt --include="$packages" --aptopt='Acquire::Check-Valid-Until "false"' \
    --aptopt='Apt::Install-Recommends "false"' "$suite" "$new" >"$log" 2>&1; then
    grep -E '^E:' "$log" >&2 || tail -n 20 "$log" >&2
    echo "the whole log: $log" >&2
    rm -rf "$new"
    return 1
  fi
  printf '127.0.0.1\tlocalhost\n::1\tlocalhost\n' >"$new/etc/hosts" # a real machine's installer writes it
  mv -T "$new" "$root"
}

if [[ ! -d $root ]]; then make_root; fi
tests/servers/fetch.sh || true # what is not here is told by the runner
mkdir -p build "$root$PWD" "$root/var/tmp$PWD/build" "$root$cache/servers" "$cache/servers"

if ((!$#)); then
  # shellcheck disable=SC2016  # for the shell in there
  tests='
    start=$SECONDS code=0
    grep PRETTY_NAME /etc/os-release | cut -d\" -f2
    c++ --version | head -n 1
    if [[ $0 == trixie ]]; then
      tests/run.sh --quick || code=1
    else
      { cmake --preset release && cmake --build --preset release -j 2 -- -k 0; } >build/log 2>&1 ||
        { grep -E -A 12 "FAILED:|error|Error" build/log | head -n 120; exit 1; }
      ctest --preset release -E "^(providers|live|live-faults|live-more)$" || code=1
    fi
    tests/servers/run.sh || code=1
    echo "$((SECONDS - start)) s"
    exit "$code"'
  set -- bash -c "$tests" "$suite"
fi

# Mounts, processes and network end with the last of these programs.
# shellcheck disable=SC2016  # for the shell in there
exec unshare --mount --pid --fork --kill-child --net bash -euc '
  root=$1 tree=$2 servers=$3 && shift 3
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs tmpfs "$root/tmp"
  mount --bind "$tree" "$root$tree"
  mount -o remount,bind,ro "$root$tree"
  mount --bind "$root/var/tmp$PWD/build" "$root$tree/build"
  mount --bind "$servers" "$root$servers"
  export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
  exec chroot "$root" bash -euc '\''ip link set lo up; cd "$1"; shift; exec "$@"'\'' inside "$tree" "$@"
' inside "$root" "$PWD" "$cache/servers" "$@"
