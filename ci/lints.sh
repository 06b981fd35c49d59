#!/usr/bin/env bash
# The lint gate can fail: each lint that the project relies on is shown to refuse a line of code that
# it is there for, in a copy of the crate. That the copy passes without such a line is shown first.
set -euo pipefail
cd "$(dirname "$0")/.."

copy=target/lints
rm -rf "$copy/src"
mkdir -p "$copy"
cp -r Cargo.toml Cargo.lock README.md src "$copy/"
# The copy is the root crate alone.
sed -i 's/^members = .*/members = []/; /^\[dev-dependencies\]/,/^$/d' "$copy/Cargo.toml"

lint() {
    cargo clippy --quiet --manifest-path "$copy/Cargo.toml" --target-dir target/lints-build -p rskq \
        --features designs -- -D warnings
}

lint || { echo "lints: the crate itself is refused"; exit 1; }

# Expects that the lint $1 refuses the code $2.
refuses() {
    cp src/lib.rs "$copy/src/lib.rs"
    printf '\n%s\n' "$2" >>"$copy/src/lib.rs"
    if lint >"$copy/output" 2>&1; then
        echo "lints: $1 lets this pass: $2"
        exit 1
    fi
    if ! grep -q "$1" "$copy/output"; then
        echo "lints: refused, but not by $1: $2"
        cat "$copy/output"
        exit 1
    fi
}

refuses 'missing documentation' 'pub fn undocumented() {}'
refuses 'unsafe block missing a safety comment' \
    '/// Documented. # Safety: none.
     pub fn unargued() -> u8 { unsafe { core::ptr::read(&0u8) } }'
refuses "unsafe function's docs are missing a .# Safety. section" \
    '/// Documented.
     pub unsafe fn unexplained() {}'
refuses 'unsafe-op-in-unsafe-fn' \
    '/// Documented.
     /// # Safety
     /// Valid pointer.
     pub unsafe fn unfenced(p: *const u8) -> u8 { *p }'
refuses 'unused variable' \
    '/// Documented.
     pub fn careless(unused: u8) {}'
echo "lints: 5 of 5 lines refused by the lint that is there for them"
