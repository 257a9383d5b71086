"""Parallel streams, each of which starts its next inference when its last one has ended."""

from __future__ import annotations

import gc
import threading
import time
from functools import partial
from typing import Callable, Sequence

from ...shared.threads import guarded_thread
from ..answers import StreamBlock
from .timing import Run

MOST_TIMES = 512
"""Times that a block reports; of more, every so-manieth."""


def run_streams(runs: Sequence[Run], seconds: float) -> StreamBlock:
    """Run all streams at once for some seconds, at least one inference each."""
    made: list[list[int]] = [[] for _ in runs]
    ends = [0] * len(runs)
    gate = threading.Barrier(len(runs) + 1)
    clock = time.perf_counter_ns

    def stream(number: int) -> None:
        run, times = runs[number], made[number]
        gate.wait()
        begin = last = clock()
        deadline = begin + int(seconds * 1e9)
        while last < deadline:
            run()
            now = clock()
            times.append(now - last)
            last = now
        ends[number] = last - begin

    with RestingCollector():
        cpu, begin = in_threads(stream, len(runs), gate)
    wall = clock() - begin
    times = [each for stream_times in made for each in stream_times]
    return StreamBlock(
        count=len(times),
        per_second=sum(len(part) * 1e9 / end for part, end in zip(made, ends)),
        wall_ns=wall,
        cpu_ns=time.process_time_ns() - cpu,
        times_ns=times[:: max(1, -(-len(times) // MOST_TIMES))],
    )


def in_threads(work: Callable[[int], None], count: int, gate: threading.Barrier) -> tuple[int, int]:
    """Do the work once in each of several threads, which pass the gate together with this one.

    Returns:
        CPU time of the process, and the time, both when the gate opened.

    Raises:
        Exception: the first that the work raised.
    """
    failures: list[BaseException] = []

    def failed(error: BaseException) -> None:
        failures.append(error)
        gate.abort()  # the others would wait for this thread for ever

    threads = [
        guarded_thread("stream", partial(work, number), failed, lasts=False)
        for number in range(count)
    ]
    for thread in threads:
        thread.start()
    cpu, begin = time.process_time_ns(), time.perf_counter_ns()
    try:
        gate.wait()
    except threading.BrokenBarrierError:
        pass
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return cpu, begin


class RestingCollector:
    """Pause of the garbage collector: its stalls are the harness's, not the model's."""

    def __enter__(self) -> None:
        self._was = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._was:
            gc.enable()
