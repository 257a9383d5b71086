#!/bin/sh
# Resolves the requirements anew: names, versions and hashes, for every supported Python, and no host.
# A lock that holds is kept as far as it can be; `packaging/lock.sh --upgrade` takes the newest.
set -eu
cd "$(dirname "$0")/.."
uv() { .venv/bin/python -m uv "$@"; }
compile() { # compile OUTPUT ARGUMENT...
    output=$1
    shift
    uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
        --generate-hashes --only-binary :all: --no-emit-index-url --no-header \
        --annotation-style line --output-file "$output" "$@" pyproject.toml
}
compile requirements.lock --group build "$@"
compile requirements-dev.lock --constraint requirements.lock --group dev "$@"
# What CI installs: without Qt, as the headless wheel.
ci=resources/templates/ci/requirements.txt
compile "$ci" --constraint requirements.lock --no-emit-package pyside6-essentials \
    --no-emit-package shiboken6
if grep -n '://' requirements.lock requirements-dev.lock "$ci"; then
    echo "A lock names a host; it may not." >&2
    exit 1
fi
