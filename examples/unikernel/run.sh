#!/usr/bin/env bash
# Boots the image in QEMU, by software emulation.
#
#   run.sh check    loads it with real clients over a TAP device, in a network namespace of its own: with migration no
#                   connection may be lost, without it some have to be. 77 if the system does not allow it.
#   run.sh measure  the same image, and one with smoltcp's own listening sockets in place of listeners, in turns: how long
#                   a request takes, and a connection, as lines of JSON.
#   run.sh serve    leaves it running, for curl http://127.0.0.1:8080/
#
# Needs Rust, and Debian's qemu-system-x86 and iproute2, which it installs if it may.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}/unikernel
image=$target/x86_64-unknown-linux-gnu/release/unikernel
clients=${CARGO_TARGET_DIR:-$root/target}/release/unikernel-clients
log=$target/console
# The image's flags are in .cargo/config.toml, and variables would replace them.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS CARGO_BUILD_TARGET
unset CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS

unable() {
    echo "unikernel: $*" >&2
    exit 77
}

need() {
    command -v "$1" >/dev/null && return
    [ "$(id -u)" = 0 ] || unable "there is no $1, and only root may install Debian's package $2"
    echo "unikernel: installing Debian's package $2" >&2
    apt-get install -y -q --no-install-recommends "$2" >/dev/null || unable "$2 cannot be installed"
}

# build FEATURES
build() {
    (cd "$here" && CARGO_TARGET_DIR=$target cargo build --locked --release --features "$1")
    (cd "$root" && cargo build --locked --release -p unikernel-clients)
}

# boot NETWORK ARGUMENT...: becomes the image, with a card on that network.
boot() {
    exec qemu-system-x86_64 -accel tcg -machine microvm -m 64 -smp 2 -display none -no-reboot -monitor none \
        -serial "file:$log" -device isa-debug-exit,iobase=0xf4,iosize=4 \
        -global virtio-mmio.force-legacy=false -netdev "$1" -device virtio-net-device,netdev=n0 \
        -kernel "$image" -append "${*:2}"
}

# Builds, and goes on as "$@" in a namespace of its own.
isolated() {
    need qemu-system-x86_64 qemu-system-x86
    need ip iproute2
    local own=(--net)
    [ "$(id -u)" = 0 ] || own=(--user --map-root-user --net)
    unshare "${own[@]}" true || unable "no network namespace can be made here"
    [ -w /dev/net/tun ] || unable "/dev/net/tun may not be used here"
    exec unshare "${own[@]}" "$0" "$@"
}

# In a namespace of its own: one TAP device with the clients behind it.
network() {
    ip tuntap add dev tap0 mode tap || unable "no TAP device can be made here"
    ip address add 10.0.2.2/24 dev tap0
    ip link set tap0 up
    # 10,000 connections to one address use up the ports of those that wait.
    sysctl -q -w net.ipv4.tcp_max_tw_buckets=64 net.ipv4.ip_local_port_range="1024 65000"
}

# start ARGUMENT...: boots, and waits until it says that it is ready.
start() {
    rm -f "$log"
    local deadline=$((SECONDS + 20))
    boot tap,id=n0,ifname=tap0,script=no,downscript=no "$@" &
    qemu=$!
    until grep -q ready "$log" 2>/dev/null; do
        [ $SECONDS -lt $deadline ] || { echo "unikernel: it does not boot" >&2; kill $qemu; return 1; }
        sleep 0.01
    done
}

# end STATUS: ends it.
end() {
    kill $qemu && wait $qemu 2>/dev/null || true
    # Whatever it says after that it is ready is about something that must not be.
    ! grep -v ready "$log" >&2 || return 1
    return "$1"
}

# load on|off: boots, and lets the clients in.
load() {
    local started=$EPOCHREALTIME status=0
    start "migrate=$([ "$1" = on ] && echo 1 || echo 0)"
    awk -v from="$started" -v to="$EPOCHREALTIME" 'BEGIN { printf "booted in %.2f s: ", to - from }'
    grep ready "$log"
    "$clients" 10.0.2.15:80 --migration "$1" "${@:2}" || status=$?
    end $status
}

# time_of IMAGE WHO: boots an image, and tells what its clients see.
time_of() {
    local image=$1 status=0
    start migrate=1
    "$clients" 10.0.2.15:80 --measure "$2" --process $qemu || status=$?
    end $status
}

case ${1:-} in
    check)
        build ""
        isolated within "${@:2}"
        ;;
    measure)
        build plain >&2
        cp "$image" "$image-plain"
        build "" >&2
        isolated measured
        ;;
    measured)
        network
        says="Both images in QEMU, emulated in software on this machine with two CPUs each, and booted ten times in turns;\\n"
        says+="16 clients over a TAP device, each a connection after the other. Processor time is the emulation's."
        echo "{\"says\":\"$says\"}"
        for _ in {1..10}; do
            time_of "$image" rskq
            time_of "$image-plain" "listening sockets"
        done
        ;;
    within)
        network
        load on "${@:2}"
        load off "${@:2}"
        echo "unikernel: no connection is lost with migration, and some are without"
        ;;
    serve)
        need qemu-system-x86_64 qemu-system-x86
        build ""
        echo "unikernel: curl http://127.0.0.1:8080/ (and /offline, /online); Ctrl-C ends it"
        boot user,id=n0,hostfwd=tcp:127.0.0.1:8080-:80 migrate=1
        ;;
    *)
        echo "usage: run.sh check | measure | serve"
        exit 2
        ;;
esac
