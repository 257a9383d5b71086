#!/bin/sh
# Prints the path of a Python that the studio runs on (3.11 or newer), or says what is missing.
# $PYTHON overrides the search.
set -eu
fits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
for name in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14 /usr/bin/python3}; do
    path=$(command -v "$name" 2>/dev/null) || continue
    if fits "$path"; then
        echo "$path"
        exit 0
    fi
done
if [ -n "${PYTHON:-}" ]; then
    echo "PYTHON=$PYTHON is not a Python 3.11 or newer." >&2
else
    echo "No Python 3.11 or newer was found; install python3 (Debian 12 or newer, Ubuntu 24.04 or newer)." >&2
fi
exit 1
