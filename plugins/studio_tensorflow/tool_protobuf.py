"""A reader of protobuf's wire format that trusts no length and never looks below what it is for.

Used by ``tool_safety.py``: the standard library alone.
"""

from __future__ import annotations

from collections.abc import Iterator

_MOST_SHIFT = 63
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def fields(content: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield the number and the value of each field: a number, or the bytes of anything else.

    Raises:
        ValueError: when it is cut off or damaged.
    """
    at, end = 0, len(content)
    while at < end:
        key, at = _varint(content, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(content, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size, at = _varint(content, at)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError("it is damaged: it has a field of an unknown kind")
        if size > end - at:
            raise ValueError("it is cut off: a part is longer than the file")
        yield key >> 3, content[at : at + size]
        at += size


def parts(content: memoryview, number: int) -> Iterator[memoryview]:
    """Yield the messages of one field."""
    for key, value in fields(content):
        if key == number and not isinstance(value, int):
            yield value


def text(content: memoryview, number: int) -> str:
    """Return the text of a field, the last where there are several; empty without it."""
    found = b""
    for value in parts(content, number):
        found = bytes(value)
    return found.decode(errors="replace")


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    found = shift = 0
    while at < len(content) and shift <= _MOST_SHIFT:
        byte = content[at]
        found |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return found, at
        shift += 7
    raise ValueError("it is cut off: a number has no end")
