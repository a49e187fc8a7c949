# Two commands: `make demo` and `make test`. Both set up the machine first; scripts/setup.sh says what it installs.

export PATH := $(CURDIR)/.retailcast/tools/bin:$(PATH)
TARGET := $(or $(CARGO_TARGET_DIR),target)

# Every compiler brings new lints. They are errors with the one that the project is checked with, and warnings with others.
LINTS := $(if $(findstring rustc 1.95.,$(shell rustc --version)),-- --deny warnings)

.PHONY: setup encoder demo test python browser bench accuracy dist soak fmt queries

setup:
	@scripts/setup.sh

# The weights of the embedding provider `minilm`, 84 MB.
encoder:
	@scripts/encoder.sh

# Real data, all models, one picture.
demo: setup
	cargo build --release --locked --package retailcast
	$(TARGET)/release/retailcast demo

# Formats, lints, builds and runs every test, the program with them: tests of processes run it, and so does the browser, where
# the machine can have one.
test: setup encoder python
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets $(LINTS)
	cargo clippy --locked --package retailcast-plugin-embed-minilm --target wasm32-wasip2 $(LINTS)
	cargo test --locked --workspace
	scripts/browser.sh --where-possible $(TARGET)/debug/retailcast

# The Python SDK: its tests, its examples, a component of each kind. A minute, the first time some more for its environment.
python:
	sdk/python/setup.sh
	sdk/python/test.sh

# The dashboard in a real browser: Debian's packages chromium, nodejs and npm.
browser: setup
	cargo build --locked --package retailcast
	scripts/browser.sh $(TARGET)/debug/retailcast

# A tarball of the release build with its documentation and a list of everything that it is made of.
dist: setup
	cargo build --release --locked --package retailcast
	scripts/dist.sh $(TARGET)/release/retailcast

# Mixed traffic for three minutes (or MINUTES=60): memory, files and answers must stay as they are. docs/reliability.md.
soak: setup
	cargo build --release --locked --package retailcast
	scripts/soak.py $(TARGET)/release/retailcast $(or $(MINUTES),3) $(TARGET)/soak

# Numbers for docs/performance.md.
bench: setup
	cargo bench --locked --package retailcast-runtime --bench boundary
	cargo bench --locked --package retailcast-tests --bench api
	cargo bench --locked --package retailcast-tests --bench analytics
	cargo bench --locked --package retailcast-tests --bench portfolio
	cargo bench --locked --package retailcast-tests --bench rag
	cargo build --release --locked --package retailcast
	cargo bench --locked --package retailcast-tests --bench platform -- large
	cargo bench --locked --package retailcast-tests --bench hostile
	cargo bench --locked --package retailcast-tests --bench agents
	scripts/bench-jobs.py $(TARGET)/release/retailcast
	scripts/bench-planning.py $(TARGET)/release/retailcast
	scripts/bench-agents.py $(TARGET)/release/retailcast

# How good the models are on real data, beside statsforecast and mlforecast: docs/accuracy.md. DATA="FOLDER[=LAST DAY] ..." adds data.
accuracy: setup
	cargo build --release --locked --package retailcast
	tests/peers/setup.sh
	.retailcast/peers/bin/python -m pytest --quiet tests/peers
	tests/peers/accuracy.sh $(DATA)

fmt:
	cargo fmt --all

# After a change of a query or of migrations/.
queries: setup
	scripts/prepare-queries.sh
