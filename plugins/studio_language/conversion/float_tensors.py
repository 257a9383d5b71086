"""Tensors of a model as float32, read part by part."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy
from numpy.typing import NDArray

from studio.api import InvalidModel, StudioError
from studio_language.gguf.content import StoredTensor
from studio_language.gguf.values import read_values
from studio_language.safetensors.content import SavedTensor

Floats = NDArray[numpy.float32]

_PART = 1 << 24
"""Values that are read at once."""

_FLOATS = {"float32": "<f4", "float16": "<f2", "float64": "<f8"}


@dataclass(frozen=True, slots=True)
class FloatTensor:
    """A tensor that is read when it is written.

    Attributes:
        shape: Outermost axis first.
        parts: Reads the values in order, some whole rows at a time.
    """

    name: str
    shape: tuple[int, ...]
    parts: Callable[[], Iterator[Floats]]

    @property
    def count(self) -> int:
        """The number of values."""
        return int(numpy.prod(self.shape, dtype=numpy.int64))

    def whole(self) -> Floats:
        """Return all values in their shape."""
        return numpy.concatenate([part.reshape(-1) for part in self.parts()]).reshape(self.shape)


def of_gguf(path: Path, tensor: StoredTensor) -> FloatTensor:
    """Return a tensor of a GGUF file."""
    columns = tensor.shape[-1] if tensor.shape else 1
    row = columns // tensor.kind.values * tensor.kind.bytes

    def parts() -> Iterator[Floats]:
        for data in _pieces(path, tensor.offset, tensor.size, row, columns):
            yield read_values(tensor.name, tensor.kind, data).astype(numpy.float32)

    return FloatTensor(tensor.name, tensor.shape, parts)


def of_safetensors(tensor: SavedTensor) -> FloatTensor:
    """Return a tensor of a safetensors file.

    Raises:
        InvalidModel: when it is not stored as plain floating-point numbers.
    """
    if tensor.dtype not in _FLOATS and tensor.dtype != "bfloat16":
        raise InvalidModel(
            f"Tensor {tensor.name!r} is stored as {tensor.dtype}, so the model is quantized.",
            hint="Convert the model that it was made of, in float16, bfloat16 or float32.",
        )
    columns = tensor.shape[-1] if tensor.shape else 1
    width = 2 if tensor.dtype == "bfloat16" else int(_FLOATS[tensor.dtype][-1])

    def parts() -> Iterator[Floats]:
        for data in _pieces(tensor.file, tensor.offset, tensor.size, columns * width, columns):
            if tensor.dtype == "bfloat16":
                wide = numpy.frombuffer(data, "<u2").astype(numpy.uint32) << 16
                yield wide.view(numpy.float32)
            else:
                yield numpy.frombuffer(data, _FLOATS[tensor.dtype]).astype(numpy.float32)

    return FloatTensor(tensor.name, tensor.shape, parts)


def _pieces(path: Path, offset: int, size: int, row: int, columns: int) -> Iterator[bytes]:
    """Yield the bytes of some whole rows at a time."""
    step = max(1, _PART // max(columns, 1)) * max(row, 1)
    with path.open("rb") as file:
        file.seek(offset)
        while size > 0:
            data = file.read(min(step, size))
            if not data:
                raise InvalidModel(f"{path.name} ends too early.", hint="Download it again.")
            size -= len(data)
            yield data


def paired(tensor: FloatTensor, heads: int, name: str, *, to_gguf: bool) -> FloatTensor:
    """Return a weight of queries or keys with the rows in another order.

    Transformers rotates the first half of a head's rows with the second half; llama.cpp rotates
    neighbouring rows for models of the family Llama (``permute`` of its converter).
    """
    rows = tensor.shape[0]

    def parts() -> Iterator[Floats]:
        halves = (heads, 2, rows // heads // 2) if to_gguf else (heads, rows // heads // 2, 2)
        values = tensor.whole().reshape(*halves, *tensor.shape[1:])
        yield numpy.ascontiguousarray(values.swapaxes(1, 2)).reshape(-1)

    return FloatTensor(name, tensor.shape, parts)


def require_room(folder: Path, needed: int) -> None:
    """Raise StudioError when a disk has no room for what is about to be written."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StudioError(
            f"The new model needs {needed / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free.",
            hint="Choose a smaller precision, or make room.",
        )
