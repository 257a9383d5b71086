"""A quantized model beside the float model: error at the outputs, and time."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy

from studio.api import Array, Feeds, InvalidData, Progress, Sample, Session

CEILING_DB = 200.0
"""Shown where two outputs are equal, since infinity is no JSON."""

_ROUNDS = 9
_ROUND_SECONDS = 0.05
_MOST_SECONDS = 6.0


@dataclass(slots=True)
class _Error:
    """Running sums of one output."""

    signal: float = 0.0
    noise: float = 0.0
    largest: float = 0.0

    def add(self, wanted: Array, found: Array) -> None:
        reference = wanted.astype(numpy.float64)
        difference = found.astype(numpy.float64) - reference
        self.signal += float((reference**2).sum())
        self.noise += float((difference**2).sum())
        if difference.size:
            self.largest = max(self.largest, float(numpy.abs(difference).max()))

    @property
    def sqnr_db(self) -> float:
        if not self.noise:
            return CEILING_DB
        if not self.signal:
            return -CEILING_DB
        return max(-CEILING_DB, min(CEILING_DB, 10 * math.log10(self.signal / self.noise)))


@dataclass(frozen=True, slots=True)
class OutputError:
    """How far one output is from the float model's.

    Attributes:
        sqnr_db: Signal to quantization noise ratio in decibels, over all samples.
        max_error: Largest absolute difference.
    """

    name: str
    sqnr_db: float
    max_error: float


def output_errors(
    before: Session, after: Session, samples: Iterable[Sample], total: int, progress: Progress
) -> tuple[OutputError, ...]:
    """Run samples through both models and compare their numeric outputs.

    Raises:
        InvalidData: when the quantized model gives values that are not finite, or another shape.
    """
    errors: dict[str, _Error] = {}
    for index, sample in enumerate(samples):
        progress.progress(index, total)
        wanted, found = before.run(sample.feeds), after.run(sample.feeds)
        for name, reference in _numeric(wanted).items():
            _check(name, reference, found[name], sample.name)
            errors.setdefault(name, _Error()).add(reference, found[name])
    return tuple(OutputError(name, e.sqnr_db, e.largest) for name, e in errors.items())


def latency_ratio(before: Session, after: Session, feeds: Feeds, progress: Progress) -> float:
    """Time of the quantized model over that of the float model, roughly.

    The two take turns, and the median over the rounds is given, so that a disturbance of one
    round counts little. A figure with an interval is the profiler's business.
    """
    single = max(_seconds(before, feeds, 1), _seconds(after, feeds, 1), 1e-6)
    runs = max(1, min(500, round(_ROUND_SECONDS / single)))
    rounds = max(3, min(_ROUNDS, int(_MOST_SECONDS / (2 * runs * single))))
    ratios = []
    for turn in range(rounds):
        progress.progress(turn, rounds)
        first, second = (before, after) if turn % 2 else (after, before)
        times = {id(one): _seconds(one, feeds, runs) for one in (first, second)}
        ratios.append(times[id(after)] / times[id(before)])
    return statistics.median(ratios)


def _seconds(session: Session, feeds: Feeds, runs: int) -> float:
    begin = time.perf_counter()
    for _ in range(runs):
        session.run(feeds)
    return time.perf_counter() - begin


def _numeric(outputs: Mapping[str, Array]) -> dict[str, Array]:
    return {
        name: array
        for name, array in outputs.items()
        if isinstance(array, numpy.ndarray) and array.dtype.kind in "fiub"
    }


def _check(name: str, wanted: Array, found: Array, sample: str) -> None:
    if wanted.shape != found.shape:
        raise InvalidData(f"Output {name!r} has another shape than the float model's ({sample}).")
    if found.dtype.kind == "f" and numpy.isfinite(wanted).all() and not numpy.isfinite(found).all():
        raise InvalidData(
            f"Output {name!r} of the new model is not finite on sample {sample}.",
            hint="Keep the operators that overflow in float with --keep, or use another method.",
        )
