#!/usr/bin/env bash
# Builds the release binary and measures it beside wc, ripgrep and mtail; writes benches/RESULTS.md.
# benches/compare.sh [BYTES]: the corpora's size, 1 GB by default. BENCH_DIR says where they are kept.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked
target=${CARGO_TARGET_DIR:-target}
exec python3 benches/compare.py "$target/release/logtally" "${BENCH_DIR:-$target/bench}" "${1:-1e9}"
