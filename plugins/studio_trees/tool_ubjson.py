"""A reader of Universal Binary JSON, which holds every count against the bytes that are left.

Used by ``tool_structure.py``: numpy alone.
"""

from __future__ import annotations

from typing import Any

import numpy

_NUMBERS: dict[bytes, Any] = {
    b"i": numpy.dtype("i1"),
    b"U": numpy.dtype("u1"),
    b"I": numpy.dtype(">i2"),
    b"l": numpy.dtype(">i4"),
    b"L": numpy.dtype(">i8"),
    b"d": numpy.dtype(">f4"),
    b"D": numpy.dtype(">f8"),
}
_CONSTANTS = {b"Z": None, b"T": True, b"F": False}
_MOST_LEVELS = 100


def loads(content: bytes) -> Any:
    """Return the one value of a file.

    Raises:
        ValueError: when it is damaged, or nested too deep.
    """
    return _Reader(content).value(0)


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def value(self, level: int) -> Any:
        """Return the next value, with its marker."""
        if level > _MOST_LEVELS:
            raise ValueError("its values are nested too deep")
        marker = self._take(1)
        if marker in _NUMBERS:
            return self._numbers(marker, 1)[0].item()
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        if marker == b"S":
            return self._text()
        if marker == b"[":
            return self._list(level)
        if marker == b"{":
            return self._object(level)
        raise ValueError(f"it has an unknown marker at byte {self._at - 1:,}")

    def _object(self, level: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not self._passed(b"}"):
            key = self._text()
            if key in found:
                raise ValueError("it has a key twice")
            found[key] = self.value(level + 1)
        return found

    def _list(self, level: int) -> Any:
        kind = self._take(1) if self._passed(b"$") else b""
        if self._passed(b"#"):
            count = self._count()
            if kind:
                return self._numbers(kind, count)
            return [self.value(level + 1) for _ in range(count)]
        found = []
        while not self._passed(b"]"):
            found.append(self.value(level + 1))
        return found

    def _numbers(self, marker: bytes, count: int) -> Any:
        if marker not in _NUMBERS:
            raise ValueError(f"it has a list of unknown values at byte {self._at:,}")
        kind = _NUMBERS[marker]
        return numpy.frombuffer(self._take(count * kind.itemsize), kind)

    def _count(self) -> int:
        marker = self._take(1)
        if marker not in _NUMBERS or _NUMBERS[marker].kind == "f":
            raise ValueError(f"it has no count at byte {self._at - 1:,}")
        return int(self._numbers(marker, 1)[0])

    def _text(self) -> str:
        return self._take(self._count()).decode(errors="replace")

    def _passed(self, sign: bytes) -> bool:
        found = self._content[self._at : self._at + 1] == sign
        self._at += found
        return found

    def _take(self, count: int) -> bytes:
        if not 0 <= count <= len(self._content) - self._at:
            raise ValueError(f"it is cut off: {count:,} bytes are missing at byte {self._at:,}")
        self._at += count
        return self._content[self._at - count : self._at]
