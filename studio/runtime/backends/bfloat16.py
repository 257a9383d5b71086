"""Runs of onnxruntime with tensors of bfloat16, which numpy lacks."""

from __future__ import annotations

import ctypes
from typing import Dict, List, Mapping, Protocol, Sequence

import numpy as np

ORT_NAME = "tensor(bfloat16)"
_ONNX_TYPE = 16
"""TensorProto.BFLOAT16."""


def can_run() -> bool:
    """Return whether this onnxruntime can be given bfloat16 from Python."""
    import onnxruntime as ort

    return hasattr(ort.OrtValue, "ortvalue_from_numpy_with_onnx_type")


class OrtValue(Protocol):
    """A value of onnxruntime, as far as it is used here."""

    def shape(self) -> List[int]:
        """Return its shape."""

    def data_type(self) -> str:
        """Return the name of its type."""

    def data_ptr(self) -> int:
        """Return the address of its elements."""

    def numpy(self) -> np.ndarray:
        """Return it as an array."""


class ValueSession(Protocol):
    """A session that takes values of onnxruntime."""

    def run_with_ort_values(
        self, outputs: List[str], feeds: Dict[str, OrtValue], options: object
    ) -> Sequence[OrtValue]:
        """Run once."""


def run(
    session: ValueSession,
    outputs: Sequence[str],
    feeds: Mapping[str, np.ndarray],
    kinds: Mapping[str, str],
    options: object = None,
) -> List[np.ndarray]:
    """Run a session with inputs or outputs of bfloat16; all of these are arrays of bits.

    ``InferenceSession.run`` takes and gives numpy's types alone: here it gets values that point to
    the arrays, and what it gives is read from the place where it lies.

    Args:
        kinds: onnxruntime's name of the type of each input.
    """
    import onnxruntime as ort

    kept = {name: np.ascontiguousarray(array) for name, array in feeds.items()}
    values: Dict[str, OrtValue] = {}
    for name, array in kept.items():
        if kinds[name] == ORT_NAME:
            make = ort.OrtValue.ortvalue_from_numpy_with_onnx_type
            values[name] = make(array.reshape(np.shape(feeds[name])), _ONNX_TYPE)
        else:
            values[name] = ort.OrtValue.ortvalue_from_numpy(array.reshape(np.shape(feeds[name])))
    found = session.run_with_ort_values(list(outputs), values, options)
    return [_bits_of(value) if value.data_type() == ORT_NAME else value.numpy() for value in found]


def _bits_of(value: OrtValue) -> np.ndarray:
    """Return a copy of what a value of bfloat16 holds."""
    array = np.empty(value.shape(), np.dtype("<u2"))
    if array.size:
        ctypes.memmove(array.ctypes.data, value.data_ptr(), array.nbytes)
    return array
