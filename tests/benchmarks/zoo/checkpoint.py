"""A reader of PyTorch's older files of weights, which executes nothing that stands in them."""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy

Array = numpy.ndarray[Any, Any]

_DTYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}
_PREAMBLE = 3
"""Pickles ahead of the weights' own: a magic number, a version, sizes of types."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A class of storages by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class _Tensor:
    """Where the values of a tensor lie in which storage."""

    storage: tuple[str, str]
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def array(self, storages: Mapping[str, Array]) -> Array:
        """A copy of its values."""
        values = storages[self.storage[0]][self.offset :]
        strides = [values.itemsize * step for step in self.stride]
        return numpy.lib.stride_tricks.as_strided(values, self.size, strides).copy()


class _Unpickler(pickle.Unpickler):
    """An unpickler that knows an ordered dictionary and tensors, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Raise for all but the three names that a file of weights needs."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda *given: _Tensor(*given[:4])
        if module == "torch" and name in _DTYPES:
            return _Kind(name)
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")

    def persistent_load(self, pid: Any) -> tuple[str, str]:
        """The key of a storage and the type of its values."""
        return str(pid[2]), _DTYPES[pid[1].name]


def weights(content: bytes) -> dict[str, Array]:
    """Arrays by name.

    Raises:
        UnpicklingError: when the file holds anything but weights.
    """
    stream = io.BytesIO(content)
    for _ in range(_PREAMBLE):
        _Unpickler(stream).load()
    tensors: Mapping[str, _Tensor] = _Unpickler(stream).load()
    dtypes = dict(tensor.storage for tensor in tensors.values())
    storages: dict[str, Array] = {}
    for key in _Unpickler(stream).load():
        count = int.from_bytes(stream.read(8), "little")
        dtype = numpy.dtype(dtypes[key])
        storages[key] = numpy.frombuffer(stream.read(count * dtype.itemsize), dtype)
    return {name: tensor.array(storages) for name, tensor in tensors.items()}
