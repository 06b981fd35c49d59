#!/usr/bin/env bash
# Proves that rskq runs where there is no operating system's library.
#
# Proved, for rskq without its default features and for everything that the image calls of it:
#   - it compiles for, and links into, a static ELF image that has its own entry point, panic handler,
#     lock and memory, and nothing else: no C library, no start files, no std, no allocator;
#   - the image has no undefined symbol (not even a weak one), no interpreter, no dynamic section, and
#     no symbol of std, alloc, the allocator or the unwinder;
#   - the image, run here, finds every operation of the stack to do what it should;
#   - each of these checks fails when it should, and for its own reason: see "controls" below.
# Not proved: anything about generic code that the image does not call (that every public function of
# src/stack is called is checked), about features that are off, about other targets, or about more
# than one context at a time. Panics may remain (they are listed), floating-point registers are used.
#
# Needs cargo, gcc (to link) and binutils. Writes to target/freestanding only.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
target=x86_64-unknown-linux-gnu
export CARGO_TARGET_DIR=$root/target/freestanding
export CARGO_TERM_COLOR=never LC_ALL=C
# The image's flags are in .cargo/config.toml, and variables would replace them.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS CARGO_BUILD_TARGET
unset CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS

image=$CARGO_TARGET_DIR/$target/release/freestanding
ordinary=$CARGO_TARGET_DIR/ordinary
log=$CARGO_TARGET_DIR/log
checks=0
controls=0

fail() {
    echo "freestanding: FAILED: $*" >&2
    exit 1
}

# build FEATURE...: builds the image; what was said is in $log.
build() {
    (cd "$here" && cargo build --locked --release --target "$target" --features "$*") >"$log" 2>&1
}

# run: runs the image; what it said is in $log. A lock that is never released would spin for ever.
run() {
    timeout 10 "$image" >"$log" 2>&1
}

# The searches must find nothing in the image, and something in the controls.
# shellcheck source=ci/freestanding/searches.sh
source "$here/searches.sh"

# --- The image.

echo "== rskq without default features"
(cd "$root" && cargo build --locked --release --no-default-features -p rskq --lib)

echo "== the image"
build || { cat "$log" >&2; fail "the image does not build"; }
for name in "${searches[@]}"; do
    found=$(search "$name" "$image")
    [[ -z $found ]] || fail "the image has $name symbols or headers:"$'\n'"$found"
    checks=$((checks + 1))
done

header=$(readelf -hW "$image")
[[ $header =~ Type:\ +EXEC && $header =~ Entry\ point\ address:\ +0x([0-9a-f]+) ]] || fail "not a static executable"
entry=${BASH_REMATCH[1]}
[[ $(nm "$image" | grep ' T _start$') =~ ^0*"$entry " ]] || fail "the entry point is not _start"
checks=$((checks + 1))

# uncalled SOURCE...: public functions declared there that no line of the image calls.
uncalled() {
    # What feature `alloc` adds is not in the image either.
    awk '/^#\[cfg\(feature = "alloc"\)\]$/ { off = 1; next } off == 1 { off = /^impl/ ? 2 : 0 }
        off == 2 && /^}/ { off = 0 } !off' "$@" |
        sed -nE 's/^ *pub (const )?(unsafe )?fn ([a-z0-9_]+).*/\3/p' | sort -u | while read -r name; do
        grep -rqE "(\\.|::)$name(::<[^>]+>)?\\(" "$here/src" || echo "$name"
    done
}
# What feature `designs` adds is history, and not in the image.
sources=()
for source in "$root"/src/stack/*.rs; do
    [[ $source == */posted.rs ]] || sources+=("$source")
done
found=$(uncalled "${sources[@]}")
[[ -z $found ]] || fail "public functions of the stack that the image does not call:"$'\n'"$found"
checks=$((checks + 1))

run || fail "the image exits with $?: $(cat "$log")"
grep -qx 'freestanding: everything as expected' "$log" || fail "the image says: $(cat "$log")"
checks=$((checks + 1))

read -r text data bss _ < <(size "$image" | tail -n 1)
echo "size: text $text, data $data, bss $bss bytes, of which rskq by name $(
    nm -CS "$image" | grep -E '[tT] .*rskq::' | { sum=0; while read -r _ size _; do sum=$((sum + 16#$size)); done; echo "$sum"; }
) (more is inlined)"
echo "panic entries: $(symbols "$image" 'core::panicking::' | cut -c3- | sort | paste -sd, | sed 's/,/, /g')"

# --- The controls.

echo "== controls"

# controlled NAME REASON
controlled() {
    controls=$((controls + 1))
    printf '  %-18s %s\n' "$1" "$2"
}

# refused FEATURE REGEX: the image must not build with FEATURE, and the log must say why.
refused() {
    ! build "$1" || fail "control $1 builds"
    reason=$(grep -oEm1 "$2" "$log") || { cat "$log" >&2; fail "control $1 fails for another reason"; }
    controlled "$1" "build: $reason"
}

# found FEATURE SEARCH REGEX: the image must build with FEATURE, and SEARCH must find REGEX in it.
found() {
    build "$1" || { cat "$log" >&2; fail "control $1 does not build"; }
    found=$(search "$2" "$image")
    [[ $found =~ $3 ]] || fail "control $1: search $2 found: ${found:-nothing}"
    controlled "$1" "search $2: ${BASH_REMATCH[0]}"
}

# An ordinary program: every search must find what it is there for.
rustc --edition 2024 -O -o "$ordinary" "$here/controls/ordinary.rs"
for name in "${searches[@]}"; do
    found=$(search "$name" "$ordinary")
    [[ -n $found ]] || fail "search $name finds nothing in an ordinary program"
done
controlled ordinary "search ${searches[*]}: each finds something"

found=$(uncalled <(echo '    pub fn no_such_operation(&self) {'))
[[ $found == no_such_operation ]] || fail "a public function that is not called is not noticed"
controlled uncalled "a public function that the image does not call is noticed"

refused control-std 'found duplicate lang item .panic_impl.'
refused control-alloc 'no global memory allocator found but one is required'
refused control-rskq-alloc 'no global memory allocator found but one is required'
refused control-undefined 'undefined (symbol: |reference to .)rskq_control_undefined'
found control-allocator alloc 'alloc::[a-z_:]+'
found control-weak undefined 'w rskq_control_weak'

build control-behaviour || { cat "$log" >&2; fail "control-behaviour does not build"; }
status=0
run || status=$?
expected='freestanding: not as expected: accept: oldest first'
[[ $status == 1 && $(cat "$log") == "$expected" ]] || fail "control-behaviour exits with $status: $(cat "$log")"
controlled control-behaviour "run: exit status 1, ${expected#*: }"

echo "freestanding: ok: $checks checks of the image, $controls controls, text $text + data $data bytes, ${SECONDS} s"
