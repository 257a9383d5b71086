"""Installed distributions: their versions and entry points, read from their folders.

``importlib.metadata`` reads each whole document with the parser of e-mails. To import it and to
look at the plugins' requirements with it was a fifth of the start of a command. This reads the same
files, and leaves archives on ``sys.path`` to it.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Iterator, Mapping

_HEAD_BYTES = 16384
"""The version is in the first lines of a document, before the description."""

_VERSION = re.compile(rb"^Version:[ \t]*(.+?)[ \t\r]*$", re.MULTILINE | re.IGNORECASE)
_SEPARATORS = re.compile(r"[-_.]+")
_ENDINGS = (".dist-info", ".egg-info")


def installed_version(name: str) -> str | None:
    """Return the version of a distribution; None when it is not installed."""
    if _has_archives():
        return _version_by_the_library(name)
    for folder in _folders(_state()).get(_normal(name), ()):
        found = _VERSION.search(_document(folder).partition(b"\n\n")[0])
        if found is not None:
            return found[1].decode("utf-8", "replace")
    return None


def entry_points(group: str) -> list[tuple[str, str]]:
    """Return names and values of a group; of two distributions with one name, the first's."""
    if _has_archives():
        from importlib import metadata

        return [(one.name, one.value) for one in metadata.entry_points(group=group)]
    return list(_entries(_state(), group))


_State = tuple[tuple[str, int], ...]


def _state() -> _State:
    """Return the places of ``sys.path`` that are folders; changes with what is installed."""
    found = []
    for place in dict.fromkeys(sys.path):
        try:
            found.append((place or ".", os.stat(place or ".").st_mtime_ns))
        except OSError:
            continue
    return tuple(found)


def _has_archives() -> bool:
    return any(place.endswith(".egg") or os.path.isfile(place) for place in sys.path)


@functools.lru_cache(maxsize=2)
def _folders(state: _State) -> Mapping[str, tuple[str, ...]]:
    """Return the folders (for old ones: files) about each distribution by its normalized name."""
    found: dict[str, list[str]] = {}
    for place, _ in state:
        try:
            names = os.listdir(place)
        except OSError:
            continue
        for name in names:
            if name.lower().endswith(_ENDINGS):
                own = name.rpartition(".")[0].partition("-")[0]
                found.setdefault(_normal(own), []).append(os.path.join(place, name))
    return {name: tuple(folders) for name, folders in found.items()}


@functools.lru_cache(maxsize=4)
def _entries(state: _State, group: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        entry for folders in _folders(state).values() for entry in _section(folders[0], group)
    )


def _section(folder: str, group: str) -> Iterator[tuple[str, str]]:
    """Yield the lines ``name = value`` of one section of ``entry_points.txt``."""
    inside = False
    content = _read(os.path.join(folder, "entry_points.txt"), most=-1)
    for line in content.decode("utf-8", "replace").splitlines():
        text = line.strip()
        if text.startswith("[") and text.endswith("]"):
            inside = text[1:-1] == group
        elif inside and text and not text.startswith("#"):
            name, _, value = text.partition("=")
            yield name.strip(), value.strip()


def _document(folder: str) -> bytes:
    """Return the first lines about a distribution; empty for a document that cannot be read."""
    if os.path.isfile(folder):  # as distutils wrote it
        return _read(folder)
    return _read(os.path.join(folder, "METADATA")) or _read(os.path.join(folder, "PKG-INFO"))


def _read(path: str, most: int = _HEAD_BYTES) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(most).replace(b"\r\n", b"\n")
    except OSError:
        return b""


def _normal(name: str) -> str:
    """Return a name as PEP 503 compares it."""
    return _SEPARATORS.sub("-", name).lower()


def _version_by_the_library(name: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
