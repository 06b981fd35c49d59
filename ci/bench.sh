#!/usr/bin/env bash
# Measures everything ten times, counts instructions, and writes BENCHMARKS.md, plots and JSON. What programs say
# meanwhile goes to target/bench/log; what is left of an earlier measurement goes first.
#
# Needs gcc, valgrind and binutils. For what a kernel does, iproute2 and the right to make a network namespace and a TAP
# device; for the unikernel, QEMU: what is not allowed here is said in its place. Takes under ten minutes on a machine
# that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
out=$target/bench
log=$out/log
bench=$target/release/rskq-bench
command -v valgrind >/dev/null || { echo "bench: valgrind is missing (Debian: package valgrind)"; exit 1; }
rm -rf "$target/criterion" "$out"
mkdir -p "$out"

failed() {
    tail -n 20 "$log"
    echo "bench: FAILED"
    exit 1
}

# times FILTER FEATURES: what the filter names, in a build with the features.
times() {
    cargo bench -p rskq-bench --bench times --features "$2" -- --quiet "$1" >"$log" 2>&1 || failed
}

build() {
    cargo build "$@" >"$log" 2>&1 || failed
}

# outside NAME COMMAND...: what another program measures; where the system does not allow it, why not.
outside() {
    local status=0
    "${@:2}" >"$out/$1.json" 2>"$log" || status=$?
    [ $status -ne 0 ] || return 0
    [ $status -eq 77 ] || failed
    rm "$out/$1.json"
    tail -n 1 "$log" >"$out/$1.why"
}

# In a network namespace of its own, whose loopback device is up.
namespace() {
    local own=(--net)
    [ "$(id -u)" = 0 ] || own=(--user --map-root-user --net)
    unshare "${own[@]}" ip link set lo up || return 77
    unshare "${own[@]}" sh -c "ulimit -n \$(ulimit -Hn); ip link set lo up; exec $*"
}

echo "bench: everything, ten times"
times '' ''
echo "bench: closes beside the merged design's, ten times"
times 'beside clone' designs
echo "bench: this machine's kernel"
build --profile bench -p rskq-bench
outside linux namespace "$bench" linux
echo "bench: models"
build --release -p loom-tests
outside models "$target/release/loom-tests" speed --json
# What was explored before by this build is read back.
outside matrix "$target/release/loom-tests" matrix --resume --json
echo "bench: rolling restarts"
build --release -p rskq-smoltcp --features alloc --example rolling_restart
outside restart "$target/release/examples/rolling_restart" --json
outside restart-tap "$target/release/examples/rolling_restart" --json --tap
echo "bench: unikernels"
outside unikernel examples/unikernel/run.sh measure
echo "bench: locks that are not validated"
outside lockdep-off ci/lockdep-off/check.sh
echo "bench: the report"
"$bench" report
