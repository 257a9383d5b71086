#!/bin/sh
# Makes .venv from the hashed lock and installs this checkout into it, editable.
set -eu
cd "$(dirname "$0")/.."

python=$(packaging/find_python.sh)
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')

# Debian's python3 comes without the modules that make a virtual environment.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    package="python$version-venv"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing $package ..."
        apt-get update -qq || true # one source of many may be down
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null
    else
        echo "$python has no venv module; install it first: sudo apt-get install $package" >&2
        exit 1
    fi
fi

# An environment of another Python, or a damaged one, is made anew.
if [ "$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" != "$version" ]; then
    "$python" -m venv --clear .venv
fi
echo "Installing the locked requirements into .venv (Python $version) ..."
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
    --only-binary :all: --require-hashes --requirement requirements-dev.lock
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
    --no-build-isolation --no-deps --editable .
touch .venv/.stamp
echo "Ready: .venv/bin/studio"
