"""The head of a GGUF file: its metadata and its list of tensors, without the weights.

Source: the GGUF specification of llama.cpp (``docs/gguf.md`` of ggml), versions 2 and 3.
"""

from __future__ import annotations

import math
import mmap
import stat
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from studio.api import InvalidModel, UnsafeModel
from studio_language.tensor_types import GGML_TYPES, TensorKind

MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_ALIGNMENT = 32
_MOST_TENSORS = 200_000
_MOST_KEYS = 20_000
MOST_ITEMS = 8_000_000
"""Items of all lists; the largest vocabularies have some hundred thousand words."""

_LONGEST_TEXT = 1 << 20
_LONGEST_NAME = 200
_MOST_AXES = 4
_KEPT = 64
"""Items of a list that are kept; vocabularies are counted alone, unless a conversion needs them."""

_SCALARS = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q",
    12: "<d",
}  # fmt: skip
_STRING, _ARRAY = 8, 9

Scalar = int | float | bool | str


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of the metadata.

    Attributes:
        first: Its first items.
    """

    count: int
    first: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor of the file.

    Attributes:
        shape: Outermost axis first, as numpy has it; the file has the innermost first.
        offset, size: Bytes in the file.
    """

    name: str
    shape: tuple[int, ...]
    kind: TensorKind
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class GgufContent:
    """The head of a file."""

    version: int
    metadata: Mapping[str, Scalar | Listed]
    tensors: tuple[StoredTensor, ...]

    def text(self, key: str) -> str:
        """Return a text of the metadata; empty without it."""
        found = self.metadata.get(key)
        return found if isinstance(found, str) else ""

    def name(self, key: str) -> str:
        """Return a text as a name: one line of printable characters, cut to a name's length."""
        found = "".join(one if one.isprintable() else " " for one in self.text(key)[:_LONGEST_NAME])
        return " ".join(found.split())

    def number(self, key: str) -> int | None:
        """Return a whole number of the metadata, of a list the largest; None without it."""
        found = self.metadata.get(key)
        if isinstance(found, Listed):
            numbers = [one for one in found.first if _is_whole(one)]
            return max(map(int, numbers), default=None)
        return int(found) if found is not None and _is_whole(found) else None

    def count(self, key: str) -> int | None:
        """Return how many items a list of the metadata has; None without it."""
        found = self.metadata.get(key)
        return found.count if isinstance(found, Listed) else None


def _is_whole(value: Scalar) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def load(path: Path, kept: int = _KEPT) -> GgufContent:
    """Read the head of a file.

    Args:
        kept: Items of each list that are kept, ``MOST_ITEMS`` for all.

    Raises:
        InvalidModel: when it is no GGUF file, or damaged.
        UnsafeModel: when it is no regular file, or beyond the limits.
    """
    size = _file_size(path)
    with path.open("rb") as file, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as data:
        reader = _HeadReader(data, path.name, kept)
        try:
            return reader.content()
        except struct.error:
            raise reader.cut_off() from None


def _file_size(path: Path) -> int:
    try:
        status = path.stat()
    except OSError as error:
        raise InvalidModel(f"{path.name} cannot be read: {error.strerror}.") from None
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeModel(f"{path.name} is not a regular file.")
    if not status.st_size:
        raise InvalidModel(f"{path.name} is empty.", hint="Download the model again.")
    return status.st_size


