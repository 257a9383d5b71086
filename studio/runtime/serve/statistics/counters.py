"""Counts and latencies of a served model, in memory that does not grow with the traffic."""

from __future__ import annotations

import struct
import time
from typing import Dict, List, NamedTuple, Optional

import numpy as np

from .batch_sizes import BatchStatistics
from .buckets import BUCKETS, buckets_of, percentile
from .speed_monitor import SpeedMonitor

HISTOGRAM_BOUNDS_S = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip

REASONS = ("BAD_REQUEST", "REJECTED", "CANCELED", "BACKEND")
"""Why a request got no inference: the client's mistake, a full queue, a client that left, or us."""


_NOTED = 2048
"""Answers that are noted before they are counted: counting many at once costs less of each, and
what it costs then is met by one client of some hundreds."""
_RECORD = struct.Struct("9d")
"""What is noted of an answer: a float of its own for each would take twice the memory."""
_pack = _RECORD.pack


class LatencyWindow:
    """Latencies of the last ``slots * slot_s`` seconds: a ring of bucket counts."""

    def __init__(self, slots: int = 12, slot_s: float = 5.0) -> None:
        self._slot_s = slot_s
        self._counts = np.zeros((slots, BUCKETS), np.int64)
        self._epochs = np.full(slots, -1, np.int64)

    def record(self, now: np.ndarray, seconds: np.ndarray) -> None:
        """Count latencies.

        Args:
            now: A monotonic clock at the end of each, in seconds.
        """
        epochs = (now / self._slot_s).astype(np.int64)
        buckets = buckets_of(seconds)
        for epoch in np.unique(epochs):
            slot = epoch % len(self._epochs)
            if self._epochs[slot] != epoch:
                self._epochs[slot] = epoch
                self._counts[slot] = 0
            self._counts[slot] += np.bincount(buckets[epochs == epoch], minlength=BUCKETS)

    def counts(self, now: float) -> List[int]:
        """Bucket counts over the whole window."""
        oldest = int(now / self._slot_s) - len(self._epochs) + 1
        counts: List[int] = self._counts[self._epochs >= oldest].sum(axis=0).tolist()
        return counts


class RateWindow:
    """Events a second over the last few whole seconds."""

    def __init__(self, seconds: int = 10) -> None:
        self._counts = [0] * (seconds + 1)
        self._epochs = [-1] * (seconds + 1)

    def record(self, now: np.ndarray) -> None:
        """Count events."""
        epochs, counts = np.unique(now.astype(np.int64), return_counts=True)
        for epoch, count in zip(epochs.tolist(), counts.tolist()):
            slot = epoch % len(self._epochs)
            if self._epochs[slot] != epoch:
                self._epochs[slot] = epoch
                self._counts[slot] = 0
            self._counts[slot] += count

    def rate(self, now: float, age: float) -> float:
        """Events a second.

        Args:
            age: Seconds since counting began; a young window divides by less.
        """
        epoch = int(now)
        span = len(self._epochs) - 1
        whole = sum(c for c, e in zip(self._counts, self._epochs) if epoch - span <= e < epoch)
        if age >= span:
            return whole / span
        return sum(c for c, e in zip(self._counts, self._epochs) if e >= 0) / max(age, 1.0)


class Timing(NamedTuple):
    """Time of one request by phase, in seconds."""

    queue: float
    compute_input: float
    compute_infer: float
    compute_output: float
    total: float


class ModelStatistics:
    """Counters of one served version, used in the event loop's thread alone.

    Answers are recorded one by one and counted many at once: a reader calls ``settle`` first.

    Attributes:
        pace: Compares its runs with the baseline; None without a speed monitor.
    """

    def __init__(self, now: float) -> None:
        self.began = now
        self.success = 0
        self.failures: Dict[str, int] = {}
        self.inferences = 0
        self.executions = 0
        self.batches = BatchStatistics()
        self.in_flight = 0
        self.last_inference_ms = 0
        self.totals_s = Timing(0.0, 0.0, 0.0, 0.0, 0.0)
        self.failed_s = 0.0
        self.histogram = np.zeros(len(HISTOGRAM_BOUNDS_S) + 1, np.int64)
        self.latencies = np.zeros(BUCKETS, np.int64)
        self.window = LatencyWindow()
        self.rate = RateWindow()
        self.pace: Optional[SpeedMonitor] = None
        self._noted: List[bytes] = []

    @property
    def errors(self) -> int:
        """Requests that the server failed; what clients got wrong or left is not among them."""
        return self.failures.get("BACKEND", 0) + self.failures.get("REJECTED", 0)

    @property
    def failed(self) -> int:
        """Requests that were not answered with an inference, by any fault."""
        return sum(self.failures.values())

    @property
    def requests(self) -> int:
        """All inference requests that were answered."""
        return self.success + self.failed

    def succeeded(
        self,
        queue: float,
        compute_input: float,
        compute_infer: float,
        compute_output: float,
        now: float,
        batch: int,
        executions: int = 1,
        rows: int = 0,
        size: int = 0,
    ) -> None:
        """Note an answered request: where its time went, in seconds.

        Args:
            now: A monotonic clock.
            batch: Number of samples in it.
            executions: 0 when it shared a run of the model that another request counts.
            rows: In each of its runs, with those of others; 0 when there are no others.
            size: Bytes of its inputs.
        """
        noted = self._noted
        record = _pack(
            queue,
            compute_input,
            compute_infer,
            compute_output,
            now,
            batch,
            executions,
            rows or batch,
            size,
        )
        noted.append(record)
        if len(noted) >= _NOTED:
            self.settle()

    def settle(self) -> None:
        """Count what was noted."""
        if not self._noted:
            return
        table = np.frombuffer(b"".join(self._noted)).reshape(-1, _RECORD.size // 8)
        self._noted.clear()
        parts, now = table[:, :4], table[:, 4]
        total = parts.sum(axis=1)
        self.success += len(table)
        self.inferences += int(table[:, 5].sum())
        self.executions += int(table[:, 6].sum())
        led = table[table[:, 6] > 0]
        self.batches.record(led[:, 7], led[:, 6], led[:, 1:4])
        if self.pace is not None:
            # A request that took its rows one by one had as many runs of the same size.
            rows = led[:, 7] * led[:, 6]
            sizes = led[:, 8] / np.maximum(led[:, 5], 1.0)
            self.pace.runs.record(led[:, 4], led[:, 2], rows, led[:, 0], sizes)
        self.last_inference_ms = int(1000 * (time.time() - time.monotonic() + now[-1]))
        sums = [*parts.sum(axis=0).tolist(), float(total.sum())]
        self.totals_s = Timing(*[old + new for old, new in zip(self.totals_s, sums)])
        places = np.searchsorted(HISTOGRAM_BOUNDS_S, total)
        self.histogram += np.bincount(places, minlength=len(self.histogram))
        self.latencies += np.bincount(buckets_of(total), minlength=BUCKETS)
        self.window.record(now, total)
        self.rate.record(now)

    def failed_because(self, reason: str, seconds: float) -> None:
        """Count a failure by one of ``REASONS``."""
        self.failures[reason] = self.failures.get(reason, 0) + 1
        self.failed_s += seconds

    def latency_ms(self, now: float) -> Dict[str, float]:
        """Percentiles over the last minute."""
        counts = self.window.counts(now)
        result: Dict[str, float] = {"count": sum(counts)}
        for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
            result[name] = round(percentile(counts, share) * 1000.0, 4)
        return result
