#!/usr/bin/env bash
# No release contains a planted fault: in a copy of the crate every place that asks for one calls, if it is
# planted, a function that does not exist. The freestanding image links all the same, since no such place is
# left in it. Where the back end that ships says that faults are planted it does not link, which shows that
# the check can fail. And feature `seeded` does not compile in a release.
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

# image: builds the image of the copy; what was said is in $copy/log.
image() {
    (cd "$copy/ci/freestanding" && cargo build --locked --release --target "$target") >"$copy/log" 2>&1
}

question='\<((S::)?B(ackend)?::planted\(Fault::[A-Za-z]+\))'
places=$(grep -rhoE "$question" "$copy/src" | wc -l)
[ "$places" -gt 100 ] || fail "$places places ask for a fault"
find "$copy/src" -name '*.rs' -exec sed -Ei "s/$question/(\1 \&\& crate::sync::no_such())/g" {} +
cat >>"$copy/src/sync/mod.rs" <<'END'
#[allow(missing_docs)]
pub(crate) fn no_such() -> bool {
    unsafe extern "C" {
        safe fn rskq_no_such_function() -> bool;
    }
    rskq_no_such_function()
}
END
calls=$(grep -rhoE 'crate::sync::no_such\(\)' "$copy/src" | wc -l)
[ "$calls" -eq "$places" ] || fail "$calls of $places places call the function that does not exist"
image || { cat "$copy/log" >&2; fail "the image does not link: a fault is in it"; }

# The control: what ships says yes.
core='fn planted(_fault: Fault) -> bool {'
sed -i "/$core/{n;s/false/true/}" "$copy/src/sync/mod.rs"
! image || fail "a fault in the image goes unnoticed"
grep -q 'undefined .*rskq_no_such_function' "$copy/log" ||
    { cat "$copy/log" >&2; fail "with faults the image does not build, for another reason"; }

# Nor is a release built with what plants them.
! (cd "$copy" && cargo check --quiet --release --features seeded) >"$copy/log" 2>&1 ||
    fail "a release compiles with feature seeded"
grep -q 'it is for profiles with debug assertions' "$copy/log" ||
    { cat "$copy/log" >&2; fail "feature seeded does not compile, for another reason"; }

echo "seeded: of $places places that ask for a fault none is in the image"
