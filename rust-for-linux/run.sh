#!/usr/bin/env bash
# Builds a Linux kernel with Rust, and a module in Rust for it of the crate as it is, with locks of
# kernel::sync; boots it in QEMU, and looks at what the module's self-test says: queueing, migration and lock
# order, from five kernel threads, seen by rskq's validator and by the kernel's own. Each of five seeded
# faults has to be found.
#
# Downloads the kernel's source and busybox from Debian (154 MB), and from Rust the source of `core` and
# bindgen; installs, if they are missing and this is root, flex, bison, bc, xz, libelf, libclang and QEMU.
# Needs cargo, rustup, gcc, make, and 2.5 GB below target/rust-for-linux. Takes four to eight minutes on two
# CPUs without KVM: three to six for the kernel, one for bindgen the first time. When all is well, what was
# downloaded stays and what was built does not; KEEP=1 keeps it. `run.sh clean` removes both. 77 if something
# cannot be had.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
crate=$(cd "$here/.." && pwd)
name=rust-for-linux
out=$crate/target/$name
# Which kernel: a package of Debian's. Which Rust: RUSTUP_TOOLCHAIN says.
package=${KERNEL:-linux-source-6.12}
bindgen=0.71.1
built=$out/built
export CARGO_TERM_COLOR=never LC_ALL=C
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS CARGO_BUILD_TARGET MAKEFLAGS MAKEOVERRIDES
. "$crate/kmod/machine.sh"

trap 'fail "interrupted: what was built stays, and the next run goes on with it"' INT TERM
[[ ${1:-} != clean ]] || { rm -rf "$out"; exit 0; }
mkdir -p "$built"

# --- What it needs.

for tool in gcc make cargo rustc; do
    command -v $tool >/dev/null || unable "$tool is missing"
done
wants() {
    need "$@" || unable "Debian's $1 is missing: $(tail -n 1 "$out/log")"
}
wants flex command -v flex
wants bison command -v bison
wants bc command -v bc
wants xz-utils command -v xz
wants libelf-dev test -e /usr/include/gelf.h
wants libclang1 compgen -G "${LIBCLANG_PATH:-/usr/lib/llvm-*/lib}/libclang*.so*"
wants qemu-system-x86 command -v qemu-system-x86_64
if [[ ! -d $(rustc --print sysroot)/lib/rustlib/src/rust/library ]]; then
    echo "$name: adding the source of core to rustup's toolchain"
    rustup component add rust-src >"$out/log" 2>&1 ||
        unable "rust-src cannot be had: $(tail -n 1 "$out/log")"
fi

version=$(apt-cache policy "$package" | sed -n 's/^ *Candidate: \([0-9].*\)/\1/p')
[[ -n $version ]] || unable "Debian has no $package: apt-get update, or another one in KERNEL"
root=$out/debian-$version
unpacked "$root" busybox-static "$package" || unable "the packages cannot be had: $(tail -n 1 "$out/log")"

export PATH=$out/tools/bin:$PATH
if [[ ! -x $out/tools/bin/bindgen ]]; then
    began=$SECONDS
    CARGO_TARGET_DIR=$built/tools nice -n 10 cargo install bindgen-cli --version $bindgen --locked --quiet \
        --root "$out/tools" >"$out/log" 2>&1 || unable "bindgen cannot be had: $(tail -n 1 "$out/log")"
    echo "$name: built bindgen $bindgen in $((SECONDS - began)) s"
fi

# --- The kernel.

began=$SECONDS
sources=$built/$version
objects=$sources-objects
if [[ ! -d $sources ]]; then
    mkdir -p "$sources.new"
    tar -C "$sources.new" --strip-components 1 -xf "$root/usr/src/$package.tar.xz"
    mv "$sources.new" "$sources"
fi
kernel() {
    nice -n 10 make -C "$sources" O="$objects" -j"$(nproc)" "$@" >"$out/log" 2>&1
}
kernel rustavailable || { cat "$out/log" >&2; fail "the kernel does not take this Rust"; }
kernel tinyconfig || fail "the kernel is not configured: $(tail -n 1 "$out/log")"
cat "$here/config" >>"$objects/.config"
kernel olddefconfig || fail "the kernel is not configured: $(tail -n 1 "$out/log")"
refused=$(grep -v '^#' "$here/config" | grep -vxFf "$objects/.config" || true)
[[ -z $refused ]] || fail "the kernel will not have" $refused
kernel bzImage modules || {
    tail -n 30 "$out/log" >&2
    fail "Linux $version does not build with $(rustc --version); 6.12.117 does with 1.95.0 (RUSTUP_TOOLCHAIN)"
}
echo "$name: built Linux $version with $(rustc --version) in $((SECONDS - began)) s"

# --- The module.

began=$SECONDS
rm -rf "$built/module" "$built/crates"
cp -r "$here/module" "$built/module"
CARGO_TARGET_DIR=$built/crates kernel M="$built/module" RSKQ="$crate" modules ||
    { cat "$out/log" >&2; fail "the module does not build"; }
grep -E '^(warning|error)|undefined' "$out/log" || true
read -r text _ < <(size "$built/module/rskq_selftest.o" | tail -n 1)
echo "$name: built the module in $((SECONDS - began)) s: $text bytes, self-test and validator included"

# --- The machine. The kernel's checker complains once: what it is to find is run apart.

cycle='^WARNING: possible circular locking dependency'
pack "$root/bin/busybox" "$built/module/rskq_selftest.ko"
run() {
    boot "$objects/arch/x86/boot/bzImage" "$@"
}
# complains FAULT REGEX: with FAULT the kernel says so.
complains() {
    complaints | grep -qE "$2" || fail "fault $1: the kernel does not complain: $2"
}
run 0 1 2
! complaints || fail "the kernel complains"
said 0 '^rskq_selftest: ok: '
said 1 '^rskq_selftest: FAILED: a connection is aborted though somebody listens'
said 2 '^rskq_selftest: FAILED: a connection did not end once'
run 3
said 3 '^rskq_selftest: FAILED: locks are taken out of order'
complains 3 "$cycle"
run 4
said 4 "^rskq_selftest: FAILED: the kernel's checker found what the validator did not"
complains 4 "$cycle"
run 5
complains 5 '^BUG: scheduling while atomic'

[[ -n ${KEEP:-} ]] || rm -rf "$built" "$out"/{image,initrd.gz,console,said,log}
echo "$name: ok: the self-test passes, and 5 of 5 seeded faults are found; $SECONDS s"