class _HeadReader:
    """Reads one value after the other, and never beyond the end."""

    def __init__(self, data: mmap.mmap, name: str, kept: int) -> None:
        self._data = data
        self._name = name
        self._kept = kept
        self._at = 0
        self._items = 0

    def cut_off(self) -> InvalidModel:
        """Return the error of a file that ends too early."""
        return InvalidModel(
            f"{self._name} ends within its own head.", hint="Download the model again."
        )

    def content(self) -> GgufContent:
        if self._data[:4] != MAGIC:
            raise InvalidModel(f"{self._name} is not a GGUF file.")
        self._at = 4
        version = self._scalar("<I")
        if version not in _VERSIONS:
            swapped = int.from_bytes(int(version).to_bytes(4, "little"), "big")
            what = "big-endian" if swapped in _VERSIONS else f"of version {version}"
            raise InvalidModel(
                f"{self._name} is a GGUF file {what}, and versions 2 and 3 are known.",
                hint="Convert the model with a current llama.cpp.",
            )
        tensors = self._count("tensors", _MOST_TENSORS)
        keys = self._count("keys", _MOST_KEYS)
        metadata = self._metadata(keys)
        alignment = metadata.get("general.alignment", _ALIGNMENT)
        if not isinstance(alignment, int) or not 1 <= alignment <= 1 << 20:
            raise InvalidModel(f"{self._name} has an alignment of {str(alignment)[:20]!r}.")
        return GgufContent(int(version), metadata, self._tensors(tensors, alignment))

    def _scalar(self, form: str) -> Scalar:
        (value,) = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        found: Scalar = value
        return found

    def _count(self, what: str, most: int) -> int:
        count = int(self._scalar("<Q"))
        if count > most:
            raise UnsafeModel(f"{self._name} has {count:,} {what}, and at most {most:,} are read.")
        return count

    def _text(self, longest: int, kept: bool = True) -> str:
        length = int(self._scalar("<Q"))
        if length > longest:
            raise UnsafeModel(
                f"{self._name} has a text of {length:,} bytes, and at most {longest:,} are read."
            )
        start, self._at = self._at, self._at + length
        if self._at > len(self._data):
            raise self.cut_off()
        return self._data[start : self._at].decode("utf-8", "replace") if kept else ""

    def _metadata(self, count: int) -> dict[str, Scalar | Listed]:
        found: dict[str, Scalar | Listed] = {}
        for _ in range(count):
            key = self._text(1 << 16)
            if key in found:
                raise InvalidModel(f"{self._name} has the key {key[:60]!r} twice.")
            found[key] = self._value(int(self._scalar("<I")), key)
        return found

    def _value(self, kind: int, key: str) -> Scalar | Listed:
        if kind == _STRING:
            return self._text(_LONGEST_TEXT)
        if kind == _ARRAY:
            return self._list(key)
        if kind not in _SCALARS:
            raise InvalidModel(f"{self._name} has a value of unknown type {kind} at {key[:60]!r}.")
        return self._scalar(_SCALARS[kind])

    def _list(self, key: str) -> Listed:
        kind, count = int(self._scalar("<I")), int(self._scalar("<Q"))
        self._items += min(count, MOST_ITEMS + 1)
        if self._items > MOST_ITEMS:
            raise UnsafeModel(f"{self._name} has lists of more than {MOST_ITEMS:,} items.")
        if kind == _STRING:
            first = tuple(self._text(_LONGEST_TEXT) for _ in range(min(count, self._kept)))
            for _ in range(count - len(first)):
                self._text(_LONGEST_TEXT, kept=False)
            return Listed(count, first)
        if kind not in _SCALARS:
            raise InvalidModel(f"{self._name} has a list of unknown type {kind} at {key[:60]!r}.")
        start, form = self._at, _SCALARS[kind]
        numbers = tuple(self._scalar(form) for _ in range(min(count, self._kept)))
        self._at = start + count * struct.calcsize(form)
        if self._at > len(self._data):
            raise self.cut_off()
        return Listed(count, numbers)

    def _tensors(self, count: int, alignment: int) -> tuple[StoredTensor, ...]:
        listed = [self._tensor() for _ in range(count)]
        if len({name for name, *_ in listed}) < count:
            raise InvalidModel(f"{self._name} has two tensors of one name.")
        start = -(-self._at // alignment) * alignment
        return tuple(self._placed(*one, start, alignment) for one in listed)

    def _tensor(self) -> tuple[str, tuple[int, ...], TensorKind, int]:
        name = self._text(_LONGEST_NAME)
        axes = int(self._scalar("<I"))
        if axes > _MOST_AXES:
            raise InvalidModel(f"Tensor {name!r} has {axes} axes, and GGUF has at most 4.")
        shape = tuple(int(self._scalar("<Q")) for _ in range(axes))[::-1]
        number = int(self._scalar("<I"))
        if number not in GGML_TYPES:
            raise InvalidModel(
                f"Tensor {name!r} has the type {number}, which is not known here.",
                hint="The file may be of a newer llama.cpp, or of a fork of it.",
            )
        return name, shape, GGML_TYPES[number], int(self._scalar("<Q"))

    def _placed(
        self,
        name: str,
        shape: tuple[int, ...],
        kind: TensorKind,
        offset: int,
        start: int,
        alignment: int,
    ) -> StoredTensor:
        values = math.prod(shape)
        if values % kind.values or (shape and shape[-1] % kind.values):
            raise InvalidModel(
                f"Rows of tensor {name!r} are not whole blocks of {kind.name}, "
                f"which have {kind.values} values."
            )
        size = values // kind.values * kind.bytes
        if offset % alignment or start + offset + size > len(self._data):
            raise InvalidModel(
                f"Tensor {name!r} is not within the file.", hint="Download the model again."
            )
        return StoredTensor(name, shape, kind, start + offset, size)
