#!/usr/bin/env bash
# The models divided among machines: each is in exactly one shard. That the comparison can fail is
# shown with one shard left out, and with one counted twice.
set -euo pipefail
cd "$(dirname "$0")/.."

shards=8
command -v cargo-nextest >/dev/null || { echo "shards: not checked, cargo-nextest is not installed"; exit 1; }

lists=target/shards
rm -rf "$lists"
mkdir -p "$lists"
list() {
    cargo nextest list --release -p loom-tests --test matrix --message-format oneline "$@" 2>/dev/null |
        awk '{ print $2 }'
}
list | sort >"$lists/whole"
for shard in $(seq "$shards"); do
    list --partition "slice:$shard/$shards" >"$lists/$shard"
done

# Tells whether the files given are, together, the whole and nothing twice.
divides() {
    sort "$@" | cmp -s - "$lists/whole"
}

[ "$(wc -l <"$lists/whole")" -gt 10 ] || { echo "shards: there are hardly any models"; exit 1; }
divides "$lists"/[1-9] || { echo "shards: some model is in no shard, or in two"; exit 1; }
largest=$(wc -l "$lists"/[1-9] | sort -n | tail -2 | head -1 | awk '{ print $2 }')
! divides $(ls "$lists"/[1-9] | grep -vx "$largest") || { echo "shards: a missing shard goes unnoticed"; exit 1; }
! divides "$lists"/[1-9] "$largest" || { echo "shards: a model in two shards goes unnoticed"; exit 1; }

# A model is found by its exact name and runs alone; what it says is not the question here.
one=$(head -1 "$lists/whole")
told=$(cargo nextest run --release -p loom-tests --test matrix -E "test(=$one)" 2>&1 || true)
grep -q "1 test run: " <<<"$told" || { echo "shards: $one does not run alone"; exit 1; }
echo "shards: $(wc -l <"$lists/whole") models in $shards shards, each in one"
