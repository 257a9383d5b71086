"""Profiles that were made: one line for each, any two compared, and the document of one."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from studio.registry import Registry, RunRecord, VariantRecord

STEP = "profile"
_RATES = ("throughput", "open-loop")
"""Modes whose figure is better when it is larger."""

_LEAST_ROUNDS = 8
_LEAST_MARGIN = 0.03
_NORMAL = 1.96

_MACHINE = ("cpu", "board", "arch", "cores", "usable_cores", "kernel", "os")
_SETTINGS = ("governor", "governors", "power_mode", "turbo", "supply", "cpu_quota", "runtimes")
"""Keys of the environment: another machine, and the same one in another state."""

Json = Mapping[str, Any]


def profiles(registry: Registry, model: int | None = None) -> list[RunRecord]:
    """All profiles, the newest first; those of one model where it is given."""
    if model is None:
        return registry.runs(STEP)
    found = [run for v in registry.variants(model) for run in registry.runs(STEP, v.id)]
    return sorted(found, key=lambda run: -run.id)


def line(run: RunRecord) -> dict[str, Any]:
    """What a list says of a profile."""
    result = run.result
    rows = list(result.get("runs") or ())
    mode = str(result.get("mode") or "latency")
    rate = mode in _RATES
    known = [(value, row) for row in rows if (value := figure(row, mode)[0])]
    pick = max if rate else min
    value, fastest = pick(known, key=lambda pair: pair[0], default=(None, None))
    return {
        "run": run.id,
        "at": run.created,
        "mode": mode,
        "target": str(result.get("target") or "local"),
        "models": list(dict.fromkeys(str(row["model"]) for row in rows)),
        "backends": list(dict.fromkeys(str(row.get("runtime") or row["backend"]) for row in rows)),
        "fastest": fastest["id"] if fastest else None,
        "best": value,
        "unit": "a second" if rate else "ms",
        "complete": bool(result.get("complete", True)),
        "fallback": (result.get("placement") or {}).get("fallback"),
    }


def figure(row: Json, mode: str) -> tuple[float | None, float | None, float | None]:
    """The figure of a row that a mode is about, with its interval where there is one.

    Median latency; samples or requests a second; median of the last tenth of a sustained run.
    """
    if mode == "throughput":
        best = (row.get("throughput") or {}).get("best") or {}
        return best.get("per_second"), best.get("low"), best.get("high")
    if mode == "open-loop":
        found = row.get("open_loop") or {}
        return found.get("rate_per_second") if found.get("kept") else None, None, None
    if mode == "sustained":
        return (row.get("sustained") or {}).get("end_ms"), None, None
    return (row.get("latency_ms") or {}).get("p50"), None, None


def compare(before: RunRecord, after: RunRecord) -> dict[str, Any]:
    """Two profiles row by row.

    They were made at different times, so nothing was interleaved: whatever the machine did besides
    is in the ratio. Where both measured the same reference, ``relative`` is the ratio of the two
    ratios to it, which is free of what made the whole machine slower or faster.

    Returns:
        ``before, after`` (lines), ``comparable`` (the same machine in the same state),
        ``differences`` (key, before, after), ``rows`` (``id, before, after`` in the ``unit`` of the
        lines, ``ratio, low, high, margin, verdict, relative``; of times, also where rates were
        measured, so that below 1 is better), ``only_before, only_after``, ``notes``.
    """
    a, b = before.result, after.result
    rows = {row["id"]: row for row in a.get("runs") or ()}
    others = {row["id"]: row for row in b.get("runs") or ()}
    differences = list(_differences(a.get("environment") or {}, b.get("environment") or {}))
    margin = max(_LEAST_MARGIN, _margin(a), _margin(b))
    both = [key for key in rows if key in others]
    mode, other = (str(each.get("mode") or "latency") for each in (a, b))
    found = [_row(rows[key], others[key], mode, margin) for key in both if mode == other]
    reference = str(a.get("reference") or "")
    if reference == b.get("reference"):
        base = next((row["ratio"] for row in found if row["id"] == reference), None)
        for row in found:
            if base and row["ratio"] and row["id"] != reference:
                row["relative"] = row["ratio"] / base
    other_machine = any(key in _MACHINE for key, _, _ in differences)
    return {
        "before": line(before),
        "after": line(after),
        "comparable": not differences and a.get("target") == b.get("target"),
        "differences": [{"key": key, "before": one, "after": two} for key, one, two in differences],
        "rows": found,
        "only_before": [key for key in rows if key not in others],
        "only_after": [key for key in others if key not in rows],
        "notes": [
            *([f"One is of the mode {mode}, the other of {other}."] if mode != other else []),
            *_notes(both, differences, other_machine),
        ],
    }


def document(registry: Registry, run: RunRecord) -> dict[str, Any]:
    """One profile with what belongs to it: its options, sizes and metrics of the variants."""
    chosen = set(run.options.get("models") or ())
    model = next((v.model for v in registry.variants() if v.id == run.variant), None)
    variants = registry.variants(model) if model is not None else []
    values, title = quality(variants)
    return {
        **run.result,
        "run": run.id,
        "at": run.created,
        "options": dict(run.options),
        "model": variants[0].model_name if variants else "",
        "sizes": {str(v.id): v.size for v in variants if v.id in chosen},
        "quality": {
            "title": title,
            "values": {str(key): value for key, value in values.items() if key in chosen},
        },
    }


def quality(variants: Sequence[VariantRecord]) -> tuple[dict[int, float], str]:
    """The metric of each variant by its number, as measured when they were made, and its name."""
    found: dict[int, float] = {}
    title = ""
    for variant in variants:
        metric = (variant.summary.get("quantize") or {}).get("metric")
        if not isinstance(metric, Mapping) or not isinstance(metric.get("after"), int | float):
            continue
        title = str(metric.get("title") or metric.get("name") or "")
        found[variant.id] = float(metric["after"])
        before = metric.get("before")
        if variant.parent is not None and isinstance(before, int | float):
            found.setdefault(variant.parent, float(before))
    return found, title


def _row(one: Json, two: Json, mode: str, margin: float) -> dict[str, Any]:
    before, after = figure(one, mode), figure(two, mode)
    ratio = low = high = None
    if before[0] and after[0]:
        # A rate is the reciprocal of a time.
        ratio = before[0] / after[0] if mode in _RATES else after[0] / before[0]
        times = [[t for t in row.get("round_ms") or () if t > 0] for row in (one, two)]
        if mode == "latency" and min(map(len, times)) >= _LEAST_ROUNDS:
            ratio, low, high = _interval(*times)
        elif all(before) and all(after):
            half = math.hypot(*(_half(each) for each in (before, after)))
            low, high = ratio * math.exp(-half), ratio * math.exp(half)
    return {
        "id": one["id"],
        "before": before[0],
        "after": after[0],
        "ratio": ratio,
        "low": low,
        "high": high,
        "margin": margin,
        "verdict": _verdict(low, high, margin),
        "relative": None,
    }


def _half(found: tuple[Any, Any, Any]) -> float:
    """Half the width of an interval of a rate, as a logarithm."""
    return math.log(found[2] / found[1]) / 2


def _interval(before: Sequence[float], after: Sequence[float]) -> tuple[float, float, float]:
    """Ratio of medians with its interval, from the means of blocks of neighbouring rounds.

    Rounds beside each other share what disturbs them; their blocks (as many as the cube root of
    the square of their number) are nearly independent.
    """
    spread = 0.0
    for times in (before, after):
        logs = [math.log(each) for each in times]
        size = max(1, round(len(logs) ** (1 / 3)))
        blocks = [
            statistics.fmean(logs[start : start + size])
            for start in range(0, len(logs) - size + 1, size)
        ]
        spread += statistics.variance(blocks) / len(blocks) if len(blocks) > 1 else 0.0
    center = math.log(statistics.median(after) / statistics.median(before))
    half = _NORMAL * math.sqrt(spread)
    return math.exp(center), math.exp(center - half), math.exp(center + half)


def _verdict(low: float | None, high: float | None, margin: float) -> str:
    if low is None or high is None:
        return "undecided"
    if high < 1 / (1 + margin):
        return "faster"
    if low > 1 + margin:
        return "slower"
    if low >= 1 / (1 + margin) and high <= 1 + margin:
        return "equal"
    return "undecided"


def _margin(result: Json) -> float:
    return float((result.get("twin") or {}).get("margin") or 0.0)


def _differences(a: Json, b: Json) -> Iterator[tuple[str, Any, Any]]:
    for key in (*_MACHINE, *_SETTINGS):
        if key in a and key in b and a[key] != b[key]:
            yield key, a[key], b[key]


def _notes(
    rows: Sequence[str], differences: Sequence[tuple[str, Any, Any]], other_machine: bool
) -> Iterator[str]:
    if not rows:
        yield "The two have no variant on the same runtime in common."
    elif other_machine:
        yield "They were made on different machines: the ratios compare machines, not variants."
    elif differences:
        keys = ", ".join(key for key, _, _ in differences)
        yield f"The machine was not in the same state ({keys})."
    if rows:
        yield (
            "They were measured at different times, so a ratio holds whatever else the machine did "
            "then; profile both together to be sure."
        )
