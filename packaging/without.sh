#!/bin/sh
# Checks that everything else works without one feature: without.sh FEATURE. The feature's folders are
# deleted in a copy, which must pass the checks and the quick tests, start, and name it nowhere.
set -eu
cd "$(dirname "$0")/.."
feature=${1:?"Name a feature: make without FEATURE=agents"}
root=$PWD
copy=$(mktemp -d "${TMPDIR:-/tmp}/edgewright-without.XXXXXX")
trap 'rm -rf "$copy"' EXIT
.venv/bin/python packaging/without.py "$feature" "$copy"
commands=$(.venv/bin/python -c "
from studio.cli.main import commands_of
print(*commands_of('$feature'))")
cd "$copy"
git init -q . && git add --all
# The environment of the checkout, with the copy in front of it.
cp -al "$root/.venv" .venv
for file in $(grep -rIl --fixed-strings "$root" .venv/bin .venv/pyvenv.cfg .venv/lib/python*/site-packages/*.pth); do
    cp -p "$file" "$file.new" && sed "s#$root#$copy#g" "$file" >"$file.new" && mv -f "$file.new" "$file"
done
rm -f .venv/.stamp # `make setup` makes one of the copy's own
export EDGEWRIGHT_HOME="$copy/.home"
.venv/bin/python -m studio.pipelines.schema >"$copy/.schema"
mv "$copy/.schema" resources/schemas/pipeline.schema.json
.venv/bin/python tests/architecture/measure.py --write-budgets
echo "make check without $feature ..."
make --no-print-directory check
for command in $commands; do
    if .venv/bin/studio "$command" --help >/dev/null 2>&1; then
        echo "studio $command is still there." >&2
        exit 1
    fi
done
if traces=$(git grep -nE "studio[./]features[./]$feature\\b"); then
    echo "Still named:" && echo "$traces" >&2
    exit 1
fi
echo "make run without $feature ..."
env -u DISPLAY -u WAYLAND_DISPLAY make --no-print-directory run
echo "The window without $feature ..."
code=0
QT_QPA_PLATFORM=offscreen timeout 20 .venv/bin/studio open || code=$?
[ "$code" = 124 ] || { echo "The window ended with exit code $code." >&2; exit 1; }
echo "make test-fast without $feature ..."
make --no-print-directory test-fast
echo "Everything else works without $feature."
