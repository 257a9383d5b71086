"""The largest relative error between the outputs of two models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy

from studio.api import Array, InvalidModel
from studio.conversion.results import ConversionCheck

_RANKS = (2, 3)
"""Of outputs whose last axis has classes; in maps of four axes it is the width."""

_TINY = 1e-3
"""Smallest scale of an error: below it, an output is compared absolutely.

What is left of sums that cancel, such as the probability 1e-5 of a detector that sees noise, keeps
few digits of float32.
"""

_UNCHANGED = 1e-6
"""Relative change of an output between two requests, up to which it counts as constant."""


class Worst:
    """The largest error over all outputs and requests.

    Attributes:
        error: Relative to the largest absolute value of the original's output.
        output: Where it is.
        request: Number of the request that it occurs in.
        requests: Number of those that were compared.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._rows = self._equal = self.requests = 0
        self._scales: dict[str, float] = {}
        self._first: dict[str, Array] = {}
        self._changes: dict[str, bool] = {}
        self.error = 0.0
        self.output = ""
        self.request = 0

    @property
    def argmax_equal(self) -> float | None:
        """Share of rows whose largest value is at the same place; None without such rows."""
        return self._equal / self._rows if self._rows else None

    def check(self, against: str, samples: int) -> ConversionCheck:
        """Return the comparison so far.

        Args:
            against: Name and version of the original's framework.
        """
        faint = tuple(name for name, scale in self._scales.items() if scale < _TINY)
        still = tuple(name for name, changes in self._changes.items() if not changes)
        return ConversionCheck(
            against,
            samples,
            self.error,
            self.argmax_equal,
            self.output,
            faint=faint,
            constant=tuple(name for name in still if name not in faint),
        )

    def add(self, found: Mapping[str, Array], wanted: Mapping[str, Array]) -> None:
        """Compare the outputs of one request.

        Raises:
            InvalidModel: when an output has another shape.
        """
        for name in self._names:
            ours, theirs = numpy.asarray(found[name]), numpy.asarray(wanted[name])
            if ours.shape != theirs.shape:
                raise InvalidModel(
                    f"The output {name!r} has the shape {ours.shape} after the conversion, "
                    f"and {theirs.shape} in the original."
                )
            self._measure(name, theirs)
            error = relative_error(ours, theirs)
            if error > self.error or not self.output:
                self.error, self.output, self.request = error, name, self.requests
            self._count(ours, theirs)
        self.requests += 1

    def _measure(self, name: str, theirs: Array) -> None:
        if theirs.dtype.kind == "f":
            scale = float(numpy.abs(theirs[numpy.isfinite(theirs)]).max(initial=0.0))
            self._scales[name] = max(self._scales.get(name, 0.0), scale)
            first = self._first.setdefault(name, theirs)
            # A batch repeats one of the requests.
            if first is not theirs and first.shape == theirs.shape:
                changed = relative_error(first, theirs) > _UNCHANGED
                self._changes[name] = self._changes.get(name, False) or changed

    def _count(self, ours: Array, theirs: Array) -> None:
        if theirs.dtype.kind == "f" and theirs.ndim in _RANKS and theirs.shape[-1] > 1:
            same = ours.argmax(-1) == theirs.argmax(-1)
            self._rows += same.size
            self._equal += int(same.sum())


def relative_error(ours: Array, theirs: Array) -> float:
    """Largest absolute difference over the largest absolute value; 1 where NaN meets a number."""
    if theirs.dtype.kind not in "fiub":
        return 0.0 if numpy.array_equal(ours, theirs) else 1.0
    one, other = ours.astype(numpy.float64), theirs.astype(numpy.float64)
    if not other.size:
        return 0.0
    finite = numpy.isfinite(other)
    with numpy.errstate(invalid="ignore"):
        same = (one == other) | (numpy.isnan(one) & numpy.isnan(other))
    if not same[~finite].all() or not numpy.isfinite(one[finite]).all():
        return 1.0
    if not finite.any():
        return 0.0
    least = _TINY if theirs.dtype.kind == "f" else 1.0
    scale = max(float(numpy.abs(other[finite]).max()), least)
    return float(numpy.abs(one[finite] - other[finite]).max()) / scale
