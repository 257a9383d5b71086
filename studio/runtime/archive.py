"""The runtime as one file that any Python from 3.8 on runs: a zip application of its sources."""

from __future__ import annotations

import importlib.util
import os
import zipfile
from typing import FrozenSet, Iterable, Set

from .parts import PACKAGE, PARTS, owners_of, with_needs

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


def write_application(
    path: str, bytecode: bool = False, parts: Iterable[str] = tuple(PARTS)
) -> None:
    """Write the zip application; the same sources and parts give the same bytes.

    Args:
        parts: Parts that travel with the core and the server, with those that they need.
        bytecode: Also add the compiled modules, where this installation has those of all sources.
            An interpreter of the same version then compiles none at its start, others pass them
            over. The bytes depend on this installation.
    """
    source = os.path.dirname(os.path.abspath(__file__))
    files = sorted(_sources(source, with_needs(parts)))
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


def _sources(folder: str, parts: FrozenSet[str]) -> Set[str]:
    """Return the modules that travel, each with the packages around it."""
    found = set()
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            module = os.path.relpath(path, folder)[:-3].replace(os.sep, ".")
            if name.endswith(".py") and name != "__init__.py" and owners_of(module) <= parts:
                found.add(path)
                levels = module.count(".") + 1
                around = [os.path.join(parent, *[".."] * level) for level in range(levels)]
                found.update(os.path.join(os.path.normpath(one), "__init__.py") for one in around)
    return found


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
