"""The runtime as one file that any Python from 3.8 on runs: a zip application of its sources."""

from __future__ import annotations

import os
import zipfile
from typing import Iterator

PACKAGE = "edgewright_runtime"
"""Name of the package inside the file."""

# An empty entry of PYTHONPATH is the current folder, where a numpy.py of somebody else may lie.
_MAIN = """\
import os
import sys

given = os.environ.get("PYTHONPATH")
places = given.split(os.pathsep) if given else []
if not all(map(os.path.isabs, places)) and os.getcwd() not in places:
    sys.path[:] = [place for place in sys.path if os.path.realpath(place) != os.getcwd()]
sys.path[:] = [place for place in sys.path if place]

from {}.main import main

sys.exit(main())
""".format(PACKAGE)


def write_application(path: str) -> None:
    """Write the zip application; the same sources give the same bytes."""
    source = os.path.dirname(os.path.abspath(__file__))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "__main__.py", _MAIN.encode())
        for file in sorted(_sources(source)):
            name = os.path.relpath(file, source).replace(os.sep, "/")
            with open(file, "rb") as stream:
                _add(archive, PACKAGE + "/" + name, stream.read())


def _sources(folder: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".py"):
                yield os.path.join(parent, name)


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    member = zipfile.ZipInfo(name)  # with the fixed date of 1980
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = 0o644 << 16
    archive.writestr(member, content)
