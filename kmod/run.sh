#!/usr/bin/env bash
# Loads rskq into a stock Debian kernel, as one object with a C interface in a plain C module, and looks at
# what its self-test says: queueing, migration and lock order, from kernel threads and a softirq, with the
# kernel's spinlock_t. Each of five seeded faults has to be found.
#
# Downloads the kernel's image and headers and busybox from Debian (52 MB, once, a few seconds) and unpacks
# them below target/kmod; nothing is installed but QEMU and gcc-12, if they are missing and this is root. Needs make,
# cargo, and rustup for target x86_64-unknown-none. Runs without KVM, in about a minute; `run.sh clean`
# removes what it made. 77 if something cannot be had.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=kmod
out=$here/../target/kmod
target=x86_64-unknown-none
export CARGO_TARGET_DIR=$out/cargo CARGO_TERM_COLOR=never LC_ALL=C
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS CARGO_BUILD_TARGET
# Which kernel: the name of a package of images; another one is linux-image-cloud-amd64.
package=${KERNEL:-linux-image-6.12-cloud-amd64}
. "$here/machine.sh"

[[ ${1:-} != clean ]] || { rm -rf "$out"; exit 0; }
mkdir -p "$out/module"
out=$(cd "$out" && pwd)

# --- What it needs.

need gcc-12 command -v gcc-12 || unable "gcc-12 is missing: $(tail -n 1 "$out/log")"
need qemu-system-x86 command -v qemu-system-x86_64 || unable "QEMU is missing: $(tail -n 1 "$out/log")"
compgen -G "$(rustc --print target-libdir --target $target)/libcore-*.rlib" >/dev/null ||
    rustup target add $target >"$out/log" 2>&1 || unable "no core for $target: $(tail -n 1 "$out/log")"

image=$(apt-cache depends "$package" 2>"$out/log" | sed -n 's/^ *Depends: linux-image-\([0-9].*\)/\1/p' | head -n 1) || true
[[ -n $image ]] || unable "Debian has no $package: apt-get update, or another one in KERNEL"
kbuild=$(apt-cache depends "linux-headers-$image" | sed -n 's/^ *Depends: \(linux-kbuild-.*\)/\1/p')
common=$(apt-cache depends "linux-headers-$image" | sed -n 's/^ *Depends: \(linux-headers-.*-common\)/\1/p')
root=$out/debian-$image
unpacked "$root" busybox-static "$common" "$kbuild" "linux-headers-$image" "linux-image-$image" ||
    unable "the packages cannot be had: $(tail -n 1 "$out/log")"
headers=$root/usr/src/linux-headers-$image
# It says where it is installed, which it is not.
sed -i "s|^include .*|include $root/usr/src/$common/Makefile|" "$headers/Makefile"

# --- The module.

began=$SECONDS
# What the kernel is compiled with, of what changes how calls and returns look. The flags are unstable, the
# compiler need not be. The target has no SSE, no red zone, and nothing that unwinds.
(cd "$here" && RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Ccode-model=kernel -Crelocation-model=static -Cjump-tables=no
    -Zfunction-return=thunk-extern -Zcf-protection=branch -Zretpoline-external-thunk
    -Cunsafe-allow-abi-mismatch=retpoline,retpoline-external-thunk" cargo rustc --quiet --locked --release \
    --target $target --features panic-handler --crate-type staticlib -- "--emit=asm=$out/rskq.s")
# The precompiled core wants memcpy and the like through a table that modules have not; and of its lines,
# whose syntax the assembler does not know, nothing is lost.
sed -E '/^[[:space:]]+\.(file|loc)[[:space:]]/d
    s/(call|jmp)q?[[:space:]]+\*(mem[a-z]+)@GOTPCREL\(%rip\)/\1 \2/
    s/movq?[[:space:]]+(mem[a-z]+)@GOTPCREL\(%rip\),/movq $\1,/' "$out/rskq.s" >"$out/rskq-direct.s"
gcc-12 -c -o "$out/rskq.o" "$out/rskq-direct.s"
allowed='__x86_(return_thunk|indirect_thunk_r[a-z0-9]+)|mem(cpy|set|move|cmp)'
allowed+='|rskq_(lock_acquire|lock_release|panic)'
# foreign OBJECT: what it asks for and a kernel has not, and whether it uses registers that are a program's.
foreign() {
    nm -u "$1" | awk '{ print $2 }' | grep -vxE "$allowed" || true
    ! objdump -d "$1" | grep -q '%[xy]mm' || echo "SSE"
}
found=$(foreign "$out/rskq.o")
[[ -z $found ]] || fail "the object asks for $found"
# The control: a program's object.
printf 'double exp(double); double f(double x) { return exp(x) + 1; }' | gcc-12 -x c -c -o "$out/ordinary.o" -
[[ $(foreign "$out/ordinary.o") == *exp*SSE* ]] || fail "what an ordinary object asks for goes unnoticed"

cp "$here"/module/* "$here/include/rskq.h" "$out/module/"
cp "$out/rskq.o" "$out/module/rskq_object.o_built"
make -C "$headers" M="$out/module" CC=gcc-12 CONFIG_DEBUG_INFO_BTF_MODULES= modules >"$out/log" 2>&1 ||
    { cat "$out/log" >&2; fail "the module does not build"; }
grep -E 'warning' "$out/log" || true
read -r text _ < <(size "$out/rskq.o" | tail -n 1)
echo "kmod: built for Linux $image in $((SECONDS - began)) s; rskq's object: $text bytes"

# --- The machine.

pack "$root/bin/busybox" "$out/module/rskq_selftest.ko"
boot "$root/boot/vmlinuz-$image" 0 1 2 3 4 5
! complaints || fail "the kernel complains"
said 0 '^rskq: ok: '
said 1 '^rskq: FAILED: a connection is aborted though somebody listens'
said 2 '^rskq: FAILED: a connection did not end once'
said 3 '^rskq: FAILED: locks are taken in a cycle'
said 4 '^rskq: FAILED: a lock is released before one that was taken later'
said 5 '^rskq: FAILED: two CPUs hold one lock'
echo "kmod: ok: the self-test passes, and 5 of 5 seeded faults are found; $SECONDS s"
