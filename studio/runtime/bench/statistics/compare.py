"""Differences of a candidate's outputs from the reference's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Sequence

import numpy

from ..arrays import Array
from ..errors import CandidateError


@dataclass(frozen=True)
class Difference:
    """The largest differences over all numeric outputs.

    Attributes:
        max_error: Largest absolute difference.
        relative_error: Largest of each output's max_error over that output's largest magnitude.
    """

    max_error: float
    relative_error: float


def compare(
    reference: Mapping[str, Array], other: Mapping[str, Array], tolerance: float | None
) -> Difference:
    """Compare outputs.

    Outputs are paired by name, or by position where the names differ but not their number.

    Raises:
        CandidateError: ``wrong output``: another shape, not finite where the reference is, or a
            relative error beyond the tolerance.
    """
    largest = relative = 0.0
    for name, expected, actual in _pairs(reference, other):
        if expected.shape != actual.shape:
            text = (
                f"The output {name!r} has the shape {_text(actual)} instead of {_text(expected)}."
            )
            raise CandidateError("wrong output", text)
        # Texts have no magnitude: they must be equal.
        if expected.dtype.kind in "OSU" or actual.dtype.kind in "OSU":
            if not (expected == actual).all():
                raise CandidateError("wrong output", f"The text in the output {name!r} differs.")
            continue
        error = _error(name, expected, actual)
        scale = _magnitude(expected)
        largest = max(largest, error)
        relative = max(relative, error / scale if scale else float(error > 0))
    if tolerance is not None and relative > tolerance:
        text = f"Its outputs differ by {relative:.3g} of their magnitude; {tolerance:g} is allowed."
        raise CandidateError("wrong output", text)
    return Difference(largest, relative)


def repeated(
    single: Mapping[str, Array], batch: Mapping[str, Array], count: int
) -> dict[str, Array]:
    """Return the outputs of one sample as they must be for a batch of the same sample.

    They are repeated along the axis that has grown, which only the outputs show.
    """
    made = {}
    for (name, one), many in zip(single.items(), _in_order(single, batch)):
        axis = _grown(one.shape, many.shape, count)
        made[name] = one if axis is None else numpy.repeat(one, count, axis=axis)
    return made


def _in_order(single: Mapping[str, Array], batch: Mapping[str, Array]) -> list[Array]:
    names = set(single) == set(batch)
    return [batch[name] for name in single] if names else list(batch.values())


def _grown(one: Sequence[int], many: Sequence[int], count: int) -> int | None:
    if len(one) != len(many):
        return None
    changed = [axis for axis, (a, b) in enumerate(zip(one, many)) if a != b]
    right = len(changed) == 1 and many[changed[0]] == count * one[changed[0]]
    return changed[0] if right else None


def _pairs(
    reference: Mapping[str, Array], other: Mapping[str, Array]
) -> list[tuple[str, Array, Array]]:
    if len(reference) != len(other):
        text = f"It has {len(other)} outputs instead of {len(reference)}."
        raise CandidateError("wrong output", text)
    if set(reference) == set(other):
        return [(name, reference[name], other[name]) for name in reference]
    values = zip(reference.items(), other.values())
    return [(name, expected, actual) for (name, expected), actual in values]


def _error(name: str, expected: Array, actual: Array) -> float:
    a, b = expected.astype(numpy.float64), actual.astype(numpy.float64)
    finite = numpy.isfinite(a)
    broken = int((finite & ~numpy.isfinite(b)).sum())
    if broken:
        raise CandidateError(
            "wrong output", f"The output {name!r} has {broken} values that are no numbers."
        )
    return float(numpy.abs(a[finite] - b[finite]).max()) if finite.any() else 0.0


def _magnitude(array: Array) -> float:
    values = numpy.abs(array.astype(numpy.float64))
    values = values[numpy.isfinite(values)]
    return float(values.max()) if values.size else 0.0


def _text(array: Array) -> str:
    return "x".join(map(str, array.shape)) or "scalar"
