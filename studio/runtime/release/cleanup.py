"""Removal of files that a target no longer needs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from ..shared import manifest
from ..shared.errors import ReleaseError
from ..shared.files import remove
from ..shared.records import read
from .board import Board
from .server.server_control import Server
from .store.binding import InstalledEnvironment
from .store.layout import MARKER


def collect(board: Board, running: str = "") -> dict[str, object]:
    """Retain the current and the previous release with all they need; remove the rest.

    Args:
        running: File name of the zip application that runs this command; it stays.
    """
    layout = board.layout
    kept = set(board.state.retained) | {layout.linked()}
    blobs, environments, runtimes = set(), set(), {running}
    for digest in sorted(kept - {""}):
        try:
            blobs |= {entry.digest for entry in manifest.read(layout.release(digest)).files}
            binding = board.binding(digest)
        except ReleaseError:
            continue  # pending and not staged yet
        environments.add(binding.env)
        runtimes.add(binding.runtime)
    service = Server(layout)
    if service.runs():  # what started the server may be older than what it serves
        environments.add(service.started.env)
        runtimes.add(service.started.runtime)
    for name in environments:
        blobs.update(_wheels(layout.environments / name))
    freed = _sweep(layout.releases, kept | {digest + ".json" for digest in kept})
    freed += _sweep(layout.blobs, blobs)
    freed += _sweep(layout.environments, environments)
    freed += _sweep(layout.runtimes, runtimes)
    freed += _sweep(layout.incoming, ())
    return {"freed": freed, "kept": sorted(kept - {""})}


def _wheels(environment: Path) -> tuple[str, ...]:
    """Return the wheels of an environment, which the target's other endpoints take over."""
    try:
        record = read(InstalledEnvironment, json.loads((environment / MARKER).read_bytes()))
        return tuple(map(str, record.blobs))
    except (OSError, ValueError, TypeError, AttributeError):
        return ()  # also the name of no environment


def _sweep(folder: Path, keep: Iterable[str]) -> int:
    """Remove what is not retained; return the bytes that this frees."""
    kept = set(keep)
    freed = 0
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in kept:
            freed += _size(path)
            remove(path)
    return freed


def _size(path: Path) -> int:
    """Return the bytes that a removal frees; a file with another hard link counts 0."""
    if path.is_symlink():
        return 0
    if path.is_file():
        found = path.stat()
        return found.st_size if found.st_nlink == 1 else 0
    total = 0
    for base, _, names in os.walk(str(path)):
        total += sum(_size(Path(base, name)) for name in names)
    return total
