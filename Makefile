# The developers' commands. `make setup` is called by those that need it and is quick the second time.

BIN := .venv/bin
DIGITS := resources/samples/digits/pipeline.toml
export ORT_DISABLE_TELEMETRY := 1
# An installed program has its bytecode; without it, each start compiles a thousand files.
unexport PYTHONDONTWRITEBYTECODE
# A file's tests share rigs and stay together; the longest files come first (tests/rigs/shares.py).
# One process more than cores: servers, boards and timers are waited for.
PROCESSES := --numprocesses $(shell expr $$(nproc) + 1) --maxprocesses 5 --dist loadfile \
	--no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup run test test-fast test-rest check check-lint check-contracts check-types format bench bench-against screenshots without faults integration soak fuzz robot \
	package licences lock samples clean

help: ## Show the commands.
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: .venv/.stamp ## Make .venv from the hashed lock, with the studio in it.

.venv/.stamp: pyproject.toml requirements-dev.lock packaging/setup.sh packaging/find_python.sh
	@packaging/setup.sh

run: setup ## Open the studio; without a display, run the digits pipeline from open to rollback.
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ]; then \
		packaging/system_packages.sh window && exec $(BIN)/studio; \
	else \
		echo "No display: running $(DIGITS)"; exec $(BIN)/studio run $(DIGITS); \
	fi

test: setup ## The tests of CI, the fast ones first.
	@packaging/system_packages.sh test
	@packaging/perf_analyzer.sh
	@$(MAKE) --no-print-directory test-fast
	@$(MAKE) --no-print-directory test-rest

test-fast: setup ## The tests that need no rig and no long work.
	@$(BIN)/python -m pytest $(PROCESSES) -m "not slow and not rig"

test-rest: setup
	@$(BIN)/python -m pytest $(PROCESSES) --durations=25 -m "(slow or rig) and not long"

check: setup ## Lint, types, import contracts, the runtime's Python version; seconds after the first time.
	@$(MAKE) --no-print-directory --jobs=2 check-types check-contracts check-lint

check-lint:
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "Run make format."; exit 1; }
	@$(BIN)/python packaging/licences.py --check
	@$(BIN)/vermin --quiet --no-tips --violations --target=3.8- --backport typing \
		--no-parse-comments studio/runtime plugins/*/runner.py

check-contracts:
	@$(BIN)/python packaging/contracts.py >/dev/null || $(BIN)/python packaging/contracts.py

check-types:
	@$(BIN)/mypy

format: setup ## Sort imports and format.
	@$(BIN)/ruff check --quiet --fix --select I .
	@$(BIN)/ruff format .

bench: setup ## Figures of the studio itself, as JSON.
	@$(BIN)/python tests/benchmarks/run.py

bench-against: setup ## The headline figures, compared with another commit (COMMIT=895b5d3); ten minutes.
	@packaging/system_packages.sh test
	@$(BIN)/python -m tests.benchmarks.against $(COMMIT) $(ARGS)

screenshots: setup ## Every page, light and dark, into docs/screenshots/.
	@packaging/system_packages.sh window
	@$(BIN)/python packaging/screenshots.py

without: setup ## Check that everything else works without a feature (FEATURE=agents); ten minutes.
	@packaging/without.sh $(FEATURE)

faults: setup ## The fault campaign against the release machine (ARGS="--only races"); a quarter of an hour.
	@packaging/system_packages.sh test
	@$(BIN)/python -m tests.faults $(ARGS)

integration: setup ## The heavy rigs (an emulated arm64 board, one with systemd); minutes, not part of make test.
	@packaging/system_packages.sh integration
	@packaging/system_packages.sh test
	@packaging/perf_analyzer.sh
	@nice -n 19 $(BIN)/python -m pytest tests/integration
	@nice -n 19 $(BIN)/python -m pytest -m long

soak: setup ## An hour of clients that come, go, stall and vanish (SECONDS=300 for five minutes).
	@nice -n 19 $(BIN)/python -m tests.benchmarks.soak --seconds $(or $(SECONDS),3600)

fuzz: setup ## Fuzz all readers of foreign input (MINUTES=10, ARGS="--only onnx"); 1 when anything is found.
	@packaging/system_packages.sh test
	@packaging/atheris.sh
	@nice -n 10 $(BIN)/python -m tests.fuzzing --minutes $(or $(MINUTES),10) $(ARGS)

robot: setup ## A robot that clicks and types at random in the window (MINUTES=30, SEED=1); 1 when anything is found.
	@packaging/system_packages.sh window
	@nice -n 10 $(BIN)/python -m tests.robot --minutes $(or $(MINUTES),30) --seed $(or $(SEED),1)

package: setup ## Wheels, a source archive, the list of parts (SBOM), a .deb and an AppImage in dist/.
	@packaging/system_packages.sh package
	@rm -rf dist && $(BIN)/hatchling build -d dist && $(BIN)/python packaging/smoke.py dist/*.whl
	@$(BIN)/python packaging/sbom.py dist/edgewright.cdx.json
	@$(BIN)/python packaging/headless.py dist/edgewright-*.whl
	@$(BIN)/python packaging/debian.py dist/edgewright-*.whl
	@$(BIN)/python packaging/appimage.py dist/edgewright-*.whl

licences: setup ## Compare all licences with the rules, and write docs/licences.md.
	@$(BIN)/python packaging/licences.py

lock: setup ## Resolve the requirements anew (ARGS=--upgrade for the newest).
	@packaging/lock.sh $(ARGS)

samples: setup ## Train the digits model again; the result is committed.
	@$(BIN)/python resources/samples/digits/train.py

clean: ## Remove what the other commands made.
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
