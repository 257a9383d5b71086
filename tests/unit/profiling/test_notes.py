"""What is said about a doubtful measurement, and that a good one gets no note."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from studio.profiling.build import notes
from studio.profiling.results import ProfileResult, ProfileRun, TwinControl
from studio.runtime.bench.facts import InputFeed, Percentiles, WarmUp


def result(**changes: Any) -> ProfileResult:
    run = ProfileRun(
        "net:fp32",
        warm_up=WarmUp(9, stable=True, median_ns=1),
        latency_ms=Percentiles(10.0),
        cpu_ms=9.9,
        threads=1,
        device="cpu",
    )
    run = replace(run, **changes.pop("run", {}))
    feeds = (InputFeed("x", "float32", (1, 3, 8, 8), (0,)),)
    return replace(ProfileResult(runs=(run,), rounds=40, feeds=feeds, twin=twin(0.03)), **changes)


def twin(margin: float) -> TwinControl:
    return TwinControl(1.0, 1.0, 1.0, 0.95, margin)


def test_a_good_measurement_needs_none():
    assert notes(result()) == []
    assert notes(result(twin=None, run={"warm_up": None, "cpu_ms": None})) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"interruption": "The link broke."}, "ended after 40 rounds: The link broke."),
        ({"spoiled_kept": True, "spoiled_reasons": {"stolen time": 30}}, "(stolen time)"),
        ({"twin": twin(0.25)}, "by up to 25%"),
        ({"run": {"warm_up": WarmUp(9, stable=False, median_ns=1)}}, "did not settle"),
        ({"run": {"cpu_ms": 5.0}}, "net:fp32 waited for it 50% of the time"),
        (
            {"feeds": (InputFeed("x", "float32", (1, 3, 224, 224), (0, 2, 3)),)},
            "1x3x224x224 was assumed",
        ),
    ],
)
def test_a_doubtful_one_says_why(changes, said):
    [note] = notes(result(**changes))
    assert said in note


def test_several_threads_may_use_more_or_less_than_the_wall_time():
    assert notes(result(run={"threads": 4, "cpu_ms": 3.0})) == []
