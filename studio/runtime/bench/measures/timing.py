"""The timed loops, which run in the candidate's process."""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import dataclass
from typing import Callable

from ..facts import WarmUp

Run = Callable[[], object]

STABLE_SPREAD = 0.05
"""Warm-up ends when the medians of its last three batches lie within 5 % of each other."""

BATCH_SECONDS = 0.02
"""A batch of the warm-up lasts at least so long, so that its median means something."""


@dataclass(frozen=True)
class Block:
    """Consecutive inferences of one candidate: each one's wall time, and the sums."""

    times_ns: list[float]
    wall_ns: float
    cpu_ns: float


def measure(run: Run, runs: int, settle: int = 0) -> Block:
    """Time inferences one by one, after some that are not timed.

    The untimed ones refill the caches that the other candidates took, and outlast the threads
    of another runtime that still spin. The garbage collector is paused: its stalls are
    the harness's, not the model's. CPU time is that of all threads of this process.
    """
    for _ in range(settle):
        run()
    clock = time.perf_counter_ns
    times: list[float] = []
    collecting = gc.isenabled()
    gc.disable()
    try:
        cpu = time.process_time_ns()
        begin = clock()
        for _ in range(runs):
            start = clock()
            run()
            times.append(clock() - start)
        wall = clock() - begin
        cpu = time.process_time_ns() - cpu
    finally:
        if collecting:
            gc.enable()
    return Block(times, wall, cpu)


def warm_up(run: Run, seconds: float) -> WarmUp:
    """Run until the times are stable, or the time is up."""
    deadline = time.monotonic() + seconds
    medians: list[float] = []
    size = 1
    runs = 0
    while True:
        block = measure(run, size)
        runs += size
        medians.append(statistics.median(block.times_ns))
        last = medians[-3:]
        stable = len(last) == 3 and max(last) <= min(last) * (1 + STABLE_SPREAD)
        full = block.wall_ns >= BATCH_SECONDS * 1e9 * 0.5
        if (stable and full) or time.monotonic() >= deadline:
            return WarmUp(runs, stable, int(medians[-1]))
        if not full:
            size = min(size * 2, 4096)
            medians = medians[-1:]
