"""The append-only record of what changed on a target, each entry chained to the one before."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .files import sync_folder

START = "0" * 64
_TAIL_BYTES = 1 << 20
"""More than the longest entry."""


class Journal:
    """Lines of JSON. ``hash`` is the SHA-256 of the line without it; ``previous`` names the last.

    An entry counts when its line is whole: the torn end that a power cut leaves is cut off by the
    next append, and is not an entry.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, event: str, **facts: Any) -> None:
        """Add an entry and flush it to the disk."""
        new = not self._path.exists()
        with open(self._path, "ab+") as file:
            last = self._whole_end(file)
            entry = dict(facts, event=event, at=round(time.time(), 3), previous=last)
            entry["hash"] = _hash(entry)
            file.write(_line(entry))
            file.flush()
            os.fsync(file.fileno())
        if new:
            sync_folder(self._path.parent)

    def entries(self) -> list[dict[str, Any]]:
        """All whole entries, the oldest first; of a damaged line, its text as ``damaged``."""
        if not self._path.exists():
            return []
        return [_read(line) for line in self._path.read_bytes().split(b"\n")[:-1]]

    def readable(self) -> list[dict[str, Any]]:
        """The entries up to the first one that was altered."""
        found = self.entries()
        broken = first_broken(found)
        return found[: broken - 1] if broken else found

    def broken_at(self) -> int:
        """Number of the first entry (from 1) that was altered, or 0 when the chain is whole."""
        return first_broken(self.entries())

    def stand(self) -> dict[str, Any]:
        """``entries`` and the hash of the last, the ``head``.

        Whoever keeps them elsewhere can tell later whether the end was cut off.
        """
        found = self.readable()
        return {"entries": len(found), "head": found[-1]["hash"] if found else ""}

    @staticmethod
    def _whole_end(file: Any) -> str:
        """Cut a torn last line; return the hash of the last whole entry."""
        size = file.seek(0, os.SEEK_END)
        start = file.seek(max(0, size - _TAIL_BYTES))
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            file.truncate(start + whole)
        if not whole:
            return START
        try:
            return str(json.loads(content[:whole].splitlines()[-1])["hash"])
        except (ValueError, KeyError, TypeError):
            # An altered line stays, and the chain stays broken there: broken_at tells.
            return START


def first_broken(entries: Sequence[Mapping[str, Any]]) -> int:
    """Number of the first entry (from 1) that is not what the chain says, or 0."""
    last = START
    for number, entry in enumerate(entries, 1):
        if entry.get("previous") != last or entry.get("hash") != _hash(entry):
            return number
        last = str(entry["hash"])
    return 0


def _read(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"damaged": line.decode("utf-8", "replace")}


def _hash(entry: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in entry.items() if key != "hash"}
    return hashlib.sha256(_line(rest)).hexdigest()


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, sort_keys=True, separators=(",", ":")).encode() + b"\n"
