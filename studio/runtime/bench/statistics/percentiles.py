"""Latency percentiles, each only where there are enough samples for it."""

from __future__ import annotations

from typing import Sequence

import numpy

from ..facts import Percentiles, TailPercentiles
from .binomial import early_stopping

ENOUGH = {"p50": (50.0, 1), "p90": (90.0, 64), "p99": (99.0, 662)}
"""Percentile and the samples it needs. 64 and 662 are MLPerf's early-stopping minima for a
confidence of 99 % (Reddi et al., MLPerf Inference Benchmark, 2020)."""

ECDF_POINTS = 101


def latency(times_ns: Sequence[float]) -> Percentiles:
    """p50, p90 and p99 in milliseconds; None where the samples are too few."""
    count = len(times_ns)
    values = {
        name: float(numpy.percentile(times_ns, share)) / 1e6
        for name, (share, needed) in ENOUGH.items()
        if count >= needed
    }
    return Percentiles(**values)


def early_stopping_ms(times_ns: Sequence[float]) -> TailPercentiles:
    """MLPerf's early-stopping estimates of p90 and p99 in milliseconds."""
    ordered = sorted(times_ns)
    found = {name: early_stopping(ordered, ENOUGH[name][0]) for name in ("p90", "p99")}
    return TailPercentiles(**{name: v / 1e6 for name, v in found.items() if v is not None})


def missing(count: int) -> dict[str, str]:
    """Why a percentile is not given, by its name."""
    return {
        name: f"needs {needed} samples, has {count}"
        for name, (_, needed) in ENOUGH.items()
        if count < needed
    }


def distribution(times_ns: Sequence[float]) -> list[float]:
    """The 0th, 1st, ... 100th percentile in milliseconds: the empirical distribution in short."""
    if not len(times_ns):
        return []
    shares = numpy.linspace(0, 100, ECDF_POINTS)
    return [round(float(value) / 1e6, 6) for value in numpy.percentile(times_ns, shares)]
