"""Texts of the benchmark of the search: what all methods calibrate on, and what judges them.

    python -m tests.benchmarks.language_search.texts FOLDER

Packages of Debian and the standard library of Python. No kind of text is in both parts.
"""

from __future__ import annotations

import ast
import gzip
import html
import random
import re
import subprocess
import sys
import sysconfig
import zlib
from collections.abc import Iterator
from pathlib import Path

_PACKAGES = (
    *("fortunes", "jargon-text", "r-cran-janeaustenr"),
    *("bible-kjv", "bible-kjv-text", "cmake-doc"),
)
_SHARE, _PIECE = 200_000, 2_000
"""Characters of each kind of text, and of the pieces that are mixed."""

_LICENCES = ("GPL-3", "Apache-2.0", "MPL-2.0", "GFDL-1.3", "Artistic")


def main(folder: Path) -> None:
    """Write calibration.txt and the judges' bible.txt, licences.txt and manual.txt."""
    packages = folder / "packages"
    _unpack(packages)
    kinds = (_docstrings(), _fortunes(packages), _jargon(packages), _novels(packages))
    (folder / "calibration.txt").write_text(_mixed(kinds))
    (folder / "bible.txt").write_text(_bible(packages))
    licences = [Path("/usr/share/common-licenses", one).read_text() for one in _LICENCES]
    (folder / "licences.txt").write_text("\n".join(licences))
    (folder / "manual.txt").write_text(_manual(packages))


def _unpack(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not list(folder.glob("*.deb")):
        subprocess.run(["apt-get", "download", *_PACKAGES], cwd=folder, check=True)
    for one in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", one.name, "."], cwd=folder, check=True)


def _mixed(kinds: tuple[str, ...]) -> str:
    """Return pieces of all kinds in a random order, so that each part of it has all."""
    pieces = [
        kind[start : start + _PIECE]
        for kind in kinds
        for start in range(0, min(len(kind), _SHARE), _PIECE)
    ]
    random.Random(23).shuffle(pieces)
    return "\n\n".join(pieces)


def _docstrings() -> str:
    return "\n\n".join(_documented(Path(sysconfig.get_path("stdlib"))))


def _documented(library: Path) -> Iterator[str]:
    for path in sorted(library.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                text = ast.get_docstring(node) or ""
                if len(text) > 300:
                    yield text


def _fortunes(packages: Path) -> str:
    folder = packages / "usr/share/games/fortunes"
    files = sorted(one for one in folder.iterdir() if one.is_file() and not one.suffix)
    found = [part for one in files for part in one.read_text().split("\n%\n")]
    random.Random(5).shuffle(found)
    return "\n\n".join(found)


def _jargon(packages: Path) -> str:
    path = packages / "usr/share/doc/jargon-text/jargon.txt.gz"
    text = gzip.decompress(path.read_bytes()).decode("utf-8", "replace")
    return re.sub(r"\n   ?", "\n", text[len(text) // 4 :])


def _novels(packages: Path) -> str:
    """Return novels from the database of objects of an R package: compressed strings."""
    path = packages / "usr/lib/R/site-library/janeaustenr/data/Rdata.rdb"
    content, found = path.read_bytes(), []
    for match in re.finditer(rb"\x78[\x01\x9c\xda]", content):
        try:
            values = zlib.decompressobj().decompress(content[match.start() :])
        except zlib.error:
            continue
        lines = re.findall(rb"\x00\x04\x00\x09\x00\x00\x00.([\x20-\x7e]{20,})", values)
        found.append("\n".join(line.decode() for line in lines))
    middle = [text[len(text) // 3 : len(text) // 3 + _SHARE // 4] for text in found]
    return "\n\n".join(middle)


def _bible(packages: Path) -> str:
    program, library = packages / "usr/bin/bible", packages / "usr/lib"
    words = (str(program), "-f", "gen1:1-rev22:21")
    done = subprocess.run(words, cwd=library, check=True, capture_output=True, text=True)
    return done.stdout


def _manual(packages: Path) -> str:
    folder = packages / "usr/share/doc/cmake-data/html"
    files = sorted([*folder.glob("command/*.html"), *folder.glob("manual/*.html")])
    bodies = [one.read_text().partition('role="main"')[2] for one in files]
    plain = html.unescape(re.sub(r"<[^>]*>", "", "\n".join(bodies)))
    return re.sub(r"\n\s*\n+", "\n\n", plain)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
