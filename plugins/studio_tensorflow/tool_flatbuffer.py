"""A reader of flatbuffers that checks each position against the bytes that are there.

Used by ``tool_lite.py`` and ``tool_metadata.py``: the standard library alone.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_MOST_ITEMS = 1_000_000


class FlatTable:
    """A table at a position; fields are known by their numbers."""

    def __init__(self, content: bytes, at: int) -> None:
        self._content = content
        self._at = at
        self._fields = at - self._number("<i", at)
        self._size = self._number("<H", self._fields)

    def has(self, field: int) -> bool:
        """Whether it has a field."""
        return self._place(field) > 0

    def number(self, field: int, form: str, default: float = 0) -> float:
        """Return a number of a form of ``struct``."""
        at = self._place(field)
        return self._number(form, at) if at else default

    def text(self, field: int) -> str:
        """Return a text; empty without it."""
        at = self._place(field)
        return self._bytes(self._reference(at), 1).decode(errors="replace") if at else ""

    def raw(self, field: int) -> bytes:
        """Return a list of bytes; empty without it."""
        at = self._place(field)
        return self._bytes(self._reference(at), 1) if at else b""

    def numbers(self, field: int, form: str) -> list[float]:
        """Return a list of numbers of a form of ``struct``."""
        at = self._place(field)
        if not at:
            return []
        size = struct.calcsize(form)
        found = self._bytes(self._reference(at), size)
        return [float(one[0]) for one in struct.iter_unpack(form, found)]

    def table(self, field: int) -> FlatTable | None:
        """Return a table; None without it."""
        at = self._place(field)
        return FlatTable(self._content, self._reference(at)) if at else None

    def tables(self, field: int) -> Iterator[FlatTable]:
        """Yield the tables of a list."""
        at = self._place(field)
        if not at:
            return
        start = self._reference(at)
        count = len(self._bytes(start, 4)) // 4
        for number in range(min(count, _MOST_ITEMS)):
            yield FlatTable(self._content, self._reference(start + 4 + 4 * number))

    def _place(self, field: int) -> int:
        at = 4 + 2 * field
        if at + 2 > self._size:
            return 0
        offset = self._number("<H", self._fields + at)
        return self._at + int(offset) if offset else 0

    def _reference(self, at: int) -> int:
        return at + int(self._number("<I", at))

    def _bytes(self, at: int, size: int) -> bytes:
        count = int(self._number("<I", at)) * size
        if count > len(self._content) - at - 4:
            raise ValueError("it is cut off: a part is longer than the file")
        return self._content[at + 4 : at + 4 + count]

    def _number(self, form: str, at: int) -> int:
        if not 0 <= at <= len(self._content) - struct.calcsize(form):
            raise ValueError("it is damaged: a position is beyond its end")
        found: int = struct.unpack_from(form, self._content, at)[0]
        return found


def root(content: bytes, mark: bytes) -> FlatTable:
    """Return the first table of a file.

    Raises:
        ValueError: when the mark of its format is missing.
    """
    if content[4:8] != mark:
        raise ValueError("it is damaged: the mark of its format is missing")
    return FlatTable(content, struct.unpack_from("<I", content)[0])
