#!/usr/bin/env bash
# lint.sh [--format] [FILE…]: clang-format and clang-tidy over all sources, or over these; --format leaves
# clang-tidy out.
# Formatting is judged by clang-format 14 (Debian 12); other versions disagree with it in small things.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

if ! command -v clang-format >/dev/null || ! command -v clang-tidy >/dev/null; then
  tests/deps.sh --test || exit 1
fi

failed=0
format_only=0
if [[ ${1:-} == --format ]]; then format_only=1 && shift; fi
mapfile -t sources < <(if (($#)); then printf '%s\n' "$@"; else
  find plans engine providers cli tests \( -name '*.h' -o -name '*.cc' \) 2>/dev/null | sort; fi)

version=$(clang-format --version)
if [[ $version == *"version 14."* ]]; then
  echo "clang-format: ${#sources[@]} files"
  mapfile -t unformatted < <(
    for source in "${sources[@]}"; do
      clang-format --dry-run -Werror "$source" 2>/dev/null || echo "$source"
    done)
  if ((${#unformatted[@]})); then
    printf '  WRONG %s\n' "${unformatted[@]}"
    echo "  mend with: clang-format -i ${unformatted[*]}"
    failed=1
  fi
else
  echo "clang-format: left out, this is not version 14: $version"
fi

finish() {
  if ((failed)); then echo "lint: something is wrong"; else echo "lint: all is well"; fi
  exit "$failed"
}
if ((format_only)); then finish; fi

# The compile database of a build that takes each source by itself (the release build takes several at once).
build=build/debug
if [[ ! -f $build/compile_commands.json ]]; then
  cmake --preset debug >/dev/null || exit 1
fi
mapfile -t units < <(grep -oE '"file": "[^"]+"' "$build/compile_commands.json" | cut -d'"' -f4 | sort -u)
if (($#)); then
  mapfile -t units < <(realpath "$@" | grep -Fx -f <(printf '%s\n' "${units[@]}"))
fi

# shellcheck disable=SC2317  # called by way of xargs
tidy_one() {
  local said
  # -w: the compiler's own warnings are the build's business, and GCC's flags are not clang's.
  if said=$(clang-tidy --quiet -p "$1" --extra-arg=-w "$2" 2>&1); then
    echo "  ok    ${2#"$PWD/"}"
  else
    echo "  WRONG ${2#"$PWD/"}"
    grep -vE '^[0-9]+ warnings?( and [0-9]+ errors?)? (generated|treated)' <<<"$said"
    return 1
  fi
}
export -f tidy_one

echo "clang-tidy: ${#units[@]} files, $(nproc) at a time"
if ((${#units[@]})); then
  # shellcheck disable=SC2016  # bash -c expands them
  printf '%s\0' "${units[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'tidy_one "$0" "$1"' "$build" || failed=1
fi

finish
