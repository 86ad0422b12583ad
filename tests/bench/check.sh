#!/usr/bin/env bash
# Is everything still as it should be: one client call for each server.
#
#   check.sh sequential|parallel PRIMARY ADVERTISED REPLICA...     (each HOST:PORT)
set -euo pipefail

mode=$1 primary=$2 advertised=$3
shift 3
export MYSQL_PWD=$BENCH_PASSWORD

sql() {
  local at=$1
  shift
  mariadb --no-defaults --protocol=tcp -h "${at%:*}" -P "${at##*:}" -u root "$@"
}

check_primary() {
  local answer
  answer=$(sql "$primary" -E -e "SELECT plugin FROM mysql.user WHERE user='repl_user'; SHOW MASTER STATUS")
  if ! grep -q 'plugin: mysql_native_password' <<<"$answer" || ! grep -q ' Position: ' <<<"$answer"; then
    echo "$primary: no account or no binlog" >&2
    return 1
  fi
}

check_replica() {
  local at=$1 answer wanted
  answer=$(sql "$at" -E -e "SHOW SLAVE STATUS; SELECT @@global.read_only AS read_only")
  for wanted in "Master_Host: ${advertised%:*}" "Master_Port: ${advertised##*:}" \
    "Slave_IO_Running: Yes" "Slave_SQL_Running: Yes" "read_only: 1"; do
    if [[ $answer != *"$wanted"* ]]; then
      echo "$at: not $wanted" >&2
      return 1
    fi
  done
}

if [[ $mode == sequential ]]; then
  check_primary
  for replica in "$@"; do check_replica "$replica"; done
else
  check_primary &
  jobs=($!)
  for replica in "$@"; do
    check_replica "$replica" &
    jobs+=($!)
  done
  failed=0
  for job in "${jobs[@]}"; do wait "$job" || failed=1; done
  exit "$failed"
fi
