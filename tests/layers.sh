#!/usr/bin/env bash
# layers.sh [ROOT]: the layers of Stemma, and who may use which library. A wrong include does not link
# either; this says kindly what is wrong.
set -euo pipefail
shopt -s extglob
cd "${1:-$(dirname "$0")/..}"

bad=0
sources() { find "$@" \( -name '*.h' -o -name '*.cc' \) | sort; }

# complain WHY, with "file:line:text" on standard input; silent when there is nothing.
complain() {
  local why=$1 line
  while IFS= read -r line; do
    echo "${line%%:*([[:space:]])#*}: ${line#*:*:}"
    echo "    $why"
    bad=1
  done
}

# stays_below LAYER HIGHER…: no file of LAYER includes one of HIGHER.
stays_below() {
  local layer=$1 higher
  shift
  [[ -d $layer ]] || return 0
  higher=$(IFS='|' && echo "$*")
  complain "$layer/ is below that (plans <- engine <- providers <- cli): move the code up, or what it needs down" \
    < <(sources "$layer" | xargs -r grep -nHE "^ *# *include \"(\.\./)*($higher)/" || true)
}

# only_in PATTERN ALLOWED WHY: of the layers' files, only those whose names match ALLOWED include PATTERN.
only_in() {
  complain "$3" < <(sources "${layers[@]}" | grep -vE "$2" | xargs -r grep -nHE "^ *# *include [<\"]($1)" || true)
}

layers=()
for layer in plans engine providers cli; do
  if [[ -d $layer ]]; then layers+=("$layer"); fi
done

stays_below plans engine providers cli tests
stays_below engine providers cli tests
stays_below providers cli tests
stays_below cli tests

only_in 'toml\+\+|toml\.hpp' '^plans/topology_[a-z_]*\.cc$' \
  'toml++ stays inside plans/topology_*.cc: everybody else sees a Topology'
only_in 'mysql|mariadb|errmsg|mysqld_error' '^providers/mysql/' \
  'the client library stays inside providers/mysql/: everybody else sees a Provider or a Connection'
only_in 'boost/' '\.cc$' \
  'Boost costs seconds for each file that sees it: no header includes it'

mapfile -t users < <(sources "${layers[@]}" | grep '\.cc$' | xargs -r grep -lE '^ *# *include <boost/' || true)
if ((${#users[@]} != 1)); then
  echo "Boost belongs to exactly one .cc, the one that orders a plan's steps; found ${#users[@]}: ${users[*]}"
  bad=1
fi

if ((bad == 0)); then echo "the layers hold"; fi
exit "$bad"
