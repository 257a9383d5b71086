#!/bin/sh
# Prints a Python 3.8, as boards of some years ago have it: one that is here (pyenv, uv, the system),
# or one that uv fetches. Debian has none any more. Ends with 1 where none can be had.
set -eu

found() {
    for python in "$HOME"/.pyenv/versions/3.8.*/bin/python3.8 \
        "${XDG_DATA_HOME:-$HOME/.local/share}"/uv/python/cpython-3.8*/bin/python3.8 \
        "$(command -v python3.8 || true)"; do
        [ -x "$python" ] && "$python" -c "" 2>/dev/null && echo "$python" && return 0
    done
    return 1
}

found && exit 0
aside=$(mktemp -d)
trap 'rm -rf "$aside"' EXIT
python3 -m venv "$aside" && "$aside/bin/pip" install --quiet uv &&
    "$aside/bin/uv" python install --quiet 3.8 >&2 && found && exit 0
echo "There is no Python 3.8 here, and uv could not fetch one (pyenv install 3.8 makes one)." >&2
exit 1
