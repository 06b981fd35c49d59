#!/usr/bin/env bash
# Proves that rskq runs on processors without an operating system, as far as a linker can tell.
#
# Proved, for each target whose precompiled `core` is here or can be fetched:
#   - rskq builds, with each of the features that are for embedders;
#   - the scenario of the freestanding image links into an object with nothing undefined, no std, no alloc, no
#     allocator and no unwinder;
#   - where nothing is inlined, every public function of the crate is in the object (src/named.rs calls what
#     the scenario does not), but for the constant and always inlined ones, which are called in the sources;
#   - each of these checks fails when it should: see "controls" below.
# Not proved: that it runs there, which the freestanding image shows for x86-64 only.
# Printed: the code's size, and how much memory each thing takes.
#
# Needs rustup to fetch targets, and binutils. Writes to target/bare-metal. Exits with 77 if no target is
# here.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
export CARGO_TARGET_DIR=$root/target/bare-metal
export CARGO_TERM_COLOR=never LC_ALL=C
# Flags from outside would replace those of .cargo/config.toml.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS CARGO_BUILD_TARGET

targets=(x86_64-unknown-none aarch64-unknown-none riscv32imac-unknown-none-elf thumbv7m-none-eabi
    thumbv7em-none-eabihf)
# Neither has compare-and-swap: rskq refuses with a sentence.
without_swap=(thumbv6m-none-eabi riscv32imc-unknown-none-elf)
log=$CARGO_TARGET_DIR/log
mkdir -p "$CARGO_TARGET_DIR"

# shellcheck source=ci/freestanding/searches.sh
source "$here/../freestanding/searches.sh"

fail() {
    echo "bare-metal: FAILED: $*" >&2
    exit 1
}

# have TARGET: whether its `core` is here, or is now.
have() {
    compgen -G "$(rustc --print target-libdir --target "$1")/libcore-*.rlib" >/dev/null && return
    rustup target add "$1" >"$log" 2>&1 && return
    echo "bare-metal: $1 is left out: its core is not installed, and rustup could not fetch it"
    return 1
}

# build TARGET PROFILE FEATURES: builds the object; what was said is in $log.
build() {
    (cd "$here" && cargo build --locked --target "$1" --profile "$2" --features "$3") >"$log" 2>&1
}

# object TARGET PROFILE: where it is.
object() {
    echo "$CARGO_TARGET_DIR/$1/$2/bare-metal"
}

# size_of OBJECT NAME: the size of a symbol.
size_of() {
    nm -S "$1" | awk -v name="$2" '$4 == name { print $2 }' | { read -r size && echo $((16#$size)); }
}

things=(A_REQUEST A_LISTENER AN_OWNER A_GROUP A_MEMBER A_PORT_BUCKET A_LISTEN_BUCKET AN_EHASH_BUCKET
    THE_STACK)
built=()
for target in "${targets[@]}"; do
    have "$target" || continue
    for feature in "" spin critical-section lockdep; do
        (cd "$root" && cargo check --quiet --locked -p rskq --no-default-features --features "$feature" \
            --target "$target") ||
            fail "$target: does not build with feature '$feature'"
    done
    build "$target" release "" || { cat "$log" >&2; fail "$target: the object does not build"; }
    for name in "${searches[@]}"; do
        found=$(search "$name" "$(object "$target" release)")
        [[ -z $found ]] || fail "$target: the object has $name symbols or headers:"$'\n'"$found"
    done
    read -r text _ < <(size "$(object "$target" release)" | tail -n 1)
    echo "$target: text $text bytes, scenario included; memory, for connections of 4 bytes:"
    sizes=$(for thing in "${things[@]}"; do
        name=${thing,,}
        echo "${name//_/ } $(size_of "$(object "$target" release)" "SIZE_OF_$thing")"
    done)
    echo "    ${sizes//$'\n'/, }"
    built+=("$target")
done
[[ ${#built[@]} -gt 0 ]] || { echo "bare-metal: no target could be had: nothing was checked"; exit 77; }

# --- Every public function.

first=${built[0]}
# The compiler's own reading: without what is switched off, with what macros make.
(cd "$root" && RUSTC_BOOTSTRAP=1 cargo rustc --quiet --locked -p rskq --no-default-features \
    --features lockdep --lib --profile release -- -Zunpretty=expanded) >"$CARGO_TARGET_DIR/expanded.rs"
functions=$(awk -f "$here/functions.awk" "$CARGO_TARGET_DIR/expanded.rs" | sort -u)
[[ $(wc -l <<<"$functions") -gt 150 ]] || fail "not even 150 public functions: $functions"

sources=("$root/src" "$here/src" "$here/../freestanding/src")
# uncalled OBJECT: public functions that are not in it.
uncalled() {
    nm -C "$1" | cut -d' ' -f3- | grep rskq >"$CARGO_TARGET_DIR/symbols"
    while read -r type name how; do
        case $type in
            -) symbol="::$name$" ;;
            *) symbol="\\b$type(<.*>)?>?::$name$" ;;
        esac
        grep -qE "$symbol" "$CARGO_TARGET_DIR/symbols" && continue
        [[ $how == inlined ]] && grep -rqE "(\\.|::)$name(::<[^>]*>)?\\(" "${sources[@]}" && continue
        echo "$type::$name"
    done <<<"$functions"
}

build "$first" outlined named || { cat "$log" >&2; fail "the object does not build"; }
found=$(uncalled "$(object "$first" outlined)")
[[ -z $found ]] || fail "public functions that are not in the object:"$'\n'"$found"

# --- The controls.

echo "controls:"

# refused TARGET FEATURE REGEX: the object must not build with FEATURE, and the log must say why.
refused() {
    ! build "$1" release "$2" || fail "control $2 builds"
    reason=$(grep -oEm1 "$3" "$log") || { cat "$log" >&2; fail "control $2 fails for another reason"; }
    echo "  ${2:-$1}: $reason"
}

refused "$first" control-std "can't find crate for .std."
refused "$first" control-alloc 'no global memory allocator found but one is required'
refused "$first" control-undefined 'undefined symbol: rskq_control_undefined'
for target in "${without_swap[@]}"; do
    have "$target" && refused "$target" "" 'rskq needs compare-and-swap'
done

build "$first" outlined "" || { cat "$log" >&2; fail "the object without src/named.rs does not build"; }
found=$(uncalled "$(object "$first" outlined)")
grep -qx 'LockedQueue::splice_head' <<<"$found" || fail "a public function that is not called goes unnoticed"
echo "  uncalled: $(wc -l <<<"$found") public functions are missed in the object without src/named.rs"

rustc --edition 2024 -O -o "$CARGO_TARGET_DIR/ordinary" "$here/../freestanding/controls/ordinary.rs"
for name in "${searches[@]}"; do
    [[ -n $(search "$name" "$CARGO_TARGET_DIR/ordinary") ]] ||
        fail "search $name finds nothing in an ordinary program"
done
echo "  ordinary: search ${searches[*]}: each finds something"

echo "bare-metal: ok: ${#built[@]} targets, $(wc -l <<<"$functions") public functions, ${SECONDS} s"
