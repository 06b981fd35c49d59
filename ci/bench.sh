#!/usr/bin/env bash
# Measures everything ten times, counts instructions, and writes BENCHMARKS.md, plots and JSON. What cargo and
# criterion say goes to target/bench/log; what is left of an earlier measurement goes first.
#
# Needs gcc and valgrind. Takes under ten minutes on a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
log=$target/bench/log
command -v valgrind >/dev/null || { echo "bench: valgrind is missing (Debian: package valgrind)"; exit 1; }
rm -rf "$target/criterion"
mkdir -p "$target/bench"

# times FILTER FEATURES: what the filter names, in a build with the features.
times() {
    cargo bench -p rskq-bench --bench times --features "$2" -- --quiet "$1" >"$log" 2>&1 ||
        { tail -n 20 "$log"; echo "bench: FAILED"; exit 1; }
}

echo "bench: everything, ten times"
times '' ''
echo "bench: closes beside the merged design's, ten times"
times 'beside clone' designs
cargo run --quiet --profile bench -p rskq-bench -- report
