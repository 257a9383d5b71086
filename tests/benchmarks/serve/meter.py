"""Memory and open files of a server over time, and how surely they grow."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Sequence

import numpy as np

from tests.benchmarks.serve.processes import Server, tree

HOUR_S = 3600.0


class Meter:
    """Memory and open files of a server over time.

    Attributes:
        samples: Seconds since the start, bytes, open files.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self.samples: list[tuple[float, float, int]] = []

    def files(self) -> int:
        """Open files of all its processes."""
        count = 0
        for pid in tree(self._server.pid):
            with contextlib.suppress(OSError):
                count += len(os.listdir(f"/proc/{pid}/fd"))
        return count

    async def run(self, start: float, end: float) -> None:
        """Look until the end."""
        every = min(10.0, max(0.25, (end - start) / 240))
        while (now := time.perf_counter()) < end:
            self.samples.append((now - start, self._server.memory() * 1e6, self.files()))
            await asyncio.sleep(every)

    def memory(self, seconds: float) -> dict[str, float]:
        """The slope after a fifth of the time, in which buffers and caches find their size."""
        settled = [sample for sample in self.samples if sample[0] > seconds / 5]
        found, low, high = slope([one[0] for one in settled], [one[1] for one in settled])
        measured = settled[-1][0] - settled[0][0]
        return {
            "first_mb": round(settled[0][1] / 1e6, 2),
            "last_mb": round(settled[-1][1] / 1e6, 2),
            "samples": len(settled),
            "slope_bytes_per_hour": round(found * HOUR_S),
            "low": round(low * HOUR_S),
            "high": round(high * HOUR_S),
            "sure_growth_mb": round(max(0.0, low) * measured / 1e6, 3),
        }


def slope(times: Sequence[float], values: Sequence[float]) -> tuple[float, float, float]:
    """Least-squares slope a second, and its 95 % interval.

    The interval is a moving-block bootstrap of the residuals: neighbouring samples of a process's
    memory are alike, and a plain interval would be far too narrow.
    """
    x, y = np.asarray(times), np.asarray(values)
    x = x - x.mean()
    weights = x / (x @ x)
    found = float(weights @ y)
    rest = y - y.mean() - found * x
    block = max(1, len(x) // 8)
    generator = np.random.default_rng(0)
    starts = generator.integers(0, len(x) - block + 1, (1000, -(-len(x) // block)))
    drawn = (starts[:, :, None] + np.arange(block)).reshape(len(starts), -1)[:, : len(x)]
    low, high = np.percentile(found + rest[drawn] @ weights, [2.5, 97.5])
    return found, float(low), float(high)
