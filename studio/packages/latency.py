"""Latency of a variant from its profiles, for its bundle."""

from __future__ import annotations

import logging
import math
import statistics
from collections.abc import Iterator, Sequence

import numpy

from studio.documents.dataclass_json import InvalidDocument, from_json
from studio.packages.results import LatencyFile, MeasuredLatency, MeasuredMachine
from studio.profiling.history import STEP
from studio.profiling.results import ProfileResult, ProfileRun
from studio.registry import Registry, RunRecord
from studio.runtime.bench.facts import InputFeed

log = logging.getLogger(__name__)

FORM = 1
_MOST = 8
_FEWEST_ROUNDS = 3
_UNKNOWN_ERROR = 0.05
# sqrt(pi / 2): standard error of a median over that of a mean, for normal data.
_OF_MEDIAN = 1.2533


def latency_of(registry: Registry, variant: int, backend: str) -> LatencyFile | None:
    """Return the newest profile of each target and number of threads, or None.

    Profiles of throughput or of a rate are other quantities, and left out. A variant is found in
    every profile that measured it, whichever was its reference.

    Args:
        backend: Id of what serves the model: times of others say nothing of it.
    """
    newest: dict[tuple[str, int | None], MeasuredLatency] = {}
    for one in _measured(registry, variant, backend):
        newest.setdefault((one.target, one.threads), one)
    return LatencyFile(FORM, tuple(newest.values())[:_MOST]) if newest else None


def _measured(registry: Registry, variant: int, backend: str) -> Iterator[MeasuredLatency]:
    for run in registry.runs(STEP):
        try:
            profile = from_json(ProfileResult, run.result)
        except InvalidDocument as error:
            log.warning("profile left out: %s", error, extra={"run": run.id})
            continue
        for row in profile.runs:
            median = row.latency_ms.p50
            if row.variant_id == variant and median and _fits(profile, row, backend):
                yield _entry(run, profile, row, median)


def _fits(profile: ProfileResult, row: ProfileRun, backend: str) -> bool:
    return (
        profile.mode == "latency"
        and row.backend == backend
        and not set(row.providers) - {"CPUExecutionProvider", "CPU"}
    )


def _entry(
    run: RunRecord, profile: ProfileResult, row: ProfileRun, median: float
) -> MeasuredLatency:
    environment, feeds = profile.environment, profile.feeds
    return MeasuredLatency(
        target=profile.target,
        run=run.id,
        at=run.created,
        version=row.version,
        threads=row.threads,
        samples=row.samples,
        p50_ms=median,
        p90_ms=row.latency_ms.p90,
        p99_ms=row.latency_ms.p99,
        error=round(_error(row.round_ms), 6),
        rows=feeds[0].shape[0] if feeds and feeds[0].shape else 1,
        bytes=sum(_bytes(feed) for feed in feeds),
        machine=MeasuredMachine(environment.cpu, environment.arch, environment.board),
        clock_mhz=environment.clock_mhz,
        celsius=environment.temperature_c,
    )


def _error(rounds: Sequence[float]) -> float:
    """Return the standard error of the median's logarithm, from the rounds' own medians."""
    logs = [math.log(time) for time in rounds if time > 0]
    if len(logs) < _FEWEST_ROUNDS:
        return _UNKNOWN_ERROR
    return _OF_MEDIAN * statistics.stdev(logs) / math.sqrt(len(logs))


def _bytes(feed: InputFeed) -> int:
    """Return the bytes of one input; texts, which have no size, count as none."""
    try:
        size = numpy.dtype(feed.dtype).itemsize
    except TypeError:
        size = 2 if feed.dtype == "bfloat16" else 0
    return size * math.prod(feed.shape)
