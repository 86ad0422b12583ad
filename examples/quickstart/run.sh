#!/usr/bin/env bash
# run.sh [--keep]: the whole story on real servers, from nothing to a replication tree that is planned,
# applied, verified, broken on purpose and mended. On a fresh Debian run it as root: it installs what is
# missing and builds. The servers run on this machine only, with data of their own, and are gone at the
# end, whatever happens; --keep leaves them to you.
set -euo pipefail
cd "$(dirname "$0")/../.."

keep=0
case "${1:-}" in
  "") ;;
  --keep) keep=1 ;;
  *) echo "usage: $0 [--keep]" >&2 && exit 1 ;;
esac

topology=examples/quickstart/topology.toml
binary=build/release/stemma
log=build/quickstart.log
started=0

bold='' dim='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; fi

heading() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

die() {
  printf '\n%s\n' "$*" >&2
  exit 1
}

# expect CODE COMMAND…: insists on that exit code.
expect() {
  local expected=$1 code=0
  shift
  "$@" || code=$?
  if ((code == 130)); then exit 130; fi
  if ((code != expected)); then die "that ended with exit code $code, expected was $expected"; fi
}

show() { printf '%s$ %s%s\n' "$dim" "$*" "$plain"; }

# stemma CODE ARGUMENT…
stemma() {
  show stemma "${@:2}"
  expect "$1" "$binary" "${@:2}"
}

# setting TABLE KEY: what the topology file says.
setting() { sed -n "/^\[$1\]/,/^\[/s/^$2 *= *\"\([^\"]*\)\".*/\1/p" "$topology" | head -n 1; }

# sql SERVER STATEMENT: behind stemma's back, with the ordinary client.
sql() {
  local address client user
  address=$(setting "server.$1" address)
  user=$(setting admin user)
  client=$(command -v mariadb || command -v mysql)
  show "${client##*/} --host=${address%:*} --port=${address##*:} --user=$user --execute=\"$2\""
  MYSQL_PWD=$STEMMA_ADMIN_PASSWORD expect 0 "$client" --no-defaults --protocol=tcp \
    --loose-skip-ssl-verify-server-cert --host="${address%:*}" --port="${address##*:}" --user="$user" --execute="$2"
}

# Builds with one line that moves on a terminal; the whole output only if it fails.
build() {
  local code=0
  mkdir -p build
  {
    { [[ -f build/release/build.ninja ]] || cmake --preset release; } &&
      cmake --build --preset release --target stemma
  } 2>&1 | tee "$log" | while IFS= read -r line; do
    if [[ -t 1 && $line =~ ^\[([0-9]+/[0-9]+)\] ]]; then printf '\r  %s ' "${BASH_REMATCH[1]}"; fi
  done || code=$?
  if [[ -t 1 ]]; then printf '\r              \r'; fi
  return "$code"
}

clean_up() {
  local code=$?
  trap - EXIT
  trap '' INT TERM
  if ((started)); then
    if ((keep && code == 0)); then
      how_to_go_on
    else
      heading "Leaving no trace"
      stemma 0 sandbox down --purge "$topology"
      if ((code == 0)); then
        heading "Yours next: write a file like $topology and ask \"$binary plan FILE\""
      fi
    fi
  fi
  exit "$code"
}

how_to_go_on() {
  heading "The servers are still running. To go on:"
  if [[ -n $made_up ]]; then echo "  export$made_up"; fi
  cat <<GO
  $binary status $topology
  $binary sandbox down --purge $topology
GO
}

heading "What is needed"
tests/deps.sh
seconds=$SECONDS
build || { tail -n 40 "$log" >&2; die "the build failed; its whole log is $log"; }
echo "packages are there, $binary is built ($((SECONDS - seconds)) s)"

# The file names its secrets, it does not hold them. Whoever has set none gets made-up ones.
made_up=
for secret in STEMMA_ADMIN_PASSWORD STEMMA_REPL_PASSWORD; do
  if [[ -z ${!secret:-} ]]; then
    export "$secret=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')"
    made_up+=" $secret=${!secret}"
  fi
done

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# One that somebody else started must not be purged at the end.
if "$binary" sandbox status "$topology" 2>/dev/null | grep -q ' running  pid'; then
  die "a sandbox of $topology runs already; end it with: $binary sandbox down --purge $topology"
fi
heading "Three real servers, empty, one for each address of the file"
started=1
stemma 0 sandbox up "$topology"

heading "What has to happen, and why: nothing is changed yet"
stemma 0 plan "$topology"

heading "Do it, reading every step back from the server"
stemma 0 apply --yes "$topology"

heading "A row written at the primary arrives at every replica"
stemma 0 verify "$topology"

heading "The tree as it stands"
stemma 0 status "$topology"

heading "Now somebody breaks it: an applier stopped, a replica that takes writes"
sql replica-1 "STOP SLAVE SQL_THREAD"
sql replica-2 "SET GLOBAL read_only = OFF"

heading "Is reality still what the file says? No (exit code 2)"
stemma 2 drift "$topology"

heading "Apply again: only what is missing"
stemma 0 apply --yes "$topology"

heading "And now? Yes (exit code 0)"
stemma 0 drift "$topology"
