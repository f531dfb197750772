#!/bin/bash
# Builds the on-chain program twice, for release and with development keys, and describes both.
#
#   usage: build.sh [OUTPUT] [PREFIX]     defaults: this folder, and ~/.cache/veilpool/sbf (see setup.sh)
#
#   veilpool_program.so               refuses verifying keys of a development setup
#   veilpool_program_development.so   takes them, for tests, local chains and the demo
#   veilpool_program.toml             hashes, sizes, tools, and the hash of the sources
#
# Paths reach the bytes in more ways than compilers can remap (names of crates, and through them type identifiers). So
# everything is compiled in a copy of the tree that lies at the same place on every machine, and from nothing: the
# bytes depend on the sources, Cargo.lock and the tools alone.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
OUTPUT=$(realpath -m "${1:-$HERE}")
PREFIX=$(realpath -m "${2:-${HOME}/.cache/veilpool/sbf}")
RUSTC=/usr/bin/rustc
REGISTRY=${CARGO_HOME:-$HOME/.cargo}/registry/src
STAGE=/var/tmp/veilpool-sbf
TREE=$STAGE/tree
TARGET=$STAGE/target

say() { printf 'sbf build: %s\n' "$*"; }

if ! [ -x "$PREFIX/bin/sbpf-linker" ] || ! [ -e "$PREFIX/std/.stamp" ]; then
  say "the tools are not in $PREFIX: run $HERE/setup.sh first" >&2
  exit 1
fi
mkdir -p "$OUTPUT"

# One build at a time, in a folder that nobody else may write.
umask 077
exec 9> "$PREFIX/build.lock"
flock 9
rm -rf "$STAGE"
mkdir "$STAGE" "$TREE"
trap 'rm -rf "$STAGE"' EXIT
tar -C "$ROOT" --exclude=./target --exclude=./.git -cf - . | tar -C "$TREE" -xf -
cp -r "$PREFIX/std" "$STAGE/std"
umask 022

# Nothing that a person's environment or configuration says to the compiler has a part in this.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS CARGO_BUILD_TARGET RUSTC_WRAPPER CARGO_BUILD_RUSTC_WRAPPER
export PATH=$PREFIX/bin:$PATH CARGO_TARGET_DIR=$TARGET CARGO_INCREMENTAL=0
export RUSTC RUSTC_BOOTSTRAP=1 RUSTC_BOOTSTRAP_SYNTHETIC_TARGET=1
export __CARGO_TESTS_ONLY_SRC_ROOT=$STAGE/std/library

# BPF has no atomics for a single thread, frames of 4 KiB, and loads of any alignment; version 3 of sBPF. BPF's "v2" is
# version 1 with "less" besides "greater", which every sBPF has.
# Bytes: copies of more than 8 words call the runtime (cheaper, too), the linker unrolls and inlines less, and it is
# told a level that it knows, since the program is compiled for size (the last -O counts).
FLAGS=(-C passes=lower-atomic -C panic=abort -C target-cpu=v2 -C target-feature=+allows-misaligned-mem-access
  -C link-arg=--llvm-args=-bpf-stack-size=4096 -C link-arg=--arch=v3
  -C link-arg=--llvm-args=-bpf-max-stores-per-memfunc=8 -C link-arg=--llvm-args=-unroll-threshold=30
  -C link-arg=--llvm-args=-inline-threshold=60 -C link-arg=-O2
  "--remap-path-prefix=$TREE=/veilpool" "--remap-path-prefix=$STAGE/std=/std")
for index in "$REGISTRY"/*; do FLAGS+=("--remap-path-prefix=$index=/registry"); done
CARGO_TARGET_BPFEL_SOLANA_RUSTFLAGS=${FLAGS[*]}
export CARGO_TARGET_BPFEL_SOLANA_RUSTFLAGS

# The sources as they are now: an edit during the build must not pass as built.
SOURCES=$("$TREE/verifier-program/sbf/sources.sh")

# build FILE FEATURES
build() {
  say "compiling $1"
  (cd "$TREE" && cargo rustc -q -Zjson-target-spec -Zbuild-std=std,panic_abort --release --locked \
    --config 'profile.release.package.veilpool-program.opt-level="s"' \
    --target "$TREE/verifier-program/sbf/bpfel-solana.json" -p veilpool-program --lib --crate-type cdylib --features "$2")
  cp "$TARGET/bpfel-solana/release/libveilpool_program.so" "$OUTPUT/$1.new"
}

# describe FILE PURPOSE
describe() {
  printf '\n[[program]]\nfile = "%s"\npurpose = "%s"\nsize = %d\nsha256 = "%s"\n' \
    "$1" "$2" "$(stat -c %s "$OUTPUT/$1")" "$(sha256sum "$OUTPUT/$1" | cut -d' ' -f1)"
}

build veilpool_program.so ""
build veilpool_program_development.so accept-development-keys
for file in veilpool_program.so veilpool_program_development.so; do
  mv "$OUTPUT/$file.new" "$OUTPUT/$file"
done

{
  echo "# What the two builds of the program are made of. Written by build.sh; don't edit."
  echo "sources_sha256 = \"$SOURCES\""
  echo "rustc = \"$("$RUSTC" --version)\""
  echo "llvm = \"$("$RUSTC" -vV | sed -n 's/^LLVM version: //p')\""
  echo "linker = \"$(sbpf-linker --version | paste -sd, | sed 's/,/, /')\""
  echo "cargo = \"$(cd "$TREE" && cargo --version)\""
  describe veilpool_program.so "release: refuses development keys"
  describe veilpool_program_development.so "tests and demo: accepts development keys, for which anybody can forge claims"
} > "$OUTPUT/veilpool_program.toml"
say "done: $OUTPUT"
