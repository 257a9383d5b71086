"""How far two releases agree: the answers of both to the same requests, one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy

from studio.api import Array
from studio.runtime.serve.detections import listed_boxes
from studio.runtime.serve.likeness import Likeness

Answers = Sequence[Mapping[str, Array] | None]
"""The answer to each sample, by the outputs' names; None where none came."""

_LEAST_CLASSES = 2
_CLOSE = 0.05
"""Of the old answer's size: numbers that are no classes agree when they differ by less."""


def agreement(before: Answers, now: Answers) -> float | None:
    """The share of requests to which both give the same answer; None where none can be compared.

    Two answers are the same when the largest of each row's values is at the same place (the class),
    and for outputs of one value or of whole numbers, when the values are (about) equal. Those of a
    detector are the same when both have the same boxes, however many.
    """
    said = [
        _same(one, other)
        for one, other in zip(before, now, strict=False)
        if one is not None and other is not None and (_comparable(one, other) or _boxes(one, other))
    ]
    return sum(said) / len(said) if said else None


def _comparable(one: Mapping[str, Array], other: Mapping[str, Array]) -> bool:
    return set(one) == set(other) and all(one[name].shape == other[name].shape for name in one)


def _boxes(one: Mapping[str, Array], other: Mapping[str, Array]) -> bool:
    told = [listed_boxes(answer) is not None for answer in (one, other)]
    return set(one) == set(other) and any(told)


def _same(one: Mapping[str, Array], other: Mapping[str, Array]) -> bool:
    if _boxes(one, other):
        return Likeness().same(one, other)
    return all(_same_output(one[name], other[name]) for name in one)


def _same_output(one: Array, other: Array) -> bool:
    if not one.size:
        return True
    if one.dtype.kind == "f" and one.ndim and one.shape[-1] >= _LEAST_CLASSES:
        return bool(numpy.array_equal(one.argmax(-1), other.argmax(-1)))
    if one.dtype.kind == "f":
        size = float(numpy.abs(one).max())
        return bool(numpy.allclose(one, other, rtol=_CLOSE, atol=_CLOSE * size, equal_nan=True))
    return bool(numpy.array_equal(one, other))
