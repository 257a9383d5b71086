"""A GGUF file of a language model with few of its layers, for tests that need speed alone."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

_ALIGN = 32
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_TEXT, _ARRAY = 8, 9


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.place = 24

    def number(self, form: str) -> int:
        (value,) = struct.unpack_from("<" + form, self.content, self.place)
        self.place += struct.calcsize(form)
        return int(value)

    def text(self) -> str:
        size = self.number("Q")
        self.place += size
        return self.content[self.place - size : self.place].decode("utf-8", "replace")

    def skip(self, kind: int) -> None:
        if kind == _TEXT:
            self.text()
        elif kind == _ARRAY:
            inner, count = self.number("I"), self.number("Q")
            for _ in range(count):
                self.skip(inner)
        else:
            self.place += _SIZES[kind]


def small_gguf(source: Path, path: Path, layers: int) -> Path:
    """Write a model with its first layers only; its answers are nonsense, its work is real."""
    reader = _Reader(source.read_bytes())
    tensors, values = struct.unpack_from("<QQ", reader.content, 8)
    head = bytearray(reader.content[:24])
    changed = []
    for _ in range(values):
        name, kind = reader.text(), reader.number("I")
        if name.endswith(".block_count"):
            changed.append(reader.place)
        reader.skip(kind)
    metadata = bytearray(reader.content[24 : reader.place])
    for place in changed:
        struct.pack_into("<I", metadata, place - 24, layers)
    kept = [one for one in _tensors(reader, tensors) if _belongs(one[0], layers)]
    struct.pack_into("<Q", head, 8, len(kept))
    infos, data = bytearray(), bytearray()
    for name, info, content in kept:
        infos += struct.pack("<Q", len(name.encode())) + name.encode() + info
        infos += struct.pack("<Q", len(data))
        data += content + bytes(-len(content) % _ALIGN)
    start = bytes(head + metadata + infos)
    path.write_bytes(start + bytes(-len(start) % _ALIGN) + data)
    return path


def _belongs(name: str, layers: int) -> bool:
    return not name.startswith("blk.") or int(name.split(".")[1]) < layers


def _tensors(reader: _Reader, count: int) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield the name of each tensor, its sizes and type, and its content."""
    found = []
    for _ in range(count):
        name, start = reader.text(), reader.place
        sizes = reader.number("I")
        reader.place += 8 * sizes + 4
        found.append((name, reader.content[start : reader.place], reader.number("Q")))
    begin = -(-reader.place // _ALIGN) * _ALIGN
    places = sorted(place for *_, place in found)
    ends = dict(zip(places, [*places[1:], len(reader.content) - begin], strict=True))
    for name, info, place in found:
        yield name, info, reader.content[begin + place : begin + ends[place]]
