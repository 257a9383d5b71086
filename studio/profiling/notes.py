"""What a reader of a profile should know before believing it, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from studio.profiling.modes import sentences
from studio.runtime.bench.statistics.verdicts import WIDEST_EQUAL

_WAITING = 0.2
"""A single thread that is off the processor for more of its time was disturbed."""


def notes(result: Mapping[str, Any]) -> list[str]:
    """The sentences, the gravest first.

    Args:
        result: As ``results.build`` makes it.
    """
    return [
        *_incomplete(result),
        *sentences(result),
        *_noise(result),
        *_waiting(result),
        *_assumed(result),
    ]


def _incomplete(result: Mapping[str, Any]) -> Iterator[str]:
    if result["interruption"]:
        reason = str(result["interruption"]).rstrip(".")
        yield f"The measurement ended after {result['rounds']} rounds: {reason}."


def _noise(result: Mapping[str, Any]) -> Iterator[str]:
    if result["spoiled_kept"]:
        reasons = ", ".join(result["spoiled_reasons"])
        yield f"The machine was never quiet ({reasons}), so the spoiled rounds were kept."
    twin = result["twin"]
    if twin is not None and twin["margin"] > WIDEST_EQUAL:
        yield (
            f"The reference differed from itself by up to {twin['margin']:.0%}, "
            "so nothing was called equal."
        )
    for run in result["runs"]:
        if run["warm_up"] and not run["warm_up"]["stable"]:
            yield f"The times of {run['id']} did not settle during the warm-up."


def _waiting(result: Mapping[str, Any]) -> Iterator[str]:
    for run in result["runs"]:
        wall, cpu = run["latency_ms"]["p50"], run["cpu_ms"]
        if run["threads"] == 1 and run["device"] == "cpu" and wall and cpu:
            share = 1 - cpu / wall
            if share > _WAITING:
                yield f"The machine was busy: {run['id']} waited for it {share:.0%} of the time."


def _assumed(result: Mapping[str, Any]) -> Iterator[str]:
    for each in result["feeds"]:
        if any(axis > 0 for axis in each["assumed"]):
            shape = "x".join(map(str, each["shape"]))
            yield (
                f"The model leaves the size of {each['name']} open; {shape} was assumed. "
                f"Give the real one: --shapes {each['name']}=..."
            )
