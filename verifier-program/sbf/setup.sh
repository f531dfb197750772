#!/bin/bash
# Installs what compiles the on-chain program to sBPF v3, from Debian, PyPI and the Cargo registry alone.
#
#   usage: setup.sh [PREFIX]        default: ~/.cache/veilpool/sbf; about 5 minutes on two cores; safe to repeat
#
# Each step is skipped when its result is there, and leaves nothing half done under its final name.
# The official way, `cargo build-sbf --arch v3`, works too and needs none of this (see README.md).
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
PREFIX=$(realpath -m "${1:-${HOME}/.cache/veilpool/sbf}")
LLVM_PACKAGE='mlc-llvm-static[all]==23.1.1.post0'
LINKER_VERSION=0.2.6

mkdir -p "$PREFIX"

say() { printf 'sbf setup: %s\n' "$*"; }

# 1. A compiler with its library sources and the BPF target. rustup's default toolchain stays as it is.
if ! [ -x /usr/bin/rustc ] || ! [ -d /usr/lib/rustlib/src/rust ] || ! /usr/bin/rustc --version | grep -q ' 1\.9[6-9]'; then
  say "installing rustc-web (Debian)"
  as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=600 update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y -q \
    --no-install-recommends rustc-web rust-web-src libstd-rust-web-dev-bpf python3-venv
fi

# 2. A static LLVM 23 that has the BPF back end (Debian's LLVM links trivial programs only).
if ! [ -e "$PREFIX/llvm/.complete" ]; then
  say "installing LLVM (PyPI)"
  rm -rf "$PREFIX/llvm"
  python3 -m venv "$PREFIX/llvm"
  "$PREFIX/llvm/bin/pip" install -q --disable-pip-version-check "$LLVM_PACKAGE"
  touch "$PREFIX/llvm/.complete"
fi
LLVM=$("$PREFIX/llvm/bin/python" -m mlc_llvm_static.config --prefix)

# 3. The linker: LLVM bitcode to an sBPF shared object.
if ! [ -x "$PREFIX/bin/sbpf-linker" ]; then
  say "building sbpf-linker $LINKER_VERSION (Cargo registry)"
  # From the root directory, so that no project's toolchain file or configuration has a say.
  (cd / && LLVM_PREFIX=$LLVM ZLIB_PATH=$LLVM/lib LIBZSTD_PATH=$LLVM/lib RUSTUP_TOOLCHAIN=1.95.0 \
    cargo install "sbpf-linker@$LINKER_VERSION" --locked --no-default-features \
    --features bpf-linker/llvm-23,bpf-linker/llvm-link-static --root "$PREFIX")
fi

# 4. Library sources that know `target_os = "solana"`. A new version of the sources, or of the script,
#    makes them anew; every edit asserts how often it matched, so a change upstream fails loudly.
SOURCES=$(readlink -f /usr/lib/rustlib/src/rust)/library
STAMP=$( { /usr/bin/rustc -vV; cat "$HERE/patch_std.py"; } | sha256sum | cut -d' ' -f1)
if [ "$(cat "$PREFIX/std/.stamp" 2>/dev/null)" != "$STAMP" ]; then
  say "patching the standard library's sources"
  rm -rf "$PREFIX/std"
  python3 "$HERE/patch_std.py" "$SOURCES" "$PREFIX/std/library"
  echo "$STAMP" > "$PREFIX/std/.stamp"
fi
say "ready in $PREFIX"
