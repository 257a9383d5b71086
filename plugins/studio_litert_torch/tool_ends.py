"""Inputs and outputs of TFLite models in 8 bits, and their floats.

Used by ``tool.py`` and its parts: numpy alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy

Array = numpy.ndarray[Any, Any]
Details = Mapping[str, Any]
"""The details of a tensor, as the interpreter has them."""


def given(details: Details, array: Array) -> Array:
    """Return an array in the type of an input; floats for an input in 8 bits get its steps."""
    dtype: Any = numpy.dtype(details["dtype"])
    scale, zero = details["quantization"]
    if not (scale and array.dtype.kind == "f" and dtype.kind in "iu"):
        return array.astype(dtype)
    limits = numpy.iinfo(dtype)
    steps = numpy.round(array / scale) + zero
    found: Array = numpy.clip(steps, limits.min, limits.max).astype(dtype)
    return found


def in_floats(details: Details, array: Array) -> Array:
    """Return an output; one in 8 bits as its floats."""
    scale, zero = details["quantization"]
    if not (scale and array.dtype.kind in "iu"):
        return array
    found: Array = ((array.astype(numpy.float32) - zero) * scale).astype(numpy.float32)
    return found
