"""A GGUF model as parts, one for each layer and each large tensor, named by their content.

A version whose last layers were trained again then differs from the one before in a few files, and
only those travel to a board. The parts are a split model as llama.cpp reads it: each is a GGUF file
with the keys ``split.no``, ``split.count`` and ``split.tensors.count``, and the first one has the
metadata. Layout: the GGUF specification of ggml, versions 2 and 3.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple

from studio.runtime.generate.model_parts import list_file

FOLDER = "weights"
_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_LEAST_BYTES = 1 << 20
"""Tensors outside of layers that are as large have their own file."""
_MOST_PARTS = 1000
_MOST_ITEMS = 1 << 20
_LONGEST = 1 << 24
_ALIGNMENT = 32
_BLOCK = 1 << 20
_LAYER = re.compile(r"blk\.(\d+)\.")
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_U16, _I32, _TEXT, _LIST, _U32 = 2, 5, 8, 9, 4


class _PlacedTensor(NamedTuple):
    """A tensor: its description without the offset, and its bytes in the file."""

    name: str
    described: bytes
    offset: int
    size: int


class _Head(NamedTuple):
    """The head of a file.

    Attributes:
        keys: The metadata as it stands, without a key of a split.
        key_count: Number of keys.
    """

    version: int
    keys: bytes
    key_count: int
    alignment: int
    tensors: tuple[_PlacedTensor, ...]


class _Unreadable(Exception):
    """A file that is not split."""


def write_parts(source: Path, folder: Path, name: str) -> bool:
    """Write a model as parts, if it has layers.

    Args:
        folder: Gets the first part under ``name``, the others below ``weights``, and their list.

    Returns:
        Whether it was written; otherwise the file is to be taken as it is.

    Raises:
        OSError: when a file cannot be read or written.
    """
    with source.open("rb") as file:
        try:
            head = _read_head(file, source.stat().st_size)
        except (_Unreadable, struct.error, UnicodeDecodeError):
            return False
        groups = _groups(head.tensors)
        if not 1 < len(groups) <= _MOST_PARTS:
            return False
        names = [name]
        for number, group in enumerate(groups):
            target = folder / name if number == 0 else folder / FOLDER / f"{number}.part"
            target.parent.mkdir(exist_ok=True)
            _write_part(file, head, group, target, (number, len(groups)))
            if number:
                names.append(_named_by_content(target, folder))
    list_file(folder / name).write_text("".join(f"{one}\n" for one in names[1:]))
    return True


def _named_by_content(path: Path, folder: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    target = path.with_name(f"{digest[:32]}.gguf")
    path.replace(target)
    return target.relative_to(folder).as_posix()


def _groups(tensors: Sequence[_PlacedTensor]) -> list[list[_PlacedTensor]]:
    """Return tensors by part: first what is small and outside of layers."""
    first: list[_PlacedTensor] = []
    layers: dict[str, list[_PlacedTensor]] = {}
    for one in tensors:
        found = _LAYER.match(one.name)
        if found:
            layers.setdefault(f"layer {found[1]}", []).append(one)
        elif one.size >= _LEAST_BYTES:
            layers[one.name] = [one]
        else:
            first.append(one)
    return [first, *layers.values()]


def _write_part(
    file: BinaryIO,
    head: _Head,
    group: Sequence[_PlacedTensor],
    target: Path,
    place: tuple[int, int],
) -> None:
    number, count = place
    keys = _key("split.no", _U16, struct.pack("<H", number))
    keys += _key("split.count", _U16, struct.pack("<H", count))
    keys += _key("split.tensors.count", _I32, struct.pack("<i", len(head.tensors)))
    keys += _key("general.alignment", _U32, struct.pack("<I", _ALIGNMENT))
    own = (head.keys, head.key_count) if number == 0 else (b"", 0)
    with target.open("wb") as out:
        out.write(_MAGIC + struct.pack("<IQQ", head.version, len(group), own[1] + 4))
        out.write(own[0] + keys)
        offset = 0
        for one in group:
            out.write(one.described + struct.pack("<Q", offset))
            offset += one.size + -one.size % _ALIGNMENT
        for one in group:
            out.write(bytes(-out.tell() % _ALIGNMENT))
            _copy(file, one, out)
        out.write(bytes(-out.tell() % _ALIGNMENT))


def _copy(file: BinaryIO, tensor: _PlacedTensor, out: BinaryIO) -> None:
    file.seek(tensor.offset)
    left = tensor.size
    while left:
        block = file.read(min(_BLOCK, left))
        if not block:
            raise OSError(0, "the file became shorter")
        out.write(block)
        left -= len(block)


def _key(name: str, kind: int, value: bytes) -> bytes:
    return struct.pack("<Q", len(name)) + name.encode() + struct.pack("<I", kind) + value


def _read_head(file: BinaryIO, size: int) -> _Head:
    reader = _HeadBytes(file)
    if reader.take(4) != _MAGIC:
        raise _Unreadable
    version = reader.number("<I")
    if version not in _VERSIONS:
        raise _Unreadable
    tensors, count = reader.amount("<Q"), reader.amount("<Q")
    keys: list[bytes] = []
    alignment = _ALIGNMENT
    for _ in range(count):
        start = file.tell()
        name = reader.text()
        kind = reader.number("<I")
        value = file.tell()
        reader.skip(kind)
        end = file.tell()
        if name.startswith("split."):
            raise _Unreadable
        if name == "general.alignment":
            file.seek(value)
            alignment = reader.number("<I")
            continue
        file.seek(start)
        keys.append(reader.take(end - start))
    infos = [_read_info(reader) for _ in range(tensors)]
    if not 0 < alignment <= 1 << 16:
        raise _Unreadable
    begin = file.tell() + -file.tell() % alignment
    return _Head(version, b"".join(keys), len(keys), alignment, tuple(_placed(infos, begin, size)))


def _read_info(reader: _HeadBytes) -> tuple[str, bytes, int]:
    start = reader.file.tell()
    name = reader.text()
    dimensions = reader.amount("<I")
    if dimensions > 4:
        raise _Unreadable
    reader.take(8 * dimensions + 4)
    end = reader.file.tell()
    offset = reader.number("<Q")
    after = reader.file.tell()
    reader.file.seek(start)
    described = reader.take(end - start)
    reader.file.seek(after)
    return name, described, offset


def _placed(
    infos: Sequence[tuple[str, bytes, int]], begin: int, size: int
) -> Iterator[_PlacedTensor]:
    """Yield tensors with their bytes, which end where the next one begins."""
    ends = sorted({offset for _, _, offset in infos} | {size - begin})
    following = dict(pairwise(ends))
    for name, described, offset in infos:
        end = following.get(offset)
        if end is None or end > size - begin:
            raise _Unreadable
        yield _PlacedTensor(name, described, begin + offset, end - offset)


class _HeadBytes:
    """Values of a GGUF head, within limits."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def take(self, count: int) -> bytes:
        """Return bytes."""
        if count > _LONGEST * 8:
            raise _Unreadable
        found = self.file.read(count)
        if len(found) < count:
            raise _Unreadable
        return found

    def number(self, form: str) -> int:
        """Return a whole number."""
        found: int = struct.unpack(form, self.take(struct.calcsize(form)))[0]
        return found

    def amount(self, form: str) -> int:
        """Return a number of things, within limits."""
        found = self.number(form)
        if found > _MOST_ITEMS:
            raise _Unreadable
        return found

    def text(self) -> str:
        """Return a text."""
        length = self.number("<Q")
        if length > _LONGEST:
            raise _Unreadable
        return self.take(length).decode()

    def skip(self, kind: int, deep: bool = False) -> None:
        """Skip a value."""
        if kind == _TEXT:
            self.take(self.number("<Q"))
        elif kind == _LIST and not deep:
            inner, count = self.number("<I"), self.amount("<Q")
            if inner in _SIZES:
                self.take(_SIZES[inner] * count)
            else:
                for _ in range(count):
                    self.skip(inner, deep=True)
        elif kind in _SIZES:
            self.take(_SIZES[kind])
        else:
            raise _Unreadable
