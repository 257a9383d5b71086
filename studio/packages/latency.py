"""What profiles have measured of a variant, as its bundle takes it along."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy

from studio.profiling.history import STEP
from studio.registry import Registry, RunRecord

FORM = 1
_SERVED_BY = "onnxruntime"
"""The backend of the server on a target: times of others say nothing of it."""
_MOST = 8
_MACHINE = ("cpu", "arch", "board")
_FEWEST_ROUNDS = 3
_UNKNOWN_ERROR = 0.05
_OF_MEDIAN = 1.2533

Json = Mapping[str, Any]


def latency_of(registry: Registry, variant: int) -> dict[str, Any] | None:
    """The newest profile of each target and number of threads; None when there is none.

    Profiles of throughput or of a rate are other quantities, and left out. A variant is found in
    every profile that measured it, whichever was its reference.
    """
    found: dict[tuple[str, Any], dict[str, Any]] = {}
    for run in registry.runs(STEP):
        for row in run.result.get("runs") or ():
            if row.get("variant_id") != variant or not _fits(run.result, row):
                continue
            entry = _entry(run, row)
            found.setdefault((entry["target"], entry["threads"]), entry)
    return {"form": FORM, "profiles": list(found.values())[:_MOST]} if found else None


def _fits(result: Json, row: Json) -> bool:
    latency = row.get("latency_ms") or {}
    return (
        result.get("mode", "latency") == "latency"
        and row.get("backend") == _SERVED_BY
        and not set(row.get("providers") or ()) - {"CPUExecutionProvider"}
        and bool(latency.get("p50"))
    )


def _entry(run: RunRecord, row: Json) -> dict[str, Any]:
    result, latency = run.result, row["latency_ms"]
    environment = result.get("environment") or {}
    feeds = result.get("feeds") or []
    return {
        "target": str(result.get("target") or "local"),
        "run": run.id,
        "at": run.created,
        "version": row.get("version"),
        "threads": row.get("threads"),
        "samples": row.get("samples"),
        "p50_ms": latency["p50"],
        "p90_ms": latency.get("p90"),
        "p99_ms": latency.get("p99"),
        "error": round(_error(row.get("round_ms") or ()), 6),
        "rows": int(feeds[0]["shape"][0]) if feeds and feeds[0]["shape"] else 1,
        "bytes": sum(_bytes(feed) for feed in feeds),
        "machine": {key: environment.get(key) for key in _MACHINE},
        "clock_mhz": environment.get("clock_mhz"),
        "celsius": environment.get("temperature_c"),
    }


def _error(rounds: Sequence[float]) -> float:
    """Standard error of the logarithm of the median, from the rounds' own medians."""
    logs = [math.log(time) for time in rounds if time > 0]
    if len(logs) < _FEWEST_ROUNDS:
        return _UNKNOWN_ERROR
    return _OF_MEDIAN * statistics.stdev(logs) / math.sqrt(len(logs))


def _bytes(feed: Json) -> int:
    """Of one input; texts, which have no size, count as none."""
    try:
        size = numpy.dtype(str(feed["dtype"])).itemsize
    except TypeError:
        size = 2 if feed["dtype"] == "bfloat16" else 0
    return int(size * math.prod(int(axis) for axis in feed["shape"]))
