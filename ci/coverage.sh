#!/usr/bin/env bash
# How much of src/ runs in the tests: lines, and each `unsafe` block. Fails below 95 % of the lines, or where
# no test runs an `unsafe` block. Counted together: unit and integration tests with and without the validator,
# the models, the second checker, the recorded traces.
#
# With --json the figures are an object on standard output, for `make figures`. With --branches, which takes a nightly
# toolchain, so are those of branches instead, which are only told: its maps leave out some functions that run.
#
# Needs LLVM's tools of the version that rustc has, from rustup (llvm-tools) or Debian (llvm-22); installs
# cargo-llvm-cov if it is missing. Writes to target/coverage only.
set -euo pipefail
cd "$(dirname "$0")/.."

least=95
how=${1-}
exec 3>&1
[ -z "$how" ] || exec 1>&2
out=$PWD/target/coverage
lcov=$out/lcov.info
mkdir -p "$out"
export CARGO_TARGET_DIR=$out/build CARGO_TERM_COLOR=never
command -v cargo-llvm-cov >/dev/null || cargo install --quiet --locked cargo-llvm-cov
branch=()
if [ "$how" = --branches ]; then
    rustc +nightly -V >/dev/null || { echo "coverage: branches are counted by a nightly toolchain, and there is none"; exit 1; }
    branch=(--branch)
    export RUSTUP_TOOLCHAIN=nightly
fi

version=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
if [ ! -x "$(rustc --print target-libdir)/../bin/llvm-profdata" ]; then
    export LLVM_COV=/usr/bin/llvm-cov-$version LLVM_PROFDATA=/usr/bin/llvm-profdata-$version
    [ -x "$LLVM_COV" ] || {
        echo "coverage: not measured: neither rustup's llvm-tools nor Debian's llvm-$version is installed"
        exit 1
    }
fi

# Runs tests ($1), which end with a status of $2 at most, and keeps what they counted.
counted() {
    local status=0
    cargo llvm-cov "$1" "${branch[@]}" --no-report "${@:3}" >"$out/log" 2>&1 || status=$?
    [ "$status" -le "$2" ] || { cat "$out/log"; echo "coverage: a test fails"; exit 1; }
}

# Optimised a little, for the models, and, as where they run elsewhere, without a check for overflows: what is seeded
# counts wrong.
export CARGO_PROFILE_DEV_OVERFLOW_CHECKS=false CARGO_PROFILE_TEST_OVERFLOW_CHECKS=false
export CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_TEST_OPT_LEVEL=1
cargo llvm-cov clean --workspace
counted test 0 -p rskq --features alloc,designs,critical-section
counted test 0 -p rskq --features alloc,designs,critical-section,lockdep
counted test 0 -p loom-tests --test pieces --test shuttle --test validator
# Of the matrix every race of every design, within a bound in which not all that is broken is found (1).
counted run 1 -p loom-tests -- matrix --bound 1
# Without two of its later fixes, the merged design puts a clone twice, and frees a request whose timer is armed.
counted run 1 -p loom-tests -- matrix --design clone-without-A4
counted run 1 -p loom-tests -- matrix --design clone-without-A6
# What is in a planted fault runs where it is planted.
counted run 0 -p loom-tests -- controls
counted run 0 -p linux-oracle -- replay linux-oracle/traces/*.jsonl.gz
cargo llvm-cov report "${branch[@]}" --lcov --output-path "$lcov" \
    --ignore-filename-regex '(loom-tests|linux-oracle|tests|benches)/|/tests\.rs|/testing\.rs' >"$out/log" 2>&1

# Prints how many lines of the LCOV file $1 there are, how many run, and per cent.
lines() {
    awk -F'[:,]' '/^DA:/ { all++; ran += $3 > 0 } END { printf "%d %d %.2f\n", all, ran, 100 * ran / all }' "$1"
}

# Prints how many ways branches have in the LCOV file $1, and how many are taken in some instance of the code.
branches() {
    awk -F'[:,]' '/^SF:/ { file = $0 } /^BRDA:/ { ways[file, $2, $3, $4] += $5 }
        END { for (way in ways) { all++; taken += ways[way] > 0 } printf "%d %d\n", all, taken }' "$1"
}

# Prints where src/ has an `unsafe` block.
unsafe_blocks() {
    grep -rn --include='*.rs' 'unsafe {' src | grep -vE '/tests(\.rs|/)|/testing\.rs|: *//' | cut -d: -f1,2
}

# Prints where src/ has an `unsafe` block of which no line runs, by the LCOV file $1.
unsafe_unrun() {
    local file line
    unsafe_blocks |
        while IFS=: read -r file line; do
            awk -F'[:,]' -v file="/$file" -v line="$line" '
                /^SF:/ { here = substr($0, length($0) - length(file) + 1) == file }
                # What is counted is the expression inside, which may begin further down.
                here && /^DA:/ && $2 >= line && $2 < line + 4 { ran += $3 }
                END { if (!ran) print substr(file, 2) ":" line }' "$1"
        done
}

if [ "$how" = --branches ]; then
    read -r ways taken < <(branches "$lcov")
    [ "$ways" -gt 1000 ] || { echo "coverage: only $ways ways were counted"; exit 1; }
    echo "coverage: $taken of $ways ways of the branches of src are taken"
    printf '{"ways":%d,"taken":%d}\n' "$ways" "$taken" >&3
    exit
fi
read -r all ran percent < <(lines "$lcov")
enough() {
    awk -v p="$(lines "$1" | cut -d' ' -f3)" -v least="$least" 'BEGIN { exit !(p >= least) }'
}

# Both gates fail: with every tenth line not run, and with one `unsafe` block not run.
awk -F'[:,]' '/^DA:/ && ++n % 10 == 0 { print "DA:" $2 ",0"; next } { print }' "$lcov" >"$out/tenth.info"
! enough "$out/tenth.info" || { echo "coverage: a tenth less goes unnoticed"; exit 1; }
awk -F'[:,]' '/^SF:/ { here = /\/src\/sync\/cell\.rs$/ } here && /^DA:/ { print "DA:" $2 ",0"; next } { print }' \
    "$lcov" >"$out/cell.info"
[ "$(unsafe_unrun "$out/cell.info" | wc -l)" -gt "$(unsafe_unrun "$lcov" | wc -l)" ] ||
    { echo "coverage: an unsafe block that does not run goes unnoticed"; exit 1; }

unrun=$(unsafe_unrun "$lcov")
[ -z "$unrun" ] || { echo "coverage: no test runs these unsafe blocks:"; echo "$unrun"; exit 1; }
blocks=$(unsafe_blocks | wc -l)
echo "coverage: $ran of $all lines of src run, $percent %, and each of $blocks unsafe blocks"
enough "$lcov" || { echo "coverage: that is less than $least %"; exit 1; }
[ "$how" != --json ] || \
    printf '{"lines":%d,"run":%d,"unsafe_blocks":%d}\n' "$all" "$ran" "$blocks" >&3
