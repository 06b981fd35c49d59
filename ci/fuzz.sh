#!/usr/bin/env bash
# Runs fuzz targets, and adds what they did to a table. Usage: ci/fuzz.sh build|run|smoke|merge|total [...]
#   build            installs cargo-fuzz if it is missing, builds every target
#   run [TARGET...]  each for TIME seconds, from the committed seeds and the corpus of this machine
#   smoke            each replays seeds and regressions, finds a planted fault, and then runs for TIME seconds
#   merge DIR...     adds to the corpus of this machine what others found, DIR/TARGET/ each, and makes it small
#   total            how often each target ran, over all runs in the table
# SANITIZER=address takes a nightly toolchain; EXECUTIONS says which table.
set -euo pipefail
cd "$(dirname "$0")/.."

sanitizer=${SANITIZER:-none}
time=${TIME:-60}
table=${EXECUTIONS:-fuzz/executions.csv}
output=target/fuzz
targets=$(basename -s .rs fuzz/fuzz_targets/*.rs)
host=$(rustc -vV | sed -n 's/^host: //p')
binaries=$(realpath -m "${CARGO_TARGET_DIR:-fuzz/target}")/$sanitizer
mkdir -p "$output"
# What the code under test prints of a thread that panics is wanted; leaks of a process that ends are not.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0}

build() {
    command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked
    local toolchain=()
    [ "$sanitizer" = none ] || toolchain=(+nightly)
    # To trace comparisons helps where long words have to be guessed. Here each byte of an input means something, it
    # takes half of the time, and for trace files there is a dictionary.
    cargo "${toolchain[@]}" fuzz build --no-trace-compares --sanitizer "$sanitizer" --target-dir "$binaries" --target "$host"
}

# Runs a target with these arguments of libFuzzer's.
fuzz() {
    local target=$1 dictionary=() length=()
    shift
    # Longer programs are no others, and every operation looks at everything.
    [[ $target != stack && $target != schedule ]] || length=(-max_len=72)
    [ ! -f "fuzz/$target.dict" ] || dictionary=("-dict=fuzz/$target.dict")
    mkdir -p "fuzz/artifacts/$target"
    "$binaries/$host/release/$target" "-artifact_prefix=fuzz/artifacts/$target/" "${dictionary[@]}" "${length[@]}" "$@"
}

# The directories of target $1 that are there.
committed() {
    find fuzz/seeds fuzz/regressions -mindepth 1 -maxdepth 1 -type d -name "$1" 2>/dev/null
}

run() {
    local target=$1 log=$output/$1.log status=0 executions
    mkdir -p "fuzz/corpus/$target"
    # shellcheck disable=SC2046 # directories of this tree have no spaces
    fuzz "$target" -max_total_time="$time" -timeout=20 -print_final_stats=1 "fuzz/corpus/$target" \
        $(committed "$target") >"$log" 2>&1 || status=$?
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    [ -f "$table" ] || echo "day,target,sanitizer,seconds,executions" >"$table"
    echo "$(date -u +%F),$target,$sanitizer,$time,${executions:-0}" >>"$table"
    if [ "$status" -ne 0 ]; then
        tail -n 80 "$log"
        echo "fuzz: $target has failed; the input is in fuzz/artifacts/$target, the whole output in $log"
        exit 1
    fi
    echo "$target: $executions executions in $time s"
}

total() {
    awk -F, 'NR > 1 { of[$2] += $5; all += $5 }
        END { for (target in of) print target ": " of[target]; print "all: " all + 0 }' "$table" | sort
}

# A fault that the target is shown to find.
fault() {
    case $1 in
        queue | stack) echo PushToHead ;;
        schedule) echo AddWithoutStateCheck ;;
        slab) echo GenerationIgnored ;;
        trace) echo CountersLost ;;
        validator) echo EdgeDropped ;;
        *) echo "fuzz: $1 has no negative control" >&2 && exit 1 ;;
    esac
}

smoke() {
    local target planted corpus log
    for target in $targets; do
        log=$output/$target.smoke.log
        # shellcheck disable=SC2046
        fuzz "$target" -runs=0 $(committed "$target") >"$log" 2>&1 || { tail -n 80 "$log"; exit 1; }
        planted=$(fault "$target")
        corpus=$(mktemp -d)
        # shellcheck disable=SC2046
        if RSKQ_FAULT=$planted fuzz "$target" -artifact_prefix="$corpus/" -max_total_time=120 "$corpus" \
            $(committed "$target") >"$log" 2>&1; then
            echo "fuzz: $target does not find $planted"
            exit 1
        fi
        grep -q '#\[test\]' "$log" || { tail -n 40 "$log"; echo "fuzz: $target prints no test"; exit 1; }
        rm -r "$corpus"
        echo "$target: finds $planted"
        run "$target"
    done
}

merge() {
    local target dir dirs
    for target in $targets; do
        dirs=()
        for dir in "$@"; do
            [ ! -d "$dir/$target" ] || dirs+=("$dir/$target")
        done
        mkdir -p "fuzz/corpus/$target"
        rm -rf "$output/merged"
        mkdir "$output/merged"
        fuzz "$target" -merge=1 "$output/merged" "fuzz/corpus/$target" "${dirs[@]}" >"$output/$target.merge.log" 2>&1
        rm -r "fuzz/corpus/$target"
        mv "$output/merged" "fuzz/corpus/$target"
        echo "$target: $(find "fuzz/corpus/$target" -type f | wc -l) inputs"
    done
}

command=${1:?$(sed -n '2s/.*Usage: //p' "$0")}
shift
case $command in
    build) build ;;
    run)
        build
        # shellcheck disable=SC2086 # names have no spaces
        for target in ${*:-$targets}; do run "$target"; done
        total
        ;;
    smoke)
        build
        table=$output/smoke.csv
        smoke
        ;;
    merge) build && merge "$@" ;;
    total) total ;;
    *) echo "fuzz: what is $command?" && exit 2 ;;
esac
