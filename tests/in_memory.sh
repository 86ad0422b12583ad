# Sourced: TMPDIR in memory where there is room, and gone at the end: a MySQL server's start alone writes a hundred
# megabytes and syncs them.
room=$(df --output=avail -BM /dev/shm 2>/dev/null | tail -n 1)
if [[ -z ${TMPDIR:-} && ${room//[!0-9]/} -gt 4000 ]] && TMPDIR=$(mktemp -d /dev/shm/stemma-XXXXXX); then
  export TMPDIR
  in_memory=$TMPDIR
else
  in_memory=
fi
