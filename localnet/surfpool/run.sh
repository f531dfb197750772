#!/bin/bash
# The end-to-end test of the TypeScript client (pool, deposit, operators, epoch, claim) on a Surfpool node of this run.
#
#   usage: run.sh [PORT]        default: 18899, and WebSocket on the one after it
#
# Not in `make test`: Surfpool is a thousand crates, which take ten minutes on two idle cores the first time.
set -euo pipefail

cd "$(dirname "$0")"
PORT=${1:-18899}
TARGET=${SURFPOOL_TARGET:-$PWD/target}

echo "== building Surfpool (the first time this takes ten minutes)"
cargo build --locked --target-dir "$TARGET"

OUTPUT=$(mktemp -d)
NODE=
cleanup() {
  [ -z "$NODE" ] || kill "$NODE" 2>/dev/null || true
  rm -rf "$OUTPUT"
}
trap cleanup EXIT

echo "== starting it on 127.0.0.1:$PORT"
"$TARGET/debug/veilpool-surfpool" "$PORT" >"$OUTPUT/stdout" 2>"$OUTPUT/stderr" &
NODE=$!
for _ in $(seq 300); do
  grep -q '^ready ' "$OUTPUT/stdout" && break
  kill -0 "$NODE" 2>/dev/null || break
  sleep 0.2
done
if ! grep -q '^ready ' "$OUTPUT/stdout"; then
  cat "$OUTPUT/stderr" >&2
  echo "Surfpool didn't start within a minute; is port $PORT or the one after it taken? Give another: run.sh PORT" >&2
  exit 1
fi

echo "== the end-to-end test"
cd ../..
VEILPOOL_SURFPOOL=http://127.0.0.1:$PORT \
  cargo nextest run --locked --workspace -E 'package(veilpool-idl) & binary(typescript)'
