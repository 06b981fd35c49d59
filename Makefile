# `make run` shows, `make test` checks. Both need Rust, gcc, make and binutils, nothing else.

CARGO ?= cargo
# The root crate, with what its tests need; the model checkers' back ends come with loom-tests.
ROOT_FEATURES = alloc,designs

.PHONY: run test lint unit oracle models freestanding readme clean

run:
	$(CARGO) run --release -p loom-tests -- run

test: lint unit oracle models freestanding readme

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy -p rskq --no-default-features -- -D warnings
	$(CARGO) clippy -p rskq --all-targets -- -D warnings
	$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --all-features
	ci/lints.sh
	ci/rooms.sh

unit:
	$(CARGO) test -p rskq
	$(CARGO) test -p rskq --features $(ROOT_FEATURES)

oracle:
	$(CARGO) test --release -p linux-oracle
	$(CARGO) run --release -p linux-oracle -- replay linux-oracle/traces/*.jsonl.gz

models:
	$(CARGO) test --release -p loom-tests
	$(CARGO) run --release -p loom-tests -- controls

freestanding:
	ci/freestanding/check.sh

readme:
	ci/readme.sh

clean:
	$(CARGO) clean
