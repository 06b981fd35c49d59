#!/usr/bin/env bash
# The crate's own tests under Miri, which sees undefined behaviour that no sanitizer does: of pointers' provenance and of
# types' validity. That it sees into the stack is shown with a use after free and a race in a small close storm.
#
# Needs a nightly with miri and rust-src, and says so with 77 where there is none. It interprets, a thousand times as
# slowly as the tests run: those named below, which do one thing a great many times, are left out, and the rest take
# some twenty minutes.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! cargo +nightly miri --version >/dev/null 2>&1; then
    echo "miri: not here; rustup toolchain install nightly --component miri,rust-src"
    exit 77
fi
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/miri
# Tests read files and the clock, and what is drawn at random is drawn a few times.
export MIRIFLAGS=-Zmiri-disable-isolation PROPTEST_CASES=8
miri() { cargo +nightly miri "$@"; }

# Expects that Miri finds what `attack broken $1` does, and says $2.
finds() {
    local said
    if said=$(miri run --quiet -p attack -- broken "$1" --connections 200 2>&1) || ! grep -q "$2" <<<"$said"; then
        echo "miri: does not find the $1:"
        tail -20 <<<"$said"
        exit 1
    fi
    echo "miri: finds the $1"
}

finds use-after-free "Undefined Behavior: .*has been freed"
finds race "Undefined Behavior: Data race detected"

miri test -p rskq --features alloc,designs --lib --test stack -- \
    --skip group::socks --skip every_part_of_a_key --skip a_full_table_of_sites --skip growth::
echo "miri: nothing found but what was to be found"
