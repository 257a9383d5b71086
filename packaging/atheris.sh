#!/bin/sh
# atheris for `make fuzz`, into build/ and never into .venv: it has wheels for few machines, and
# where it has none the fuzzer mutates without coverage.
set -eu
cd "$(dirname "$0")/.."
python=.venv/bin/python
place=build/atheris-$($python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if [ -e "$place/.done" ]; then exit 0; fi
rm -rf "$place"
if $python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
	--require-hashes --requirement packaging/atheris.lock --target "$place" >/dev/null 2>&1; then
	touch "$place/.done"
else
	echo "atheris has no wheel for this machine, or none can be fetched: fuzzing without coverage."
fi
