"""Comparison of a quantized with its float model: error at the outputs, and time."""

from __future__ import annotations

import math
import resource
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence

import numpy
from numpy.typing import NDArray

from studio.api import Array, Feeds, InvalidData, Progress, Sample, Session
from studio.evaluation.results import OutputError
from studio.lazy_dataclass import dataclass

CEILING_DB = 200.0
"""Value for equal outputs, because JSON has no infinity."""

_ROUNDS = 15
# With fewer rounds not even the extremes form a 95 % interval of the median.
_FEWEST = 6
_ROUND_SECONDS = 0.04
_MOST_SECONDS = 6.0
_ALPHA = 0.05


@dataclass(slots=True)
class _Error:
    """Running sums of one output."""

    signal: float = 0.0
    noise: float = 0.0
    largest: float = 0.0
    varies: bool = False

    def add(self, wanted: Array, found: Array) -> None:
        if wanted.shape != found.shape:
            self.varies = True
            return
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


def output_errors(
    before: Session, after: Session, samples: Iterable[Sample], total: int, progress: Progress
) -> tuple[tuple[OutputError, ...], tuple[str, ...]]:
    """Run samples through both models and compare their numeric outputs.

    Returns:
        The errors, and the names of outputs whose shapes differ, as behind NonMaxSuppression.

    Raises:
        InvalidData: when the quantized model gives values that are not finite.
    """
    errors: dict[str, _Error] = {}
    for index, sample in enumerate(samples):
        progress.progress(index, total)
        wanted, found = before.run(sample.feeds), after.run(sample.feeds)
        for name, reference in _numeric(wanted).items():
            _check_finite(name, reference, found[name], sample.name)
            errors.setdefault(name, _Error()).add(reference, found[name])
    alike = (one for one in errors.items() if not one[1].varies)
    compared = tuple(OutputError(name, e.sqnr_db, e.largest) for name, e in alike)
    return compared, tuple(name for name, e in errors.items() if e.varies)


@dataclass(frozen=True, slots=True)
class Latency:
    """Time of a model over that of another: the median over rounds in which both took turns.

    Attributes:
        low, high: Interval of the median with at least 95 % (order statistics, sign test).
        us: Of the other model, for one inference, in microseconds.
        threads: Of an inference, of both.
    """

    ratio: float
    low: float
    high: float
    us: float
    threads: int = 1

    @classmethod
    def of(cls, ratios: Sequence[float], us: float, threads: int = 1) -> Latency:
        """Return the median of the rounds, and the ranks around it."""
        ordered, count = sorted(ratios), len(ratios)
        rank = max((k for k in range(count // 2 + 1) if _outside(count, k) <= _ALPHA), default=0)
        return cls(
            statistics.median(ordered), ordered[rank], ordered[count - 1 - rank], us, threads
        )


def _outside(count: int, rank: int) -> float:
    """Return the probability that the median is outside the values of a rank from either end."""
    return float(2 * sum(math.comb(count, k) for k in range(rank + 1)) * 0.5**count)


def latency(
    before: Session, after: Session, feeds: Feeds, progress: Progress, threads: int = 1
) -> Latency:
    """Compare the times of two models that are each loaded for a number of threads.

    What is counted of one thread is the processor's time, which other work on the machine disturbs
    little; with more threads, and for a backend that waits for something else that computes (a
    GPU), it is the clock's. How often they run follows from both: who waits takes time, too.
    """
    single = max(_single(before, feeds), _single(after, feeds), 1e-6)
    runs = max(1, min(500, round(_ROUND_SECONDS / single)))
    rounds = max(_FEWEST, min(_ROUNDS, int(_MOST_SECONDS / (2 * runs * single))))
    times: dict[int, list[NDArray[numpy.float64]]] = {id(before): [], id(after): []}
    waited = _waits()
    for turn in range(rounds):
        progress.progress(turn, rounds)
        # The order alternates, so that drift of the machine affects both models alike.
        for one in (before, after) if turn % 2 else (after, before):
            times[id(one)].append(_seconds(one, feeds, runs))
    first, second = numpy.array(times[id(before)]), numpy.array(times[id(after)])
    processor, wall = (first + second).sum(axis=0)
    waits = _waits() - waited >= rounds * runs and processor < wall / 2
    elsewhere = threads > 1 or waits
    ratios = (second / numpy.maximum(first, 1e-9))[:, int(elsewhere)]
    us = float(1e6 * numpy.median(first[:, int(elsewhere)]) / runs)
    return Latency.of(ratios.tolist(), us, threads)


def _single(session: Session, feeds: Feeds) -> float:
    """Return seconds of one inference, without interruptions by other work on the machine."""
    tried: list[float] = []
    while len(tried) < 3 and sum(tried) < _ROUND_SECONDS:
        tried.append(float(_seconds(session, feeds, 1).max()))
    return min(tried)


def seconds_of(session: Session, feeds: Feeds, runs: int) -> float:
    """Return the wall time of an inference, after one warm-up."""
    session.run(feeds)
    return float(_seconds(session, feeds, runs)[1]) / runs


def _seconds(session: Session, feeds: Feeds, runs: int) -> NDArray[numpy.float64]:
    """Time of some runs, of the processor and by the clock."""
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(runs):
        session.run(feeds)
    return numpy.array([time.process_time() - processor, time.perf_counter() - wall])


def _waits() -> int:
    """Return how often this thread has yielded the processor; preemption does not count."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw


def _numeric(outputs: Mapping[str, Array]) -> dict[str, Array]:
    return {
        name: array
        for name, array in outputs.items()
        if isinstance(array, numpy.ndarray) and array.dtype.kind in "fiub"
    }


def _check_finite(name: str, wanted: Array, found: Array, sample: str) -> None:
    if found.dtype.kind == "f" and numpy.isfinite(wanted).all() and not numpy.isfinite(found).all():
        raise InvalidData(
            f"Output {name!r} of the new model is not finite on sample {sample}.",
            hint="Keep the operators that overflow in float: --keep-float. Or use another method.",
        )
