#!/usr/bin/env bash
# No release contains a planted fault: the freestanding image has the same instructions whether the crate
# asks at each place if its fault is planted, or has `false` written there instead. With `true` in one of
# them it has not, which shows that the comparison can fail. Feature `seeded` does not compile in a release.
#
# Needs cargo, gcc (to link) and binutils. Writes to target/seeded-text only.
set -euo pipefail
cd "$(dirname "$0")/.."

copy=$PWD/target/seeded-text
target=x86_64-unknown-linux-gnu
export CARGO_TARGET_DIR=$copy/target CARGO_TERM_COLOR=never LC_ALL=C
# The image's flags are in .cargo/config.toml, and variables would replace them.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS CARGO_BUILD_TARGET
unset CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS

fail() {
    echo "seeded: FAILED: $*" >&2
    exit 1
}

rm -rf "$copy/src" "$copy/ci"
mkdir -p "$copy/ci"
cp -r Cargo.toml Cargo.lock README.md src "$copy/"
cp -r ci/freestanding "$copy/ci/"
# The copy is the root crate alone.
sed -i 's/^members = .*/members = []/; /^\[dev-dependencies\]/,/^$/d; /^\[\[bench\]\]/,/^$/d' "$copy/Cargo.toml"

# text NAME: builds the image of the copy; its instructions are in $copy/NAME.
text() {
    (cd "$copy/ci/freestanding" && cargo build --quiet --locked --release --target "$target") 2>"$copy/log" ||
        { cat "$copy/log" >&2; fail "the image does not build: $1"; }
    objcopy -O binary --only-section=.text "$CARGO_TARGET_DIR/$target/release/freestanding" "$copy/$1"
}

# places: how many places of the copy ask.
places() {
    { grep -rhoE '\<B(ackend)?::planted\(Fault::' "$copy/src" || true; } | wc -l
}

# answer WHAT FAULT: writes WHAT in place of the question for FAULT.
answer() {
    find "$copy/src" -name '*.rs' -exec sed -Ei "s/\<(S::)?B(ackend)?::planted\(Fault::$2\)/$1/g" {} +
}

text asked
asked=$(places)
[ "$asked" -gt 100 ] || fail "$asked places ask for a fault"
answer false '[A-Za-z]+'
[ "$(places)" -eq 0 ] || fail "$(places) places still ask"
text answered
cmp "$copy/asked" "$copy/answered" || fail "the image differs from one in which nobody asks"

# The control.
cp -r src "$copy/"
answer true PushToHead
text planted
! cmp -s "$copy/asked" "$copy/planted" || fail "the comparison does not notice a fault"

# Nor is a release built with what plants them.
! (cd "$copy" && cargo check --quiet --release --features seeded) >"$copy/log" 2>&1 ||
    fail "a release compiles with feature seeded"
grep -q 'it is for profiles with debug assertions' "$copy/log" ||
    { cat "$copy/log" >&2; fail "feature seeded does not compile, for another reason"; }

bytes=$(stat -c %s "$copy/asked")
echo "seeded: $bytes bytes of instructions, the same with $asked questions as with none; one fault changes them"
