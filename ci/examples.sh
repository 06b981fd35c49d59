#!/usr/bin/env bash
# Every example of docs/bring-your-own.md is compiled and run: as many tests passed as the page has blocks of
# code, each of which is Rust. That the comparison can fail is shown with one block that nobody runs.
set -euo pipefail
cd "$(dirname "$0")/.."

page=docs/bring-your-own.md
log=target/examples.txt
mkdir -p target
# No colours, and one line a test.
CARGO_TERM_COLOR=never cargo test -p rskq --features alloc,critical-section --doc bring_your_own \
    >"$log" 2>&1 || {
    cat "$log" >&2
    exit 1
}
ran=$(grep -cE '^test .* bring_your_own .* \.\.\. ok$' "$log")

# Prints the first line of each block of code of the file $1.
blocks() {
    awk '/^```/ { if (!inside) print; inside = !inside }' "$1"
}

# Prints what is wrong with the blocks of the file $1.
untested() {
    blocks "$1" | grep -vx '```rust' || true
    [ "$(blocks "$1" | wc -l)" -eq "$ran" ] || echo "$(blocks "$1" | wc -l) blocks, of which $ran ran"
}

altered=target/examples-altered.md
{ cat "$page" && printf '\n```rust,ignore\nnobody_runs_this();\n```\n'; } >"$altered"
[ "$(untested "$altered" | wc -l)" -eq 2 ] || { echo "examples: what nobody runs goes unnoticed"; exit 1; }

if [ -n "$(untested "$page")" ]; then
    echo "examples: not every block of $page is a test:"
    untested "$page"
    exit 1
fi
echo "examples: each of the $ran blocks of $page was compiled and run"
