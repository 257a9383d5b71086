"""The writer of GGUF files, which has a part of one tensor in memory at most.

Source: the GGUF specification of llama.cpp, version 3, and its reference rounding to Q8_0.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy
from numpy.typing import NDArray

from studio.api import Progress
from studio_language.conversion.float_tensors import Floats, FloatTensor, require_room

Value = str | bool | int | float | Sequence[str] | Sequence[int] | Sequence[float]

F32, F16, Q8_0 = 0, 1, 8
FILE_TYPES = {F32: 0, F16: 1, Q8_0: 7}
"""``general.file_type`` of a file whose weights have a type."""

_ALIGNMENT = 32
_BLOCK, _BLOCK_BYTES = 32, 34
_U32, _I32, _F32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
_LARGEST_HALF = 65_504


def write_gguf(
    path: Path,
    metadata: Mapping[str, Value],
    tensors: Sequence[FloatTensor],
    kind: int,
    progress: Progress,
) -> None:
    """Write a model whose matrices have one type.

    Vectors are written as float32. So are values that float16 cannot hold. Rows that are not whole
    blocks of Q8_0 are written as float16.

    Raises:
        StudioError: without room on the disk.
    """
    kinds = [_kind(one, kind) for one in tensors]
    sizes = [_size(one, its) for one, its in zip(tensors, kinds, strict=True)]
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    head += b"".join(_text(key) + _value(value) for key, value in metadata.items())
    require_room(path.parent, sum(sizes) + len(head))
    at = 0
    for one, its, size in zip(tensors, kinds, sizes, strict=True):
        axes = one.shape[::-1]
        head += _text(one.name) + struct.pack(f"<I{len(axes)}Q", len(axes), *axes)
        head += struct.pack("<IQ", its, at)
        at += size + -size % _ALIGNMENT
    with path.open("wb") as file:
        file.write(head + bytes(-len(head) % _ALIGNMENT))
        for number, (one, its, size) in enumerate(zip(tensors, kinds, sizes, strict=True)):
            progress.progress(number, len(tensors), f"Writing {one.name}")
            for part in _stored(one, its):
                file.write(part)
            file.write(bytes(-size % _ALIGNMENT))


def _kind(tensor: FloatTensor, kind: int) -> int:
    if len(tensor.shape) < 2 or kind == F32:
        return F32
    if any(float(numpy.abs(part).max(initial=0)) > _LARGEST_HALF for part in tensor.parts()):
        return F32
    return F16 if kind == Q8_0 and tensor.shape[-1] % _BLOCK else kind


def _size(tensor: FloatTensor, kind: int) -> int:
    if kind == Q8_0:
        return tensor.count // _BLOCK * _BLOCK_BYTES
    return tensor.count * (4 if kind == F32 else 2)


def _stored(tensor: FloatTensor, kind: int) -> Iterator[bytes]:
    for part in tensor.parts():
        if kind == Q8_0:
            yield rounded(part).tobytes()
        else:
            yield part.astype("<f4" if kind == F32 else "<f2").tobytes()


def rounded(values: Floats) -> NDArray[numpy.uint8]:
    """Return whole blocks of 32 values in Q8_0: a scale in float16, and 32 bytes."""
    blocks = values.reshape(-1, _BLOCK)
    scales = numpy.abs(blocks).max(axis=1, keepdims=True) / 127
    inverse = numpy.divide(1, scales, out=numpy.zeros_like(scales), where=scales > 0)
    scaled = blocks * inverse
    whole = numpy.trunc(scaled + numpy.copysign(numpy.float32(0.5), scaled)).astype(numpy.int8)
    stored = scales.astype("<f2").view(numpy.uint8)
    return numpy.concatenate([stored, whole.view(numpy.uint8)], axis=1)


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(data)) + data


def _value(value: Value) -> bytes:
    if isinstance(value, bool):
        return struct.pack("<I?", _BOOL, value)
    if isinstance(value, int):
        return struct.pack("<II", _U32, value)
    if isinstance(value, float):
        return struct.pack("<If", _F32, value)
    if isinstance(value, str):
        return struct.pack("<I", _STRING) + _text(value)
    return struct.pack("<I", _ARRAY) + _items(value)


def _items(values: Sequence[str] | Sequence[int] | Sequence[float]) -> bytes:
    count = struct.pack("<Q", len(values))
    texts = [one for one in values if isinstance(one, str)]
    if len(texts) == len(values):
        return struct.pack("<I", _STRING) + count + b"".join(map(_text, texts))
    floats = any(isinstance(one, float) for one in values)
    packed = numpy.asarray(values, "<f4" if floats else "<i4").tobytes()
    return struct.pack("<I", _F32 if floats else _I32) + count + packed
