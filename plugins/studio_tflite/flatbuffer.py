"""Flatbuffers, read without trust: every position is checked, and all that is read is counted.

A table points at its fields, fields at strings, vectors and other tables, each by an offset that
may lie. Parts may also be pointed at again and again, so that a small file unfolds to a huge one:
what is read in all is bounded by the size of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Protocol

from studio.api import InvalidModel, UnsafeModel

_NUMBERS = {
    "bool": struct.Struct("<?"),
    "int8": struct.Struct("<b"),
    "uint8": struct.Struct("<B"),
    "int16": struct.Struct("<h"),
    "uint16": struct.Struct("<H"),
    "int32": struct.Struct("<i"),
    "uint32": struct.Struct("<I"),
    "int64": struct.Struct("<q"),
    "uint64": struct.Struct("<Q"),
    "float32": struct.Struct("<f"),
    "float64": struct.Struct("<d"),
}
_MOST_PARTS = 30_000_000
_LEAST_PARTS = 100_000


class Bytes(Protocol):
    """Bytes or a mapped file, as the source of a buffer."""

    def __len__(self) -> int: ...

    def __getitem__(self, key: slice, /) -> bytes: ...


class Buffer:
    """The bytes of a file, and how much may still be read from them.

    Args:
        name: The file's, for sentences.
    """

    def __init__(self, data: Bytes, name: str) -> None:
        self._data = data
        self._name = name
        # Offsets may point to the same bytes often: a small file could expand without bound.
        self._left = min(2 * len(data) + _LEAST_PARTS, _MOST_PARTS)

    def root(self) -> Table:
        """Return the root table of the file."""
        return Table(self, self.number("uint32", 0))

    def number(self, kind: str, place: int) -> Any:
        """Return one number."""
        form = _NUMBERS[kind]
        return form.unpack(self.cut(place, form.size))[0]

    def numbers(self, kind: str, place: int, count: int) -> tuple[Any, ...]:
        """Return consecutive numbers."""
        self.spend(count)
        form = _NUMBERS[kind]
        data = self.cut(place, count * form.size)
        return struct.unpack(f"<{count}{form.format[1:]}", data)

    def cut(self, place: int, size: int) -> bytes:
        """Return a slice of the file.

        Raises:
            InvalidModel: when it lies outside of it.
        """
        self.check(place, size)
        return self._data[place : place + size]

    def check(self, place: int, size: int) -> None:
        """Check that a piece is inside of the file.

        Raises:
            InvalidModel: when it does not.
        """
        if place < 0 or size < 0 or place + size > len(self._data):
            raise InvalidModel(f"{self._name} is damaged: it points outside of itself.")

    def spend(self, parts: int) -> None:
        """Count what is read.

        Raises:
            UnsafeModel: when it is more than the file can hold.
        """
        self._left -= parts
        if self._left < 0:
            raise UnsafeModel(f"{self._name} unfolds to more parts than a file of its size has.")


class Table:
    """One table; slots are the positions of fields in its virtual table (4, 6, 8 ...)."""

    __slots__ = ("_buffer", "_place", "_slots", "_slots_size")

    def __init__(self, buffer: Buffer, place: int) -> None:
        buffer.spend(1)
        self._buffer = buffer
        self._place = place
        self._slots = place - buffer.number("int32", place)
        self._slots_size = buffer.number("uint16", self._slots)
        buffer.check(self._slots, self._slots_size)

    def number(self, slot: int, kind: str, default: Any) -> Any:
        """Return a number, a truth value or an enumeration's number."""
        place = self._field(slot)
        return default if place is None else self._buffer.number(kind, place)

    def text(self, slot: int, longest: int) -> str:
        """Return a string, cut to a number of characters, with invalid UTF-8 replaced."""
        place = self._target(slot)
        return "" if place is None else self._string(place, longest)

    def table(self, slot: int) -> Table | None:
        """Return another table."""
        place = self._target(slot)
        return None if place is None else Table(self._buffer, place)

    def span(self, slot: int) -> tuple[int, int]:
        """Return position and length of a vector of bytes, or (0, 0) if it is missing."""
        place, count = self._vector(slot, 1)
        return (place, count) if count else (0, 0)

    def numbers(self, slot: int, kind: str) -> tuple[Any, ...]:
        """Return a vector of numbers."""
        place, count = self._vector(slot, _NUMBERS[kind].size)
        return self._buffer.numbers(kind, place, count) if count else ()

    def tables(self, slot: int) -> Iterator[Table]:
        """Yield a vector of tables."""
        yield from (Table(self._buffer, place) for place in self._targets(slot))

    def texts(self, slot: int, longest: int) -> tuple[str, ...]:
        """Return a vector of strings."""
        return tuple(self._string(place, longest) for place in self._targets(slot))

    def _field(self, slot: int) -> int | None:
        """Return the position of a field, or None if the table lacks it."""
        if slot + 2 > self._slots_size:
            return None
        offset = self._buffer.number("uint16", self._slots + slot)
        return self._place + offset if offset else None

    def _target(self, slot: int) -> int | None:
        """Return the position that a field points to."""
        place = self._field(slot)
        return None if place is None else place + int(self._buffer.number("uint32", place))

    def _targets(self, slot: int) -> Iterator[int]:
        place, count = self._vector(slot, 4)
        for at in range(place, place + 4 * count, 4):
            yield at + self._buffer.number("uint32", at)

    def _vector(self, slot: int, size: int) -> tuple[int, int]:
        """Return the position of a vector's elements, and their number."""
        place = self._target(slot)
        if place is None:
            return 0, 0
        count = self._buffer.number("uint32", place)
        self._buffer.check(place + 4, count * size)
        return place + 4, count

    def _string(self, place: int, longest: int) -> str:
        length = self._buffer.number("uint32", place)
        self._buffer.check(place + 4, length)
        taken = min(length, 4 * longest)
        self._buffer.spend(taken)
        text = self._buffer.cut(place + 4, taken).decode("utf-8", "replace")
        return text if len(text) <= longest and taken == length else text[:longest] + "…"
