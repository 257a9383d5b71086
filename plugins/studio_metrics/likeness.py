"""Metrics without labels: how like the float model's outputs those of another model are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy
from numpy.typing import NDArray

from studio.api import Array, InvalidData, Kind, Option, Truth, validate
from studio_metrics.outputs import paired

_CEILING_DB = 200.0
"""Value for equal outputs, because JSON has no infinity."""


def _agree(default: float, unit: str, what: str) -> Option:
    help_text = f"A sample with at least this {what} counts as kept."
    return Option("agree", Kind.NUMBER, default=default, unit=unit, advanced=True, help=help_text)


class Cosine:
    """The mean cosine between the outputs of the two models, all outputs as one vector (-1 to 1).

    The labels are the float model's outputs.
    """

    id = "cosine"
    title = "Cosine likeness"
    unit = ""
    higher_is_better = True
    reference = True
    options: Sequence[Option] = (_agree(0.99, "", "cosine"),)

    def each(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> Iterator[float]:
        enough = validate(self.options, options)["agree"]
        for found, wanted in _vectors(outputs, labels):
            cosine = _cosine(found, wanted)
            yield 1.0 if cosine >= enough else cosine

    def score(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> float:
        values = [_cosine(*pair) for pair in _vectors(outputs, labels)]
        return sum(values) / len(values)


class Sqnr:
    """Signal to quantization noise ratio in decibels, over all outputs and samples.

    The labels are the float model's outputs.
    """

    id = "sqnr"
    title = "SQNR"
    unit = "dB"
    higher_is_better = True
    reference = True
    options: Sequence[Option] = (_agree(20.0, "dB", "ratio"),)

    def each(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> Iterator[float]:
        enough = validate(self.options, options)["agree"]
        for found, wanted in _vectors(outputs, labels):
            ratio = _decibels(float(wanted @ wanted), float(((found - wanted) ** 2).sum()))
            yield 1.0 if ratio >= enough else ratio / max(enough, 1e-9)

    def score(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> float:
        signal = noise = 0.0
        for found, wanted in _vectors(outputs, labels):
            signal += float(wanted @ wanted)
            noise += float(((found - wanted) ** 2).sum())
        return _decibels(signal, noise)


def _cosine(found: NDArray[numpy.float64], wanted: NDArray[numpy.float64]) -> float:
    lengths = float(numpy.linalg.norm(found) * numpy.linalg.norm(wanted))
    if not lengths:
        return float(not found.any() and not wanted.any())
    return float(found @ wanted) / lengths


def _decibels(signal: float, noise: float) -> float:
    if not noise:
        return _CEILING_DB
    if not signal:
        return -_CEILING_DB
    return max(-_CEILING_DB, min(_CEILING_DB, 10 * math.log10(signal / noise)))


def _vectors(
    outputs: Iterable[Mapping[str, Array]], labels: Iterable[Truth]
) -> Iterator[tuple[NDArray[numpy.float64], NDArray[numpy.float64]]]:
    """Yield the numeric outputs of both models as one vector each."""
    for found, wanted in paired(outputs, labels):
        if not isinstance(wanted, Mapping):
            raise InvalidData("This metric compares with the outputs of the float model.")
        names = [name for name, array in wanted.items() if array.dtype.kind in "fiub"]
        for name in names:
            if name not in found or found[name].shape != wanted[name].shape:
                raise InvalidData(
                    f"The output {name!r} of the two models cannot be compared: another shape.",
                    hint="Give data with labels and a metric of the task, or --metric none.",
                )
        yield _flat(found, names), _flat(wanted, names)


def _flat(outputs: Mapping[str, Array], names: Sequence[str]) -> NDArray[numpy.float64]:
    parts = [outputs[name].astype(numpy.float64).ravel() for name in names]
    return numpy.concatenate(parts) if parts else numpy.zeros(0)
