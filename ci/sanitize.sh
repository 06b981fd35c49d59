#!/usr/bin/env bash
# The attacks and the threads' tests under AddressSanitizer with LeakSanitizer, and under ThreadSanitizer. That each
# of them sees into the stack is shown with a use after free, a leak and a race, in the same program.
#
# The sanitizers' runtimes come with the stable toolchain; RUSTC_BOOTSTRAP lets it use them. Its std was built without
# them: for ThreadSanitizer what shares memory by std's own locks would be a race, so that the attacks do not, and
# what the test harness does so is suppressed, by std's names alone.
#
# With --json the figures are an object a line on standard output, for `make figures`.
set -euo pipefail
cd "$(dirname "$0")/.."

host=$(rustc -vV | sed -n 's/^host: //p')
scale=${SCALE:-"--seconds 4 --connections 1000000"}
json=()
exec 3>&1
[ "${1-}" != --json ] || { json=(--json) && exec 1>&2; }
export RUSTC_BOOTSTRAP=1
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1
export TSAN_OPTIONS="halt_on_error=1 suppressions=$PWD/ci/tsan.supp"

# Runs cargo's command with the sanitizer $1, in a directory of its own.
with() {
    local sanitizer=$1 command=$2
    shift 2
    RUSTFLAGS="-Zsanitizer=$sanitizer -Cunsafe-allow-abi-mismatch=sanitizer" \
        cargo "$command" --quiet --release --target "$host" --target-dir "target/$sanitizer" "$@"
}

# Expects that the sanitizer $1 finds what `attack broken $2` does, and says $3.
finds() {
    if with "$1" run -p attack -- broken "$2" >"target/$1/$2.txt" 2>&1 || ! grep -q "$3" "target/$1/$2.txt"; then
        echo "sanitize: $1 does not find the $2:"
        tail -20 "target/$1/$2.txt"
        exit 1
    fi
    echo "sanitize: $1 finds the $2"
}

for sanitizer in address thread; do
    with "$sanitizer" build -p attack
    case $sanitizer in
        address)
            finds address use-after-free "heap-use-after-free"
            finds address leak "LeakSanitizer: detected memory leaks"
            found='"use after free","leak"'
            ;;
        thread)
            finds thread race "ThreadSanitizer: data race"
            found='"data race"'
            ;;
    esac
    [ "${#json[@]}" -eq 0 ] || echo "{\"sanitizer\":\"$sanitizer\",\"finds\":[$found]}" >&3
    # shellcheck disable=SC2086 # several words
    with "$sanitizer" run -p attack -- run "${json[@]}" $scale >&3
    with "$sanitizer" test -p rskq --features alloc,designs --test threads
done
echo "sanitize: nothing found but what was to be found"
