#!/bin/bash
# Builds what ClusterFuzzLite and OSS-Fuzz run: they say where ($SRC, $OUT) and with which sanitizer.
set -eu
cd "$SRC/rskq"

case $SANITIZER in
    address) sanitizer=address ;;
    *) sanitizer=none ;;
esac
cargo fuzz build --sanitizer "$sanitizer"
host=$(rustc -vV | sed -n 's/^host: //p')
for target in fuzz/fuzz_targets/*.rs; do
    target=$(basename -s .rs "$target")
    cp "${CARGO_TARGET_DIR:-fuzz/target}/$host/release/$target" "$OUT/"
    zip -qj "$OUT/${target}_seed_corpus.zip" "fuzz/seeds/$target"/*
    [ ! -f "fuzz/$target.dict" ] || cp "fuzz/$target.dict" "$OUT/"
done
