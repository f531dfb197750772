#!/bin/bash
# Rebuilds the program and compares it with what is committed, byte by byte.
#
#   usage: check.sh [PREFIX]     default: ~/.cache/veilpool/sbf (see setup.sh)
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
PREFIX=$(realpath -m "${1:-${HOME}/.cache/veilpool/sbf}")
REBUILT=$PREFIX/rebuilt

rm -rf "$REBUILT"
"$HERE/build.sh" "$REBUILT" "$PREFIX"

# Lines of the metadata that name the tools.
tools() { grep -E '^(rustc|llvm|linker|cargo) = ' "$1"; }

differs=()
for file in veilpool_program.so veilpool_program_development.so veilpool_program.toml; do
  cmp -s "$HERE/$file" "$REBUILT/$file" || differs+=("$file")
done
if [ ${#differs[@]} -eq 0 ]; then
  echo "sbf check: the committed program is what these sources and tools make"
  exit 0
fi

{
  echo "sbf check: not what these sources make: ${differs[*]}"
  if ! diff <(tools "$HERE/veilpool_program.toml") <(tools "$REBUILT/veilpool_program.toml"); then
    echo "The tools are not those that the committed files were built with (above: < committed, > here)."
    echo "What to do: use the versions that setup.sh installs; where they have moved on, run \`make program\` and commit."
  else
    echo "What to do: run \`make program\` and commit verifier-program/sbf/veilpool_program*; the bytes of a changed"
    echo "program must be part of the change."
  fi
} >&2
exit 1
