"""The page of memory that a fuzzing process shares with whoever watches it."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

_HEAD = struct.Struct("<QQQ")
_ROOM = 64 << 20


class Progress:
    """How many cases there were, and the one that is tried now: what is left after a crash."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            with path.open("wb") as file:
                file.truncate(_HEAD.size + _ROOM)
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)

    def begin(self, data: bytes) -> None:
        """A case is tried from now on."""
        cases, _, _ = _HEAD.unpack_from(self._map)
        self._map[_HEAD.size : _HEAD.size + len(data)] = data
        _HEAD.pack_into(self._map, 0, cases + 1, len(data), 1)

    def end(self) -> None:
        """It is over."""
        cases, length, _ = _HEAD.unpack_from(self._map)
        _HEAD.pack_into(self._map, 0, cases, length, 0)

    @property
    def cases(self) -> int:
        """So many have begun."""
        return int(_HEAD.unpack_from(self._map)[0])

    @property
    def current(self) -> bytes | None:
        """The input that is tried now."""
        _, length, busy = _HEAD.unpack_from(self._map)
        return bytes(self._map[_HEAD.size : _HEAD.size + length]) if busy else None

    def close(self) -> None:
        """Let go of the memory."""
        self._map.close()
