#!/usr/bin/env bash
# With feature `lockdep` off, the locks of the validator are the raw locks: the same size, and the same
# instructions in the same order, function by function. With it on they are not, which shows that the
# comparison can fail.
#
# Needs cargo and binutils. Writes to target/lockdep-off only.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$here/../../target/lockdep-off
export CARGO_TARGET_DIR=$out CARGO_TERM_COLOR=never LC_ALL=C
# Flags from outside would be compared as well.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS CARGO_BUILD_TARGET

fail() {
    echo "lockdep-off: FAILED: $*" >&2
    exit 1
}

# object NAME FEATURES: builds NAME.o with the features.
object() {
    (cd "$here" && cargo rustc --locked --quiet --release --lib --features "$2" -- --emit "obj=$out/$1.o") ||
        fail "$1 does not build"
}

# code NAME FUNCTION: the function's instructions, with names instead of addresses.
code() {
    objdump -d -r --no-show-raw-insn --no-addresses --disassemble="$2" "$out/$1.o" |
        sed -n "/<$2>:/,/^\$/p"
}

mkdir -p "$out"
object raw raw
object off ""
object on lockdep

functions=$(nm "$out/raw.o" | sed -n 's/.* T \(probe_[a-z_]*\)$/\1/p')
[ "$(echo "$functions" | wc -l)" -eq 5 ] || fail "not five functions: $functions"

instructions=0
for function in $functions; do
    raw=$(code raw "$function")
    lines=$(echo "$raw" | wc -l)
    [ "$lines" -gt 2 ] || fail "no code of $function"
    instructions=$((instructions + lines - 1))
    if [ "$raw" != "$(code off "$function")" ]; then
        diff <(code raw "$function") <(code off "$function") || true
        fail "$function differs from the raw lock's"
    fi
    # What only looks at a lock is not validated.
    if [ "$function" != probe_is_locked ] && [ "$raw" = "$(code on "$function")" ]; then
        fail "the comparison does not notice the validator in $function"
    fi
done
echo "lockdep-off: $instructions instructions in 5 functions, the same as the raw lock's; with the validator 4 of 5 differ"
