#!/bin/bash
# Prints the SHA-256 over everything that the program's bytes are made from, in this tree:
# the digest of the lines "SHA-256  path", in the order of the paths' bytes. The program's tests compute the same.
set -euo pipefail
export LC_ALL=C

cd "$(dirname "$0")/../.."
{
  # Without the messages between daemons, which the program is built without.
  find protocol/src -type f ! -name api.rs
  find verifier-program/{interface,groth16,program}/src verifier-program/sbf/builtins/src -type f
  printf '%s\n' protocol/Cargo.toml verifier-program/{interface,groth16,program}/Cargo.toml verifier-program/sbf/builtins/Cargo.toml
  printf '%s\n' verifier-program/sbf/{setup.sh,build.sh,patch_std.py,bpfel-solana.json}
} | sort | xargs sha256sum | sha256sum | cut -d' ' -f1
