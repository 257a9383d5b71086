"""The tensor data types of the Open Inference Protocol, numpy and onnxruntime, side by side."""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

import numpy as np

from ...backends.bfloat16 import ORT_NAME


class DataType(NamedTuple):
    """One data type under its three names.

    Attributes:
        name: In the protocol.
        ort: In onnxruntime.
        dtype: In numpy, little-endian; None for BYTES.
        config: In Triton's model configuration.
        bits: numpy has no such type: arrays hold the bits (see ``bfloat16``).
    """

    name: str
    ort: str
    dtype: Optional[np.dtype]
    config: str
    bits: bool = False


DATA_TYPES = (
    DataType("BOOL", "tensor(bool)", np.dtype("?"), "TYPE_BOOL"),
    DataType("UINT8", "tensor(uint8)", np.dtype("u1"), "TYPE_UINT8"),
    DataType("UINT16", "tensor(uint16)", np.dtype("<u2"), "TYPE_UINT16"),
    DataType("UINT32", "tensor(uint32)", np.dtype("<u4"), "TYPE_UINT32"),
    DataType("UINT64", "tensor(uint64)", np.dtype("<u8"), "TYPE_UINT64"),
    DataType("INT8", "tensor(int8)", np.dtype("i1"), "TYPE_INT8"),
    DataType("INT16", "tensor(int16)", np.dtype("<i2"), "TYPE_INT16"),
    DataType("INT32", "tensor(int32)", np.dtype("<i4"), "TYPE_INT32"),
    DataType("INT64", "tensor(int64)", np.dtype("<i8"), "TYPE_INT64"),
    DataType("FP16", "tensor(float16)", np.dtype("<f2"), "TYPE_FP16"),
    DataType("BF16", ORT_NAME, np.dtype("<u2"), "TYPE_BF16", bits=True),
    DataType("FP32", "tensor(float)", np.dtype("<f4"), "TYPE_FP32"),
    DataType("FP64", "tensor(double)", np.dtype("<f8"), "TYPE_FP64"),
    DataType("BYTES", "tensor(string)", None, "TYPE_STRING"),
)

BY_NAME = {kind.name: kind for kind in DATA_TYPES}
BY_ORT = {kind.ort: kind for kind in DATA_TYPES}


class TensorSpec(NamedTuple):
    """Name, data type and shape of an input or output; -1 is a dimension of any size."""

    name: str
    kind: DataType
    shape: Tuple[int, ...]

    def accepts(self, shape: Tuple[int, ...]) -> bool:
        """Return whether a tensor of that shape fits."""
        if not self.shape:  # a scalar, or a rank that the model does not tell: it will check
            return True
        return len(shape) == len(self.shape) and all(
            own in (-1, given) for own, given in zip(self.shape, shape)
        )
