# For the run.sh of a module, which sources it and sets $name and $out: a machine in QEMU, whose only program
# is Debian's busybox, and what the kernel says there.

fail() {
    echo "$name: FAILED: $*" >&2
    exit 1
}

# What cannot be had here.
unable() {
    echo "$name: not run: $*" >&2
    exit 77
}

# need PACKAGE TEST...: installs Debian's package, if the test says that it is missing and this is root.
need() {
    "${@:2}" >/dev/null 2>&1 && return
    echo "$name: installing $1"
    apt-get install -y --no-install-recommends "$1" >"$out/log" 2>&1
}

# unpacked ROOT PACKAGE...: downloads Debian's packages and unpacks them into ROOT, which is all or nothing.
unpacked() {
    local root=$1 began=$SECONDS deb
    [[ ! -d $root ]] || return 0
    rm -rf "$out/debs" "$root.new"
    mkdir -p "$out/debs"
    (cd "$out/debs" && apt-get download "${@:2}") >"$out/log" 2>&1 || return 1
    echo "$name: downloaded $(du -shc "$out"/debs/*.deb | tail -n 1 | cut -f1) in $((SECONDS - began)) s"
    for deb in "$out"/debs/*.deb; do dpkg -x "$deb" "$root.new" 2>"$out/log" || return 1; done
    rm -r "$out/debs" && mv "$root.new" "$root"
}

# pack BUSYBOX MODULE: the machine's files. It loads the module once with each fault that it was started with.
pack() {
    local image=$out/image
    rm -rf "$image"
    mkdir -p "$image/bin" "$image/dev"
    cat >"$image/init" <<'INIT'
#!/bin/busybox sh
for fault in $faults; do
    echo "== fault=$fault"
    /bin/busybox insmod /selftest.ko fault=$fault && /bin/busybox rmmod rskq_selftest
done
echo "== done"
/bin/busybox reboot -f
INIT
    chmod +x "$image/init"
    cp "$1" "$image/bin/busybox"
    cp "$2" "$image/selftest.ko"
    (cd "$image" && find . | "$1" cpio -o -H newc 2>/dev/null) | gzip -1 >"$out/initrd.gz"
}

# boot KERNEL FAULT...: what is said while it loads the module with each is shown, and in $out/said.
boot() {
    local began=$SECONDS
    timeout 300 qemu-system-x86_64 -accel tcg,thread=multi -M q35 -m 256 -smp 2 -display none -monitor none \
        -no-reboot -kernel "$1" -initrd "$out/initrd.gz" -serial "file:$out/console" \
        -append "console=ttyS0 quiet loglevel=7 panic=-1 \"faults=${*:2}\"" </dev/null ||
        fail "QEMU ends with $?, after: $(tail -n 5 "$out/console")"
    # A module that fails is tried a second time by busybox.
    local what='rskq: .*|== .*|rskq_selftest: .*|BUG: .*|WARNING: .*|Oops.*|Kernel panic.*|.*soft lockup.*'
    tr -d '\r' <"$out/console" | grep -aoE "$what" | uniq >"$out/said" || true
    echo "$name: booted and ran in $((SECONDS - began)) s"
    cat "$out/said"
    grep -qx '== done' "$out/said" || fail "the machine did not get to the end"
}

# said FAULT REGEX: the self-test with FAULT said so.
said() {
    awk -v from="== fault=$1" '$0 == from { on = 1; next } /^== / { on = 0 } on' "$out/said" |
        grep -qE "$2" ||
        fail "fault $1: did not say: $2"
}

# complaints: prints what the kernel itself says against the module.
complaints() {
    grep -E '^(BUG|WARNING|Oops|Kernel panic)|soft lockup' "$out/said"
}
