"""Processor time and memory of the processes below one, noted by a process that stands aside.

Run as a program it takes a process id, writes a line a sample, and ends with its input.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

INTERVAL_S = 0.02
_TICK = os.sysconf("SC_CLK_TCK")


class Tree:
    """The processes below this one, while the context lasts.

    Attributes:
        samples: ``time.monotonic()``, seconds of processor time so far, and the most memory that
            any one of them had so far, in MB.
    """

    def __enter__(self) -> Tree:
        self.samples: list[tuple[float, float, float]] = []
        self._watcher = subprocess.Popen(
            [sys.executable, __file__, str(os.getpid())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._watcher.stdout is not None
        self._watcher.stdout.readline()
        return self

    def __exit__(self, *_: object) -> None:
        out, _ = self._watcher.communicate()
        self.samples = [tuple(json.loads(line)) for line in out.splitlines()]

    def cpu_between(self, start: float, end: float) -> float:
        """Seconds of processor time between two moments of ``time.monotonic()``."""
        return self._at(end)[1] - self._at(start)[1]

    def peak_mb(self) -> float:
        """The most memory that any one process had."""
        return max((sample[2] for sample in self.samples), default=0.0)

    def _at(self, moment: float) -> tuple[float, float, float]:
        before = [sample for sample in self.samples if sample[0] <= moment]
        return before[-1] if before else (moment, 0.0, 0.0)


def own_peak_mb() -> float:
    """The most memory that this process had."""
    return _status("self")["VmHWM"] / 1024


def _below(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in map(int, children):
            yield child
            yield from _below(child)


def _status(pid: object) -> dict[str, int]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    pairs = (line.split(":") for line in lines if line.endswith(" kB"))
    return {name: int(value.split()[0]) for name, value in pairs}


def _look(pid: int) -> dict[str, Any]:
    text = Path(f"/proc/{pid}/stat").read_text()
    fields = text.rpartition(")")[2].split()
    return {
        "cpu": (int(fields[11]) + int(fields[12])) / _TICK,
        "peak": _status(pid).get("VmHWM", 0) / 1024,
    }


def watch(pid: int) -> None:
    """Write a line a sample until the input ends."""
    cpu: dict[int, float] = {}
    peak = 0.0
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], INTERVAL_S)[0]:
        for child in _below(pid):
            if child == os.getpid():
                continue
            try:
                seen = _look(child)
            except (OSError, IndexError, ValueError):
                continue  # it has ended
            cpu[child], peak = seen["cpu"], max(peak, seen["peak"])
        print(json.dumps((time.monotonic(), round(sum(cpu.values()), 3), round(peak, 1))))
    sys.stdout.flush()


if __name__ == "__main__":
    watch(int(sys.argv[1]))
