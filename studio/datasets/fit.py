"""The test whether an array fits a model's input, and its conversion to the input's type."""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from studio.api import Array, Dimension, InvalidData, Quantization, TensorType, Value


def conform(array: Array, value: Value, sample: str) -> Array:
    """Return the array in the input's element type, batch axis included.

    Whole numbers may become floating-point numbers. The reverse is for inputs with a quantization
    alone. A value that the narrower type cannot hold is refused.

    Args:
        sample: Name of the sample, for the message.

    Raises:
        InvalidData: in one sentence, with the shape or type found and the one wanted.
    """
    wanted = value.type
    if wanted is None:
        return _finite(array, value, sample)
    if not shape_fits(array.shape, wanted.shape):
        raise InvalidData(
            f"Sample {sample} gives input {value.name!r} {_type_of(array)}, "
            f"but the model wants {wanted}."
        )
    if value.quantization is not None and array.dtype.kind == "f":
        return _steps(_finite(array, value, sample), value.quantization, wanted)
    return _finite(_cast(array, value, wanted, sample), value, sample)


def _steps(array: Array, quantization: Quantization, wanted: TensorType) -> Array:
    """Return floats as the nearest integers of a quantized input."""
    limits = numpy.iinfo(wanted.dtype)
    with numpy.errstate(over="ignore"):  # beyond any step is the last step
        found = numpy.round(array.astype(numpy.float64) / quantization.scale)
    found = numpy.clip(found + quantization.zero_point, limits.min, limits.max)
    return found.astype(numpy.dtype(wanted.dtype))


def shape_fits(found: Sequence[int], wanted: Sequence[Dimension] | None) -> bool:
    """Return whether a shape agrees with one that may have open sizes."""
    if wanted is None:
        return True
    return len(found) == len(wanted) and all(
        not isinstance(size, int) or size < 0 or size == have
        for have, size in zip(found, wanted, strict=True)
    )


def _type_of(array: Array) -> str:
    return str(TensorType(_kind(array), tuple(array.shape)))


def _kind(array: Array) -> str:
    return "string" if array.dtype.kind in "US" else array.dtype.name


def _cast(array: Array, value: Value, wanted: TensorType, sample: str) -> Array:
    misfit = InvalidData(
        f"Sample {sample} gives input {value.name!r} {_kind(array)} values, "
        f"but the model wants {wanted.dtype}."
    )
    if wanted.dtype == "string":
        if array.dtype.kind != "U":
            raise misfit
        return array.astype(object)
    try:
        target = numpy.dtype(wanted.dtype)
    except TypeError:
        raise InvalidData(
            f"Input {value.name!r} is {wanted.dtype}, for which no arrays can be given."
        ) from None
    if array.dtype.kind not in "biuf" or (array.dtype.kind == "f" and target.kind != "f"):
        raise misfit
    # An overflow becomes infinity, which ``_finite`` refuses afterwards.
    with numpy.errstate(over="ignore"):
        cast = array.astype(target)
    if target.kind in "biu" and not numpy.array_equal(cast, array):
        raise InvalidData(
            f"Sample {sample} gives input {value.name!r} values that {target.name} cannot hold."
        )
    return cast


def _finite(array: Array, value: Value, sample: str) -> Array:
    if array.dtype.kind == "f" and not numpy.isfinite(array).all():
        what = "not-a-number" if numpy.isnan(array).any() else "infinite"
        raise InvalidData(
            f"Sample {sample} gives input {value.name!r} {what} values.",
            hint="Remove the sample or repair it: it would spoil every range.",
        )
    return array
