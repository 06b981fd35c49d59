# `make run` shows, `make test` checks. Both need Rust, gcc, make and binutils, nothing else.

CARGO ?= cargo
# The root crate, with what its tests need; the model checkers' back ends come with loom-tests.
ROOT_FEATURES = alloc,designs
# Every test of the models but the matrix itself.
NOT_THE_MATRIX = --lib --bins $(patsubst loom-tests/tests/%,--test %,$(filter-out loom-tests/tests/matrix,\
	$(basename $(patsubst %/main.rs,%,$(wildcard loom-tests/tests/*.rs loom-tests/tests/*/main.rs)))))

.PHONY: run test lint unit oracle models loom freestanding readme pictures shards bench fuzz fuzz-smoke fuzz-merge clean

# Verdicts, interleavings, the replay: what there is to see, in about a minute.
run:
	$(CARGO) run --release -p loom-tests -- run

test: lint unit oracle models freestanding pictures readme

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy -p rskq --no-default-features -- -D warnings
	$(CARGO) clippy -p rskq --all-targets -- -D warnings
	$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --all-features
	ci/lints.sh
	ci/rooms.sh
	ci/lockdep-off/check.sh

unit:
	$(CARGO) test -p rskq
	$(CARGO) test -p rskq --features $(ROOT_FEATURES)
	$(CARGO) test -p rskq --features $(ROOT_FEATURES),lockdep

# A real kernel, recorded; the control, in which rules are broken one at a time; and the kernel of this
# machine, where it may be driven.
oracle:
	$(CARGO) test --release -p linux-oracle
	$(CARGO) run --release -p linux-oracle -- replay linux-oracle/traces/*.jsonl.gz
	$(CARGO) test --release -p linux-oracle --features mutants --test mutants
	$(CARGO) run --release -p linux-oracle -- live --ops 100000 || [ $$? -eq 77 ]

# The pieces, the second checker, the controls, and of the models those of our own designs, without a
# bound; the other designs' are `make loom`, or one test each.
models:
	$(CARGO) test --release -p loom-tests $(NOT_THE_MATRIX)
	$(CARGO) test --release -p loom-tests --test matrix -- handover::
	$(CARGO) test --release -p loom-tests --test matrix -- requeue::
	$(CARGO) test --release -p loom-tests --test matrix -- abort::
	$(CARGO) run --release -p loom-tests -- controls

# Every model of every design. Interrupt it and run it again: it goes on.
loom:
	$(CARGO) run --release -p loom-tests -- matrix --full --resume

freestanding:
	ci/freestanding/check.sh

pictures:
	ci/pictures.sh

readme:
	ci/readme.sh
	ci/matrix.sh

# Each model is in one shard. Needs cargo-nextest.
shards:
	ci/shards.sh

bench:
	$(CARGO) bench -p rskq --features lockdep --bench lockdep

# Every fuzz target in turn, TIME seconds each; what was found stays in fuzz/corpus, what was done in
# fuzz/executions.csv. SANITIZER=address takes a nightly. Installs cargo-fuzz, which takes a C++ compiler.
fuzz:
	ci/fuzz.sh run

# Every target replays what is committed, finds a fault that is planted, and runs for half a minute.
fuzz-smoke:
	TIME=$(or $(TIME),30) ci/fuzz.sh smoke
	cd fuzz && $(CARGO) test --release

# Adds the corpora of other machines, FROM="DIR DIR", to that of this one.
fuzz-merge:
	ci/fuzz.sh merge $(FROM)

clean:
	$(CARGO) clean
