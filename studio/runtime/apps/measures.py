"""Measurements of a running app: frames a second, and the time of each stage."""

from __future__ import annotations

import time
from collections import deque
from typing import Deque, Dict, List, Optional

_KEPT = 512
_RATE_S = 10.0


class StageTimes:
    """Times of one stage: of all frames together, and of the latest ones."""

    def __init__(self) -> None:
        self.count = 0
        self.total_s = 0.0
        self._latest: Deque[float] = deque(maxlen=_KEPT)

    def add(self, seconds: float) -> None:
        """Count one frame."""
        self.count += 1
        self.total_s += seconds
        self._latest.append(seconds)

    def percentile_ms(self, share: float) -> Optional[float]:
        """Return a percentile of the latest frames in milliseconds; None before the first."""
        ordered = sorted(self._latest)
        if not ordered:
            return None
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3, 3)

    def to_json(self) -> Dict[str, object]:
        """Return it as plain data, in milliseconds."""
        mean = self.total_s / self.count * 1e3 if self.count else 0.0
        return {
            "frames": self.count,
            "mean": round(mean, 3),
            "p50": self.percentile_ms(0.5),
            "p95": self.percentile_ms(0.95),
        }


class Rate:
    """Frames a second over the latest seconds."""

    def __init__(self) -> None:
        self._times: Deque[float] = deque(maxlen=_KEPT)

    def add(self, now: float) -> None:
        """Count one frame."""
        self._times.append(now)

    def value(self, now: Optional[float] = None) -> float:
        """Return the frames a second."""
        now = time.monotonic() if now is None else now
        # A copy: the thread that counts may add to it at any moment.
        recent: List[float] = [one for one in tuple(self._times) if now - one <= _RATE_S]
        if len(recent) < 2:
            return 0.0
        return round((len(recent) - 1) / max(recent[-1] - recent[0], 1e-6), 2)
