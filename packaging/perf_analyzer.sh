#!/bin/sh
# Installs Triton's perf_analyzer into .venv for the conformance tests, where its one wheel runs.
set -eu
cd "$(dirname "$0")/.."
lock=packaging/perf_analyzer.lock
stamp=.venv/.perf_analyzer
[ "$stamp" -nt "$lock" ] && exit 0
if .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps \
    --only-binary :all: --require-hashes --requirement "$lock"; then
    touch "$stamp"
else
    echo "perf_analyzer cannot be installed here; its tests are skipped (in CI they fail)." >&2
fi
