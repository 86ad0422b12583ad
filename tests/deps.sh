#!/usr/bin/env bash
# deps.sh [--test|--servers|--list]: installs the Debian packages that are missing: what building and running needs, with
# --test also what the tests need, with --servers also what tests/servers/fetch.sh needs. When all are there it does
# nothing and needs no rights. No service is ever started: the servers come from the -core packages, and Stemma starts
# its own. --list only prints what a machine with nothing on it needs to build and to run the tests.
set -euo pipefail

packages=(build-essential cmake ninja-build ccache pkg-config default-libmysqlclient-dev libtomlplusplus-dev
  libboost-graph-dev libexpected-dev catch2 libfmt-dev libcli11-dev nlohmann-json3-dev libssl-dev
  librapidcheck-dev)
# What the stories do to networks and clocks.
packages+=(faketime iproute2 nftables)

# has PROGRAM…: one of them is here, also where only root's PATH looks.
has() {
  local program
  for program in "$@"; do
    PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$program" >/dev/null && return
  done
}
if [[ ${1:-} == --list ]]; then
  printf '%s\n' "${packages[@]}" mariadb-server-core mariadb-client-core procps
  exit
fi
# Any server and client will do, and MySQL's own packages conflict with Debian's.
has mariadbd mysqld || packages+=(mariadb-server-core)
has mariadb mysql || packages+=(mariadb-client-core)

# Oracle's library will do as well, and conflicts with Debian's default.
if [[ -e /usr/include/mysql/mysql_version.h && ! -e /usr/include/mariadb ]]; then
  packages=("${packages[@]/default-libmysqlclient-dev/libmysqlclient-dev}")
fi

case "${1:-}" in
  "") ;;
  --test) packages+=(clang clang-format clang-tidy gcovr libclang-rt-dev procps python3-jsonschema) ;;
  --servers)
    has mmdebstrap || packages+=(mmdebstrap)
    has npm || packages+=(npm)
    ;;
  *) echo "usage: $0 [--test|--servers|--list]" >&2 && exit 1 ;;
esac

if ! has apt-get; then
  echo "not a Debian system: nothing checked; needed are (by Debian's names): ${packages[*]}" >&2
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  if [[ $state != installed ]]; then missing+=("$package"); fi
done
if ((${#missing[@]} == 0)); then exit 0; fi

if ((EUID != 0)); then
  echo "missing packages; as root: apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

echo "installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null
then
  tail -n 30 "$log" >&2
  echo "apt-get could not install them; what it said is above" >&2
  exit 1
fi
