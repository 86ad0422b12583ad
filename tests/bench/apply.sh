#!/usr/bin/env bash
# The walk-through as a careful person writes it: each server's statements grouped in as few client calls
# as possible, nothing attached that replicates already, both threads awaited, read_only read back.
#
#   apply.sh sequential|parallel PRIMARY ADVERTISED REPLICA...     (each HOST:PORT)
set -euo pipefail

mode=$1 primary=$2 advertised=$3
shift 3
export MYSQL_PWD=$BENCH_PASSWORD

sql() {  # sql HOST:PORT OPTION... < statements, which keeps passwords out of the process list
  local at=$1
  shift
  mariadb --no-defaults --protocol=tcp -h "${at%:*}" -P "${at##*:}" -u root --skip-column-names "$@"
}

await_threads() {
  local at=$1 status
  for _ in $(seq 100); do
    status=$(sql "$at" -E --column-names <<<"SHOW SLAVE STATUS")
    if grep -q 'Slave_IO_Running: Yes' <<<"$status" && grep -q 'Slave_SQL_Running: Yes' <<<"$status"; then
      return 0
    fi
    sleep 0.1
  done
  printf '%s: the threads do not run\n%s\n' "$at" "$status" >&2
  return 1
}

attach() {
  local at=$1 status
  status=$(sql "$at" <<<"SHOW SLAVE STATUS")
  if [[ -n $status ]]; then
    echo "$at: replicates already" >&2
    return 1
  fi
  sql "$at" <<SQL
CHANGE MASTER TO MASTER_HOST='${advertised%:*}', MASTER_PORT=${advertised##*:}, MASTER_USER='repl_user',
  MASTER_PASSWORD='$BENCH_REPL_PASSWORD', MASTER_LOG_FILE='$file', MASTER_LOG_POS=$position;
START SLAVE;
SQL
  await_threads "$at"
  [[ $(sql "$at" <<<"SET GLOBAL read_only=1; SELECT @@global.read_only") == 1 ]]
}

captured=$(sql "$primary" <<SQL
CREATE USER 'repl_user'@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('$BENCH_REPL_PASSWORD');
GRANT REPLICATION SLAVE ON *.* TO 'repl_user'@'%';
SHOW MASTER STATUS;
SQL
)
read -r file position _ <<<"$captured"

if [[ $mode == sequential ]]; then
  for replica in "$@"; do attach "$replica"; done
else
  jobs=()
  for replica in "$@"; do
    attach "$replica" &
    jobs+=($!)
  done
  failed=0
  for job in "${jobs[@]}"; do wait "$job" || failed=1; done
  exit "$failed"
fi
