#!/bin/sh
# Resolves what lives in the plugins' own environments anew: names, versions and hashes, and no host.
# A plugin's requirements.in names each package, since nothing is installed that it does not name.
set -eu
cd "$(dirname "$0")/.."
for wanted in ${*:-plugins/*/requirements.in}; do
    lock="${wanted%.in}.lock"
    .venv/bin/python -m uv pip compile --quiet --universal --python-version 3.11 --no-deps \
        --generate-hashes --only-binary :all: --no-emit-index-url --no-header --no-annotate \
        --output-file "$lock" "$wanted"
    if grep -n '://' "$lock"; then
        echo "$lock names a host; it may not." >&2
        exit 1
    fi
done
