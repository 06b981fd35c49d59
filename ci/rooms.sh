#!/usr/bin/env bash
# Each room of the crate depends only on the rooms above it, in the order of the README's table.
# Unit tests may look anywhere. That the check can fail is shown with one import turned round.
set -euo pipefail
cd "$(dirname "$0")/.."

rooms=$(awk '/^\| `src\// { split($2, part, "/"); sub(/\.rs`$|`$/, "", part[2]); print part[2] }' README.md)
[ "$(echo "$rooms" | wc -l)" -gt 10 ] || { echo "rooms: the README's table is gone"; exit 1; }

# Prints each import, in the tree below $1, of a room that comes after the importing one.
upward() {
    local above=""
    for room in $rooms; do
        above="$above $room"
        files=$(find "$1/$room" "$1/$room.rs" -name '*.rs' ! -name tests.rs ! -path '*/tests/*' 2>/dev/null || true)
        [ -n "$files" ] || { echo "$room is no room of $1"; continue; }
        for below in $rooms; do
            case " $above " in *" $below "*) continue ;; esac
            # shellcheck disable=SC2086 # file names of the crate have no spaces
            grep -Hn "^[^/]*crate::$below\b" $files || true
        done
    done
}

# Every module of the crate is a room.
for module in $(sed -n 's/^pub mod \([a-z_]*\);/\1/p' src/lib.rs); do
    echo "$rooms" | grep -qx "$module" || { echo "rooms: $module is not in the README's table"; exit 1; }
done

altered=target/rooms
rm -rf "$altered"
mkdir -p "$altered"
cp -r src "$altered/"
echo 'use crate::stack::Stack;' >>"$altered/src/slab/id.rs"
[ -n "$(upward "$altered/src")" ] || { echo "rooms: an import of a room below goes unnoticed"; exit 1; }

found=$(upward src)
if [ -n "$found" ]; then
    echo "rooms: imports of rooms below:"
    echo "$found"
    exit 1
fi
echo "rooms: $(echo "$rooms" | wc -l) rooms, each depends only on those above it"
