# `make run` shows, `make test` checks. Both need Rust, gcc, make and binutils, nothing else.

CARGO ?= cargo
# The root crate, with what its tests need; the model checkers' back ends come with loom-tests.
ROOT_FEATURES = alloc,designs,critical-section
# Every test of the models but the matrix itself.
NOT_THE_MATRIX = --lib --bins $(patsubst loom-tests/tests/%,--test %,$(filter-out loom-tests/tests/matrix,\
	$(basename $(patsubst %/main.rs,%,$(wildcard loom-tests/tests/*.rs loom-tests/tests/*/main.rs)))))

.PHONY: run test lint unit attacks examples oracle models loom seeded mutants coverage supply flood sanitize miri \
	freestanding bare-metal c-interface header kmod rust-for-linux unikernel unikernel-run rolling-restart pictures \
	readme shards fuzz fuzz-smoke fuzz-merge bench bench-gate clean

# Verdicts, interleavings, the replay: what there is to see, in about a minute.
run:
	$(CARGO) run --release -p loom-tests -- run
	$(CARGO) run --release -p rskq-smoltcp --features alloc --example rolling_restart

test: lint unit attacks examples oracle models freestanding bare-metal c-interface kmod unikernel pictures readme

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy -p rskq --no-default-features -- -D warnings
	$(CARGO) clippy -p rskq --all-targets -- -D warnings
	$(CARGO) clippy -p rskq-smoltcp -- -D warnings
	$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --all-features
	ci/lints.sh
	ci/rooms.sh
	ci/lockdep-off/check.sh

unit:
	$(CARGO) test -p rskq
	$(CARGO) test -p rskq --features $(ROOT_FEATURES)
	$(CARGO) test -p rskq --features $(ROOT_FEATURES),lockdep
	$(CARGO) test -p rskq-smoltcp --features alloc

# Every attack at a test's size, and every fault that it is to notice.
attacks:
	$(CARGO) test --release -p attack

# Every example of docs/bring-your-own.md.
examples:
	ci/examples.sh

# A real kernel, recorded; the control, in which rules are broken one at a time; and the kernel of this
# machine, where it may be driven.
oracle:
	$(CARGO) test --release -p linux-oracle
	$(CARGO) run --release -p linux-oracle -- replay linux-oracle/traces/*.jsonl.gz
	$(CARGO) test --profile seeded -p linux-oracle --features seeded --test mutants
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

# Bugs of others, planted here one at a time, and which checker finds each: in about five minutes, once the
# checkers are built. That no release contains one is shown on the freestanding image.
seeded:
	$(CARGO) run --release -p loom-tests -- seeded
	ci/seeded.sh

freestanding:
	ci/freestanding/check.sh

# Processors without an operating system; needs rustup for their `core`, and says which it could not get.
bare-metal:
	ci/bare-metal/check.sh || [ $$? -eq 77 ]

# The C interface on this machine, and that kmod/include/rskq.h is what its sources say.
c-interface:
	CARGO_TARGET_DIR=target/kmod/cargo $(CARGO) test --locked --manifest-path kmod/Cargo.toml

# Writes that header.
header:
	RSKQ_WRITE_HEADER=1 CARGO_TARGET_DIR=target/kmod/cargo $(CARGO) test --locked --manifest-path kmod/Cargo.toml --test header

# A stock Debian kernel in QEMU, with a module: needs apt-get, gcc-12 and rustup, and downloads 52 MB once.
kmod:
	kmod/run.sh || [ $$? -eq 77 ]

# A kernel with Rust, built here, with a module in Rust: needs apt-get, rustup and gcc, downloads 154 MB once and
# takes four to eight minutes. 77 where something cannot be had.
rust-for-linux:
	rust-for-linux/run.sh

pictures:
	ci/pictures.sh

readme:
	ci/readme.sh
	ci/matrix.sh
	ci/verification.sh

# Writes the figures of VERIFICATION.md, of what is recorded.
verification:
	ci/verification.sh write

# Records them: everything that takes long, one after the other, which is hours; it says how long each took last time.
# FIGURES="live seeded" does some. make fuzz and make mutants keep records of their own.
figures:
	$(CARGO) run --release -p loom-tests -- record $(FIGURES)

# Each model is in one shard. Needs cargo-nextest.
shards:
	ci/shards.sh

# The example without an operating system: boots it in QEMU, loads it with real clients, and checks that none is lost.
unikernel:
	examples/unikernel/run.sh check || [ $$? -eq 77 ]

# The same, left running for curl.
unikernel-run:
	examples/unikernel/run.sh serve

# Every attack at full size, on the lock that ships, and the close storm once more on one before which threads give
# way: some four minutes on two CPUs.
flood:
	$(CARGO) run --release -p attack -- run --full
	$(CARGO) run --release -p attack -- run --full --yielding close-storm

# The attacks and the threads' tests under AddressSanitizer, LeakSanitizer and ThreadSanitizer, whose runtimes come
# with Rust. SCALE says how long.
sanitize:
	ci/sanitize.sh

# The crate's tests under Miri, in some twenty minutes; 77 where no nightly has it.
miri:
	ci/miri.sh

# What the crate is built from and what is published. Installs cargo-deny if it is missing.
supply:
	ci/supply.sh

# Which lines of src/ run in the tests; `ci/coverage.sh --branches`, with a nightly, which ways of branches are taken.
# Needs LLVM's tools of rustc's version: see there.
coverage:
	ci/coverage.sh

# Every mutant that no check notices has a reason. Needs cargo-mutants. Interrupt it and run it again: it goes on.
mutants:
	$(CARGO) run --release --manifest-path mutants/Cargo.toml

# Real clients over a TAP device, and the kernel's own listeners beside. 77 where that is not allowed.
rolling-restart:
	$(CARGO) run --release -p rskq-smoltcp --features alloc --example rolling_restart -- --tap

# What everything costs beside its peers: a table, BENCHMARKS.md, plots in docs/bench, JSON in target/bench.
# Needs valgrind; under ten minutes.
bench:
	ci/bench.sh

# Instruction counts beside the committed ones, and the control. Needs valgrind, and the compiler that
# benches/instructions.json names. `-- gate --renew` commits today's.
bench-gate:
	$(CARGO) run --quiet --profile bench -p rskq-bench -- gate

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
