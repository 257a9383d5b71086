"""Open-loop requests: Poisson arrivals, latency counted from the time when each was due."""

from __future__ import annotations

import itertools
import threading
import time
from typing import Sequence

import numpy

from ..answers import ArrivalBlock
from ..arrays import Array
from .streams import RestingCollector, in_threads
from .timing import Run

SPIN_NS = 200_000
"""The last part of a wait is spent awake: a sleeper wakes up some 60 us late."""

BLOCKS = 20
"""Blocks of consecutive requests, whose counts tell how much late ones come together."""


def schedule(rate: float, count: int, seed: int) -> Array:
    """Return due times in ns: the gaps of a Poisson process are exponential."""
    gaps = numpy.random.RandomState(seed).exponential(1e9 / rate, count)
    return numpy.cumsum(gaps).astype(numpy.int64)


def serve(
    runs: Sequence[Run], rate: float, count: int, seed: int, limit_ns: int, most_over: int
) -> ArrivalBlock:
    """Answer requests in the order they come, each by the first stream that is free.

    A request that is due while all streams are busy waits, and its wait counts: a bench that
    starts the next request only when the last one has ended would leave it out (coordinated
    omission). It ends early once more than ``most_over`` requests took longer than the limit.
    """
    due = [int(each) for each in schedule(rate, count, seed)]
    latency = [0] * count
    delay = [-1] * count
    waiting = [0] * count
    turn = itertools.count()  # next() of it is one step: no two streams take the same request
    over = [0] * len(runs)
    gate = threading.Barrier(len(runs) + 1)
    clock = time.perf_counter_ns
    origin = clock() + 5_000_000

    def stream(number: int) -> None:
        run = runs[number]
        gate.wait()
        for index in iter(lambda: next(turn), None):
            if index >= count or sum(over) > most_over:
                return
            at = origin + due[index]
            early = clock() < at
            _wait_until(at)
            begin = clock()
            run()
            end = clock()
            latency[index] = end - at
            if early:
                delay[index] = begin - at
            else:
                waiting[index] = begin - origin
            over[number] += latency[index] > limit_ns

    with RestingCollector():
        in_threads(stream, len(runs), gate)
    answered = [index for index in range(count) if latency[index]]
    return ArrivalBlock(
        due_ns=[due[index] for index in answered],
        latency_ns=[latency[index] for index in answered],
        over=sum(over),
        start_delay_ns=[each for each in delay if each >= 0],
        waiting_most=_most_waiting(due, waiting),
        aborted=len(answered) < count,
    )


def _wait_until(at: int) -> None:
    left = at - time.perf_counter_ns()
    if left > SPIN_NS:
        time.sleep((left - SPIN_NS) / 1e9)
    while time.perf_counter_ns() < at:
        pass


def _most_waiting(due: Sequence[int], begun: Sequence[int]) -> int:
    """Return the most requests that were due and not started, at the start of a late one."""
    most = 0
    for index, begin in enumerate(begun):
        if begin:
            arrived = int(numpy.searchsorted(due, begin, side="right"))
            most = max(most, arrived - index)
    return most
