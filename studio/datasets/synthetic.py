"""Inputs made up for a model without data: random, from a fixed seed, of the right types."""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from studio.api import (
    Array,
    Dimension,
    Feeds,
    InvalidData,
    InvalidModel,
    Session,
    StudioError,
    TensorType,
    Value,
)

_OPEN_SIZES = (32, 224, 64, 320, 1, 8)
"""Sizes to try, in this order, for a dynamic axis beyond the batch without a sample."""


def open_sizes(inputs: Sequence[Value]) -> Sequence[int]:
    """Return candidate sizes for the dynamic axes; one without dynamic axes."""
    return _OPEN_SIZES if any(_open(value.type) for value in inputs) else _OPEN_SIZES[:1]


def random_feeds(inputs: Sequence[Value], count: int, size: int) -> list[Feeds]:
    """Return inputs from a fixed seed, for models without data.

    Args:
        size: Of open axes beyond the batch.

    Raises:
        InvalidData: for an input that cannot be made up.
    """
    generator = numpy.random.default_rng(0)
    return [
        {value.name: _random(generator, value.name, value.type, size) for value in inputs}
        for _ in range(count)
    ]


def accepted_feeds(session: Session, inputs: Sequence[Value], count: int) -> list[Feeds]:
    """Return made-up inputs that a loaded model accepts.

    Raises:
        InvalidData: for an input that cannot be made up.
        InvalidModel: when the model accepts none, with its last reason as the message.
    """
    reason = ""
    for size in open_sizes(inputs):
        feeds = random_feeds(inputs, count, size)
        try:
            session.run(feeds[0])
        except StudioError as error:
            reason = error.message
        else:
            return feeds
    raise InvalidModel(reason)


def _random(
    generator: numpy.random.Generator, name: str, kind: TensorType | None, size: int
) -> Array:
    if kind is None or kind.shape is None:
        raise InvalidData(
            f"The shape of the input {name!r} is not known, so no sample can be made up for it.",
            hint="Give some data with --data.",
        )
    shape = [_size(axis, number, size) for number, axis in enumerate(kind.shape)]
    try:
        dtype = numpy.dtype(kind.dtype)
    except TypeError:
        dtype = numpy.dtype(object)
    if dtype.kind == "f":
        return generator.standard_normal(shape).astype(dtype)
    if kind.dtype == "string":
        # Texts that can be read as numbers: a model may do that first.
        return generator.integers(0, 2, shape).astype(str).astype(object)
    if dtype.kind in "iub":
        # Small numbers: an index into a table of a few rows still finds its row.
        return generator.integers(0, 2, shape).astype(dtype)
    raise InvalidData(
        f"No sample can be made up for the input {name!r} of type {kind.dtype}.",
        hint="Give some data with --data.",
    )


def _size(axis: Dimension, number: int, size: int) -> int:
    if isinstance(axis, int):
        return axis
    return 1 if number == 0 else size


def _open(kind: TensorType | None) -> bool:
    return kind is not None and any(not isinstance(axis, int) for axis in (kind.shape or ())[1:])
