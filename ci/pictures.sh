#!/usr/bin/env bash
# The drawings in docs/ are what the models say today: each is made anew and compared. With `write`
# they are written instead. That the comparison can fail is shown with each of them altered.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --quiet --release -p loom-tests
models="${CARGO_TARGET_DIR:-target}/release/loom-tests"

# Writes the drawings below $1, or compares them with what is there if $2 says `--check`.
draw() {
    "$models" order --out "$1" ${2+"$2"} &&
        "$models" explain splice closer_late_arrival --property I11 --out "$1/explain" ${2+"$2"} &&
        "$models" explain splice two_closers --property deadlock --fault SpliceUnguarded \
            --out "$1/explain" ${2+"$2"}
}

if [ "${1-}" = write ]; then
    draw docs >/dev/null
    exit
fi
draw docs --check || { echo "pictures: stale; ci/pictures.sh write makes them anew"; exit 1; }

altered=target/pictures
made=target/pictures-made
rm -rf "$altered" "$made"
draw "$made" >/dev/null
pictures=$(cd "$made" && find . -type f)
for picture in $pictures; do
    rm -rf "$altered"
    cp -r "$made" "$altered"
    sed -i 's/Rskq/Rksq/; s/rskq_lock/rksq_lock/' "$altered/$picture"
    if draw "$altered" --check 2>/dev/null; then
        echo "pictures: $picture altered goes unnoticed"
        exit 1
    fi
done
# No interleaving lies there that nobody compares.
for picture in docs/explain/*; do
    [ -e "$made/${picture#docs/}" ] || { echo "pictures: nobody draws $picture"; exit 1; }
done
echo "pictures: $(echo "$pictures" | wc -l) drawings are current"
