# Two commands: `make demo` shows the whole path, `make test` runs every test. Both install what they need,
# are safe to repeat, and say what they do. Nothing is written outside this folder and the cache below.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CACHE ?= $(HOME)/.cache/veilpool
SBF := verifier-program/sbf
TS := clients/ts
export VEILPOOL_PARAMS ?= $(CACHE)/params
export CARGO_TERM_COLOR ?= auto
NEXTEST_VERSION := 0.9.143

.PHONY: help demo test lint program program-check ts surfpool tables bench bench-dataplane fuzz miri tools nextest node network snarkjs

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

tools:
	@command -v cargo >/dev/null || { echo "Rust is missing: install rustup (https://rustup.rs), then run this again." >&2; exit 1; }
	@command -v cc >/dev/null || { echo "== installing a C compiler (SQLite and the cipher need it)"; \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; $$sudo apt-get update -q && $$sudo apt-get install -y -q build-essential; }

demo: tools ## a tunnel, a proof, a payment: the whole path on this machine, in about two minutes
	@echo "== building veilpool (the first time this takes several minutes)"
	cargo build --locked -p veilpool-cli --bin veilpool
	@echo "== running the demo: local chain, five measurers, relayer, keeper, four nodes"
	target/debug/veilpool demo $(DEMO_ARGS)

test: tools nextest program-check snarkjs node network ts ## every test, none skipped
	@echo "== running all tests"
	VEILPOOL_SNARKJS=$(CACHE)/snarkjs/node_modules/.bin/snarkjs cargo nextest run --locked --workspace
	@echo "== running the examples in the documentation"
	cargo test --locked --doc -q -p veilpool-localnet -p veilpool-primitives -p veilpool-prover -p veilpool-arithmetic -p veilpool-iden3 -p veilpool-halo2 -p veilpool-tunnel -p veilpool-chain

nextest: tools
	@cargo nextest --version >/dev/null 2>&1 || { echo "== installing cargo-nextest $(NEXTEST_VERSION), the test runner"; \
	  cargo install --locked cargo-nextest@$(NEXTEST_VERSION); }

node:
	@command -v npm >/dev/null || { echo "== installing Node and npm, in which provers and verifiers that aren't ours run"; \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; $$sudo apt-get update -q && $$sudo apt-get install -y -q npm; }

# Without what they recommend, which is a kernel.
network: tools
	@for program in ip nft ping iperf3 sysctl wg wireguard-go; do command -v $$program >/dev/null || missing=1; done; \
	  [ -z "$${missing:-}" ] || { echo "== installing iproute2, nftables, iperf3, procps, wireguard-tools and wireguard-go, which tests of exit policy and data plane use"; \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; $$sudo apt-get update -q && \
	  $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends iproute2 iputils-ping iperf3 nftables procps wireguard-tools wireguard-go; }

# The verifier that isn't ours.
snarkjs: node
	@[ -x $(CACHE)/snarkjs/node_modules/.bin/snarkjs ] || { echo "== installing snarkjs, which checks our proofs"; \
	  mkdir -p $(CACHE)/snarkjs && cp docs/vectors/snarkjs/package*.json $(CACHE)/snarkjs/ && \
	  npm ci --silent --no-audit --no-fund --prefix $(CACHE)/snarkjs; }

program: tools ## compile the on-chain program and write it beside its metadata
	$(SBF)/setup.sh
	$(SBF)/build.sh

program-check: tools ## compile the on-chain program and compare it with the committed one
	$(SBF)/setup.sh
	$(SBF)/check.sh

ts: node ## the TypeScript client: built, compared with the program's description, and its bytes with Rust's
	@cmp -s $(TS)/package-lock.json $(TS)/node_modules/.installed || { echo "== installing what the TypeScript client is made with"; \
	  npm ci --loglevel=error --no-audit --no-fund --prefix $(TS) && cp $(TS)/package-lock.json $(TS)/node_modules/.installed; }
	@echo "== building and testing the TypeScript client"
	npm run --silent --prefix $(TS) build
	npm run --silent --prefix $(TS) check-generated
	npm run --silent --prefix $(TS) test

surfpool: tools nextest ts ## the end-to-end test on Surfpool instead of the embedded chain (the first time ten minutes more)
	localnet/surfpool/run.sh

lint: tools ## formatting and clippy, warnings are errors
	cargo fmt --all --check
	cargo fmt --check --manifest-path localnet/surfpool/Cargo.toml
	cargo clippy --locked --workspace --all-targets -- -D warnings

tables: tools node ## measure and write what README and docs say of our own circuits, prover and program
	cargo run --locked --release -p veilpool-benches --bin bench -- --only circuits,proving,memory,chain
	VEILPOOL_WRITE=1 cargo test --locked -q -p veilpool-protocol --test workspace

FUZZ_SECONDS ?= 60
fuzz: tools ## every parser under libFuzzer, a minute each (FUZZ_SECONDS); installs a nightly compiler and cargo-fuzz
	@cargo fuzz --version >/dev/null 2>&1 || { echo "== installing cargo-fuzz"; cargo install --locked cargo-fuzz; }
	@rustup toolchain list | grep -q nightly || { echo "== installing a nightly compiler"; rustup toolchain install nightly --profile minimal; }
	@for target in $$(cargo +nightly fuzz list); do \
	  echo "== $$target"; mkdir -p fuzz/corpus/$$target fuzz-targets/corpus/$$target; \
	  cargo +nightly fuzz run $$target fuzz/corpus/$$target fuzz-targets/corpus/$$target -- \
	    -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -rss_limit_mb=1024 -malloc_limit_mb=64; done

miri: tools ## the portable arithmetic under Miri, in minutes; installs a nightly compiler with Miri
	@rustup toolchain list | grep -q nightly || { echo "== installing a nightly compiler"; rustup toolchain install nightly --profile minimal; }
	@rustup component add --toolchain nightly miri rust-src
	RAYON_NUM_THREADS=2 MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-ignore-leaks -Zmiri-tree-borrows" \
	  cargo +nightly miri test --locked -p veilpool-arithmetic --lib

bench: tools node ## every benchmark, other provers beside ours: writes docs/benchmarks.md, .json and plots (five minutes; the first time twenty)
	@echo "== building the benchmarks, optimised (the first time this takes some minutes)"
	cargo build --locked --release -p veilpool-benches --bin bench
	@echo "== measuring; other provers are installed by npm below $(CACHE)/peers. Leave the machine alone meanwhile"
	cargo run --locked --release -q -p veilpool-benches --bin bench -- $(BENCH_ARGS)

bench-dataplane: network ## the data plane beside other WireGuard programs, as root: writes docs/dataplane.md and .json (half an hour)
	@echo "== building the benchmark, optimised"
	cargo build --locked --release -p veilpool-dataplane-bench
	@echo "== measuring; leave the machine alone meanwhile"
	@sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; $$sudo target/release/dataplane-bench $(DATAPLANE_ARGS)
