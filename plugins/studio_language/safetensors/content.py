"""The heads of safetensors files: names, types, shapes and places of tensors.

Source: the format's own description (``README.md`` of safetensors).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from studio.api import InvalidModel, UnsafeModel

INDEX = ".safetensors.index.json"
_MOST_HEAD = 64 << 20
_MOST_FILES = 1_000
_MOST_TENSORS = 500_000
_MOST_AXES = 8
_LONGEST_NAME = 300
_FILE_NAME = re.compile(r"[\w][\w.+-]{0,200}\.safetensors")

_DTYPES = {
    "F64": ("float64", 64), "F32": ("float32", 32), "F16": ("float16", 16),
    "BF16": ("bfloat16", 16), "F8_E4M3": ("float8e4m3fn", 8), "F8_E5M2": ("float8e5m2", 8),
    "F8_E8M0": ("float8e8m0", 8), "I64": ("int64", 64), "I32": ("int32", 32),
    "I16": ("int16", 16), "I8": ("int8", 8), "U64": ("uint64", 64), "U32": ("uint32", 32),
    "U16": ("uint16", 16), "U8": ("uint8", 8), "BOOL": ("bool", 8), "C64": ("complex64", 64),
    "F4": ("float4e2m1", 4),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SavedTensor:
    """A tensor of a file.

    Attributes:
        offset, size: Bytes in the file.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path
    offset: int
    size: int


def files_of(path: Path) -> tuple[Path, ...]:
    """Return the files of weights: the one, or those that an index names.

    Raises:
        InvalidModel: when the index is damaged, or a file is missing.
        UnsafeModel: when the index names a file elsewhere.
    """
    if not path.name.endswith(INDEX):
        return (path,)
    found = _object(path.read_bytes() if _is_small(path) else b"", path.name).get("weight_map")
    if not isinstance(found, dict) or not found:
        raise InvalidModel(f"{path.name} names no files of weights.")
    names = sorted({str(name) for name in found.values()})
    if len(names) > _MOST_FILES:
        raise UnsafeModel(f"{path.name} names more than {_MOST_FILES:,} files.")
    return tuple(_beside(path, name) for name in names)


def _beside(path: Path, name: str) -> Path:
    if not _FILE_NAME.fullmatch(name):
        raise UnsafeModel(f"{path.name} names a file elsewhere: {name[:80]!r}.")
    file = path.parent / name
    if not file.is_file():
        raise InvalidModel(
            f"{name} is missing next to {path.name}.", hint="Download the whole folder."
        )
    return file


def load(files: tuple[Path, ...]) -> Mapping[str, SavedTensor]:
    """Read the heads of all files.

    Raises:
        InvalidModel: when one is no safetensors file, damaged, or repeats a name.
        UnsafeModel: when it is beyond the limits.
    """
    found: dict[str, SavedTensor] = {}
    for file in files:
        for tensor in _tensors(file):
            if tensor.name in found:
                raise InvalidModel(f"{file.name} repeats the tensor {tensor.name[:80]!r}.")
            found[tensor.name] = tensor
        if len(found) > _MOST_TENSORS:
            raise UnsafeModel(f"{file.name} has more than {_MOST_TENSORS:,} tensors.")
    return found


def _tensors(path: Path) -> Iterator[SavedTensor]:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > size - 8:
            raise InvalidModel(
                f"{path.name} is no safetensors file, or cut off.", hint="Download it again."
            )
        if length > _MOST_HEAD:
            raise UnsafeModel(f"{path.name} has a head of more than {_MOST_HEAD >> 20} MB.")
        head = _object(file.read(length), path.name)
    for name, entry in head.items():
        if name != "__metadata__":
            yield _tensor(path, name, entry, 8 + length, size)


def _tensor(path: Path, name: str, entry: object, start: int, end: int) -> SavedTensor:
    wrong = InvalidModel(f"{path.name} describes the tensor {name[:80]!r} wrongly.")
    if not isinstance(entry, dict) or len(name) > _LONGEST_NAME:
        raise wrong
    kind, shape, place = (entry.get(key) for key in ("dtype", "shape", "data_offsets"))
    if not isinstance(kind, str) or kind not in _DTYPES:
        raise InvalidModel(f"Tensor {name[:80]!r} has the type {str(kind)[:20]!r}, unknown here.")
    sizes, ends = _numbers(shape, _MOST_AXES), _numbers(place, 2)
    if sizes is None or ends is None or len(ends) != 2:
        raise wrong
    dtype, bits = _DTYPES[kind]
    first, last = ends
    if last < first or start + last > end or (last - first) * 8 != math.prod(sizes) * bits:
        raise wrong
    return SavedTensor(name, dtype, sizes, path, start + first, last - first)


def _numbers(value: object, most: int) -> tuple[int, ...] | None:
    if not isinstance(value, list) or len(value) > most:
        return None
    whole = all(isinstance(one, int) and not isinstance(one, bool) for one in value)
    return tuple(value) if whole and all(0 <= one < 1 << 48 for one in value) else None


def _object(data: bytes, name: str) -> Mapping[str, object]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InvalidModel(f"{name} has no head that can be read.", hint="Download it again.")
    return found


def _is_small(path: Path) -> bool:
    return path.stat().st_size <= _MOST_HEAD
