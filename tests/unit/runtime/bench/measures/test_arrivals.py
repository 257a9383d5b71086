"""Requests that come by themselves: the schedule, and latency from when a request was due."""

from __future__ import annotations

import time

import numpy
import pytest

from studio.runtime.bench.measures.arrivals import schedule, serve
from studio.runtime.bench.measures.streams import run_streams


def test_gaps_are_exponential_and_the_seed_decides():
    due = schedule(1000.0, 20000, seed=3)
    gaps = numpy.diff(due)
    assert numpy.mean(gaps) == pytest.approx(1e6, rel=0.03)
    assert numpy.std(gaps) == pytest.approx(1e6, rel=0.05)
    assert (schedule(1000.0, 50, seed=3) == due[:50]).all()
    assert (schedule(1000.0, 50, seed=4) != due[:50]).any()


def plan(rate: float, count: int, **more: int) -> dict[str, object]:
    return {
        "rate": rate,
        "count": count,
        "seed": 1,
        "limit_ns": 50_000_000,
        "most_over": 10**9,
    } | more


def test_a_stall_makes_all_late_that_were_due_meanwhile():
    """A bench that waits for its last answer would see one slow request (coordinated omission)."""
    calls = iter(range(10**6))

    def run() -> None:
        if next(calls) == 20:
            time.sleep(0.4)

    told = serve([run], **plan(rate=200.0, count=120))
    late = sum(each > 50_000_000 for each in told.latency_ns)
    assert told.over == late
    assert late > 40  # some 70 are due while it stalls
    assert told.waiting_most > 40
    assert not told.aborted


def test_more_streams_answer_while_one_stalls():
    calls = iter(range(10**6))

    def run() -> None:
        if next(calls) == 20:
            time.sleep(0.4)

    alone = serve([run], **plan(rate=200.0, count=100)).over
    calls = iter(range(10**6))
    assert serve([run, run], **plan(rate=200.0, count=100)).over < alone


def test_it_ends_early_beyond_hope():
    told = serve([lambda: time.sleep(0.02)], **plan(500.0, 400, most_over=5, limit_ns=30_000_000))
    assert told.aborted
    assert len(told.latency_ns) < 400


def test_a_failing_stream_fails_the_whole():
    def fail() -> None:
        raise RuntimeError("no kernel")

    with pytest.raises(RuntimeError, match="no kernel"):
        serve([fail], **plan(500.0, 10))
    with pytest.raises(RuntimeError, match="no kernel"):
        run_streams([fail, lambda: None], 0.05)


def test_streams_run_at_once():
    one = run_streams([lambda: time.sleep(0.02)], 0.4)
    four = run_streams([lambda: time.sleep(0.02)] * 4, 0.4)
    assert four.per_second > 2 * one.per_second
    assert one.count == len(one.times_ns)
    assert four.cpu_ns < four.wall_ns
