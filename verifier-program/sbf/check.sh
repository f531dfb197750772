#!/bin/bash
# Compiles the on-chain program anew and compares it, byte for byte, with what is committed beside this script.
#
#   usage: check.sh [PREFIX]     default: ~/.cache/veilpool/sbf (see setup.sh)
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
PREFIX=$(realpath -m "${1:-${HOME}/.cache/veilpool/sbf}")
FRESH=$(mktemp -d)
trap 'rm -rf "$FRESH"' EXIT

"$HERE/build.sh" "$FRESH" "$PREFIX"

differs=0
for file in veilpool_program.so veilpool_program_development.so; do
  if cmp -s "$FRESH/$file" "$HERE/$file"; then
    printf 'sbf check: %s is what the sources give\n' "$file"
  else
    printf 'sbf check: %s is NOT what the sources give\n' "$file" >&2
    differs=1
  fi
done
if [ "$differs" = 1 ]; then
  printf '%s\n' "sbf check: run 'make program', look at what changed, and commit the result; if the sources are the same, compare the" \
    "tools in veilpool_program.toml with those of this machine:" >&2
  diff "$HERE/veilpool_program.toml" "$FRESH/veilpool_program.toml" >&2 || true
  exit 1
fi
