#!/usr/bin/env bash
# What the crate is built from, and what is published: licences, advisories, crates that are there twice,
# sources; the lowest versions that the manifest admits; the declared Rust; the package. Each part is shown
# to refuse a copy that breaks it. What could not be checked here is said in the last line.
#
# Needs cargo and clippy; installs cargo-deny if it is missing. Writes to target/supply only.
set -euo pipefail
cd "$(dirname "$0")/.."

out=$PWD/target/supply
log=$out/log
copy=$out/copy
unchecked=""
rm -rf "$out/copy" "$out/stub"
mkdir -p "$out"
export CARGO_TARGET_DIR=$out/build CARGO_TERM_COLOR=never
command -v cargo-deny >/dev/null || cargo install --quiet --locked cargo-deny

fail() {
    echo "supply: $*"
    cat "$log"
    exit 1
}

# Makes the copy anew: the published crate, in a workspace of its own.
fresh() {
    rm -rf "$copy"
    mkdir -p "$copy"
    cp -r Cargo.toml Cargo.lock README.md LICENSE src "$copy/"
    sed '/^\(skip\|exceptions\) = \[/,/^\]/d' deny.toml >"$copy/deny.toml"
    sed -i 's/^members = .*/members = []/; /^\[dev-dependencies\]/,/^$/d; /^\[\[bench\]\]/,/^$/d' "$copy/Cargo.toml"
}

# Adds a crate $1 of version $2 and licence $3 to the copy's dependencies.
depend() {
    mkdir -p "$copy/stub/src"
    printf '[package]\nname = "%s"\nversion = "%s"\nlicense = "%s"\nedition = "2021"\n' "$@" >"$copy/stub/Cargo.toml"
    echo '//! Nothing.' >"$copy/stub/src/lib.rs"
    sed -i "s|^\[dependencies\]|&\nstub = { package = \"$1\", version = \"$2\", path = \"stub\" }|" "$copy/Cargo.toml"
}

# Expects that the rest of the line fails, and says $1.
refuses() {
    local why=$1
    shift
    if "$@" >"$log" 2>&1; then
        fail "this passes, and should not: $*"
    fi
    grep -q "$why" "$log" || fail "refused, but not with \"$why\": $*"
}

# What embedders get of the crate in the directory $1, without exceptions.
deny() {
    (cd "$1" && cargo deny --features alloc,critical-section,designs,lockdep check --hide-inclusion-graph "${@:2}")
}
# Everything that the checks are built from as well.
deny_all() {
    cargo deny --workspace --all-features check --hide-inclusion-graph "$@"
}

deny_all bans licenses sources >"$log" 2>&1 || fail "the workspace is refused"
if deny_all advisories >"$log" 2>&1; then
    :
elif grep -q 'failed to fetch advisory database' "$log"; then
    unchecked="$unchecked, advisories (their database cannot be reached)"
else
    fail "an advisory concerns a dependency"
fi

fresh
deny "$copy" bans licenses sources >"$log" 2>&1 || fail "what embedders get is refused"
depend shared-source 1.0.0 GPL-3.0-only
refuses 'failed to satisfy license requirements' deny "$copy" licenses
fresh
depend fnv 0.9.0 MIT
refuses 'found 2 duplicate entries' deny "$copy" bans
fresh
echo 'allow-registry = []' >>"$copy/deny.toml"
refuses 'source-not-allowed' deny "$copy" sources

# The lowest versions that the manifest admits, which a nightly option of cargo chooses.
lowest() {
    (cd "$copy" && RUSTC_BOOTSTRAP=1 cargo -Z direct-minimal-versions update &&
        for features in --no-default-features "" --all-features; do cargo check --lib $features || return 1; done)
}

fresh
lowest >"$log" 2>&1 || fail "the crate does not build with the lowest versions that its manifest admits"
sed -i 's/^lock_api = { version = "[^"]*"/lock_api = { version = "0.4.0"/' "$copy/Cargo.toml"
refuses 'make_guard_unchecked' lowest

# The declared Rust: that compiler, if it is there; what this one knows of that one in any case.
declared=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
as_declared() {
    (cd "$copy" && cargo clippy --lib --all-features -- -D clippy::incompatible_msrv) && not_newer
}
# Tells whether no dependency of the copy declares a newer Rust.
not_newer() {
    local newest
    newest=$(cd "$copy" && cargo metadata --format-version 1 --all-features |
        grep -o '"rust_version":"[^"]*"' | cut -d'"' -f4 | sort -V | tail -1)
    [ "$newest" = "$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$copy/Cargo.toml")" ] ||
        { echo "a dependency needs Rust $newest"; return 1; }
}

fresh
as_declared >"$log" 2>&1 || fail "the crate needs a newer Rust than $declared"
if cargo "+$declared" --version >/dev/null 2>&1; then
    (cd "$copy" && cargo "+$declared" check --lib --all-features) >"$log" 2>&1 || fail "does not build with Rust $declared"
else
    unchecked="$unchecked, a build with Rust $declared (not installed)"
fi
sed -i 's/^rust-version = .*/rust-version = "1.70"/' "$copy/Cargo.toml"
refuses 'a dependency needs Rust' not_newer
fresh
printf '\n/// Newer.\npub fn newer() {\n    core::hint::cold_path();\n}\n' >>"$copy/src/lib.rs"
refuses 'incompatible_msrv' as_declared

# The package: what is in it, and that it builds alone. Prints what is unwanted in the package below $1.
unwanted() {
    (cd "$1" && cargo package --list --allow-dirty -p rskq) |
        grep -vE '^(Cargo\.(toml|toml\.orig|lock)|\.cargo_vcs_info\.json|LICENSE|[A-Z]+\.md)$' |
        grep -vE '^(src|benches)/[a-z0-9_/]+\.rs$|^tests/[a-z0-9_/]+\.rs$|^tests/proptest-regressions/[a-z]+\.txt$' |
        grep -vE '^docs/.*\.(md|svg|mmd|rs)$' || true
}

[ -z "$(unwanted . 2>"$log" | tee -a "$log")" ] || fail "the package has what nobody wants"
cargo package --quiet --allow-dirty -p rskq >"$log" 2>&1 || fail "the package does not build alone"
files=$(cargo package --list --allow-dirty -p rskq 2>/dev/null | wc -l)
fresh
echo 'left over' >"$copy/src/core.1234"
[ -n "$(unwanted "$copy" 2>/dev/null)" ] || { echo "supply: what nobody wants goes unnoticed"; exit 1; }
fresh
sed -i 's/^include = .*/include = ["\/src\/[a-m]*", "\/README.md"]/' "$copy/Cargo.toml"
refuses '^error' sh -c "cd '$copy' && cargo package --allow-dirty"

echo "supply: dependencies, lowest versions, Rust $declared and the package ($files files) are as declared," \
    "8 copies refused${unchecked:+; not checked: ${unchecked#, }}"
