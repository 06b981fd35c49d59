#!/usr/bin/env bash
# The matrix in the README is what the models say today: it is generated anew and compared. That the
# comparison can fail is shown with one mark altered, and with the markers gone.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --quiet --release -p loom-tests
models="${CARGO_TARGET_DIR:-target}/release/loom-tests"
altered=target/matrix-altered.md
mkdir -p target

# What `make run` or an earlier check found is read back, if it was the same build that found it.
current() {
    "$models" readme --check --resume --file "$1" 2>"$altered.err"
}

current README.md || { cat "$altered.err"; echo "matrix: stale; -- readme makes it anew"; exit 1; }

sed '0,/ ✓/s// ✗1/' README.md >"$altered"
! current "$altered" || { echo "matrix: an altered mark goes unnoticed"; exit 1; }
sed '/^<!-- end of matrix -->$/d' README.md >"$altered"
! current "$altered" || { echo "matrix: missing markers go unnoticed"; exit 1; }
echo "matrix: the README's is current"
