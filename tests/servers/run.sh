#!/usr/bin/env bash
# run.sh [--write-readme] [--whole] [NAME…]: the suites that hold on any server (tag [server]) on each server of fetch.sh,
# two servers side by side, with the release build; --whole: every story, but for those tagged [mariadb] on MySQL (of
# what only MariaDB has). All servers but the machine's own when none is named: on that one ctest runs everything, and
# the table has its figures from there.
# stdout: as it goes, what failed; then a table of servers and what was run on them, which --write-readme puts between
# the marks of README.md. build/logs/servers.tsv has a line for each: NAME passed|failed|not-run SECONDS WORDS
# Exit status: 0 when nothing failed. A server that can't be had is "not run"; with CI=true that is a failure.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

export logs=$PWD/build/logs
results=$logs/servers.tsv
mkdir -p "$logs"

# counts LOG PROGRAM: "12 of 12", by Catch2's last line for that program's part of a log; fails when there is none.
counts() {
  local line
  line=$(sed -n "/^== $2\$/,/^== end\$/p" "$1" | grep -E '^(All tests passed|test cases:)' | tail -n 1)
  if [[ $line =~ \ in\ ([0-9]+)\ test\ case ]]; then
    echo "${BASH_REMATCH[1]} of ${BASH_REMATCH[1]}"
  elif [[ $line =~ ^test\ cases:\ +([0-9]+) ]]; then
    local all=${BASH_REMATCH[1]}
    if [[ $line =~ ([0-9]+)\ passed ]]; then echo "${BASH_REMATCH[1]} of $all"; else echo "0 of $all"; fi
  else
    return 1
  fi
}

# run_one NAME: both programs, to their ends; its line of the results.
# shellcheck disable=SC2317  # called by way of xargs
run_one() {
  local name=$1 log=$logs/$1-tests.log start=$SECONDS program code=0 tags limit=1200
  if [[ -n $whole ]]; then limit=3600; fi
  for program in providers_tests live_tests; do
    tags="[server]"
    if [[ $name == mysql-* ]]; then tags+=",[mysql]"; fi
    if [[ $program == live_tests && -n $whole ]]; then
      if [[ $name == mysql-* ]]; then tags="[live]~[mariadb]"; else tags="[live]~[.]"; fi
    fi
    echo "== $program"
    # The sandbox's own tests want certain ports: one at a time.
    [[ $program == providers_tests ]] && exec 9>"$logs/.ports" && flock 9
    STEMMA_TEST_SERVER=$name timeout -k 20 "$limit" "build/release/tests/$program" "$tags" 9>&- 2>&1 || code=1
    exec 9>&-
    echo "== end"
  done >"$log"
  local words
  words="$(counts "$log" providers_tests || echo "no result"), $(counts "$log" live_tests || echo "no result")"
  if [[ $words == *"no result"* ]]; then code=1; fi
  if ((code)); then
    echo "== $name FAILED, the whole log: $log"
    tail -n 200 "$log"
    printf '%s\tfailed\t%s\t%s\n' "$name" $((SECONDS - start)) "$words" >"$logs/$name.tsv"
  else
    echo "== $name passed"
    printf '%s\tpassed\t%s\t%s\n' "$name" $((SECONDS - start)) "$words" >"$logs/$name.tsv"
  fi
}
export -f run_one counts

# "MySQL 9.7.4"
people_call_it() {
  case $1 in
    mysql-*) echo "MySQL $2" ;;
    *) echo "MariaDB $2" ;;
  esac
}

# The figures of the machine's own server, from what the release build's last ctest has left.
own_words() {
  local log=build/release/Testing/Temporary/LastTest.log part=$logs/own.log name words good=0 all=0
  for name in providers live live-faults live-more live-scenarios; do
    printf '== %s_tests\n' "$name"
    sed -n "/^[0-9]*\/[0-9]* Testing: $name\$/,/^<end of output>\$/p" "$log" 2>/dev/null
    echo "== end"
  done >"$part"
  for name in live live-faults live-more live-scenarios; do
    words=$(counts "$part" "${name}_tests") || break
    good=$((good + ${words% of *})) all=$((all + ${words#* of }))
  done
  if [[ -z $words ]]; then words="not run"; else words="$good of $all"; fi
  echo "$(counts "$part" providers_tests || echo "not run"), $words"
}

table() {
  local name version place status words row
  echo "| server | connections and sandbox | stories of the program |"
  echo "|---|---|---|"
  while read -r name version place; do
    if [[ $place == /usr/* && ! -e $logs/$name.tsv ]]; then
      words=$(own_words) row="$(people_call_it "$name" "$version"), every test"
    else
      IFS=$'\t' read -r _ status _ words <"$logs/$name.tsv" || continue
      row=$(people_call_it "$name" "${version/#-/${name##*-}}")
      if [[ $status == not-run ]]; then words="not run: $words, –"; fi
    fi
    echo "| $row | ${words%, *} | ${words##*, } |"
  done <<<"$servers"
}

write_readme() {
  text=$(table) awk '
    /^<!-- servers -->$/ { print; print ENVIRON["text"]; inside = 1; next }
    /^<!-- \/servers -->$/ { inside = 0 }
    !inside { print }' README.md >"$logs/README.md" && cat "$logs/README.md" >README.md
}

. tests/in_memory.sh
if [[ -n $in_memory ]]; then trap 'rm -rf "$in_memory"' EXIT; fi

readme=0
export whole=
while [[ ${1:-} == --* ]]; do
  case $1 in
    --write-readme) readme=1 ;;
    --whole) whole=1 ;;
    *) echo "usage: $0 [--write-readme] [--whole] [NAME…]" >&2 && exit 1 ;;
  esac
  shift
done
servers=$(tests/servers/fetch.sh "$@")
if (($? == 2)); then exit 1; fi

names=()
asked=("$@")
while read -r name version place; do
  rm -f "$logs/$name.tsv"
  if [[ $place == /usr/* ]] && ((!${#asked[@]})); then continue; fi
  if [[ $place == "not had: "* ]]; then
    printf '%s\tnot-run\t0\t%s\n' "$name" "${place#not had: }" >"$logs/$name.tsv"
  else
    names+=("$name")
  fi
done <<<"$servers"
if ((${#names[@]})); then
  # shellcheck disable=SC2016  # bash -c expands it
  printf '%s\0' "${names[@]}" | xargs -0 -n 1 -P 2 bash -c 'run_one "$0"'
fi

while read -r name _; do cat "$logs/$name.tsv" 2>/dev/null; done <<<"$servers" >"$results"
echo
table
if ((readme)); then write_readme; fi
if grep -q $'\tfailed\t' "$results"; then exit 1; fi
if [[ ${CI:-} == true ]] && grep -q $'\tnot-run\t' "$results"; then exit 1; fi
exit 0
