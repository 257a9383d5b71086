"""Disk reserve of a target: freed when the disk is full, so that a rollback still works."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ...shared.files import free_bytes, remove
from .layout import Layout

BYTES = 1 << 20
"""A state, some entries of the record, and what a server writes when it loads another release."""

_LOW = 256 << 10
_ROOM = 4 << 20
"""The reserve is made only where so much is left beside it."""


def make(layout: Layout) -> None:
    """Create it if there is room; a target does without it otherwise."""
    path = layout.reserve
    with contextlib.suppress(OSError):
        if not _is_whole(path) and free_bytes(layout.root) >= BYTES + _ROOM:
            _write(path)


def give_up(layout: Layout) -> None:
    """Free it when the disk is full."""
    with contextlib.suppress(OSError):
        if free_bytes(layout.root) < _LOW:
            remove(layout.reserve)


def _is_whole(path: Path) -> bool:
    try:
        return path.stat().st_size == BYTES
    except OSError:
        return False


def _write(path: Path) -> None:
    """Write random bytes: a compressing file system would reserve nothing for zeros."""
    with open(path, "wb") as file:
        file.write(os.urandom(BYTES))
