"""A copy of the checkout without one feature: ``python packaging/without.py FEATURE FOLDER``.

The feature's folder, tests and files go. So do the lines that name one of them in tables and lists
of Markdown pages, in the budgets of the tests and in the list of the longest. ``make without`` says
what the copy must pass.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from studio.feature_host import features

ROOT = Path(__file__).parents[1]
_LISTS = ("*.md", "tests/architecture/*.toml", "tests/rigs/shares.py")
_ROW = re.compile(r"\s*([|*\"{-]|\d+\.) ?")


def copy_without(feature: str, folder: Path) -> None:
    """Copy what git tracks to a new folder, without a feature.

    Raises:
        SystemExit: when no feature has this name, or one of its files is not there.
    """
    known = features()
    if feature not in known:
        raise SystemExit(f"No feature {feature!r}. Known: {', '.join(known)}.")
    gone = (f"studio/features/{feature}", f"tests/features/{feature}", *known[feature].files)
    for path in gone:
        if not (ROOT / path).exists():
            raise SystemExit(f"The feature {feature} names {path}, which is missing.")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and not _is_below(name, gone):
            _copy(name, folder, gone)


def _copy(name: str, folder: Path, gone: Sequence[str]) -> None:
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(ROOT / name, place)
    if any(fnmatch(name, pattern) for pattern in _LISTS):
        lines = place.read_text(encoding="utf-8").splitlines(keepends=True)
        rest = [line for line in lines if not (_ROW.match(line) and _names(line, gone))]
        place.write_text("".join(rest), encoding="utf-8")


def _is_below(name: str, gone: Sequence[str]) -> bool:
    return any(name == path or name.startswith(f"{path}/") for path in gone)


def _names(line: str, gone: Sequence[str]) -> bool:
    """Whether a line links to a page that is gone, or names a test or a folder that is."""
    pages = [Path(path).name for path in gone if path.endswith(".md")]
    return any(path in line for path in gone) or any(
        re.search(rf"\((docs/)?{re.escape(page)}[#)]", line) for page in pages
    )


if __name__ == "__main__":
    copy_without(sys.argv[1], Path(sys.argv[2]))
