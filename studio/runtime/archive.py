"""The runtime as one file that any Python from 3.8 on runs: a zip application of its sources."""

from __future__ import annotations

import importlib.util
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


_UNCHECKED = (1).to_bytes(4, "little") + bytes(8)
"""Flags and hash of bytecode that is not compared with its source again (PEP 552)."""


def write_application(path: str, bytecode: bool = False) -> None:
    """Write the zip application; the same sources give the same bytes.

    Args:
        bytecode: Also add the compiled modules, where this installation has those of all sources.
            An interpreter of the same version then compiles none at its start, others pass them
            over. The bytes depend on this installation.
    """
    source = os.path.dirname(os.path.abspath(__file__))
    files = sorted(_sources(source))
    compiled = {file: _compiled(file) for file in files} if bytecode else {}
    is_whole = all(compiled.values())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "__main__.py", _MAIN.encode())
        for file in files:
            name = PACKAGE + "/" + os.path.relpath(file, source).replace(os.sep, "/")
            with open(file, "rb") as stream:
                _add(archive, name, stream.read())
            if compiled and is_whole:
                _add(archive, name + "c", compiled[file], zipfile.ZIP_STORED)


def _sources(folder: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".py"):
                yield os.path.join(parent, name)


def _compiled(file: str) -> bytes:
    """Return the bytecode of a source, not to be checked again; empty without a valid one."""
    try:
        with open(importlib.util.cache_from_source(file), "rb") as stream:
            content = stream.read()
        status = os.stat(file)
    except OSError:
        return b""
    stamp = (0, int(status.st_mtime), status.st_size)
    magic = importlib.util.MAGIC_NUMBER
    head = magic + b"".join((one & 0xFFFFFFFF).to_bytes(4, "little") for one in stamp)
    return magic + _UNCHECKED + content[16:] if content[:16] == head else b""


def _add(
    archive: zipfile.ZipFile, name: str, content: bytes, compression: int = zipfile.ZIP_DEFLATED
) -> None:
    member = zipfile.ZipInfo(name)  # with the fixed date of 1980
    member.compress_type = compression
    member.external_attr = 0o644 << 16
    archive.writestr(member, content)
