"""The remaining time of a job, estimated from its latest progress, not from its whole past."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from studio.gui import figures

if TYPE_CHECKING:
    from studio.workspace import RunningJob

WINDOW_S = 20.0
SURE_AFTER_S = 2.0
"""Seconds of progress before the time that is left is estimated."""

_AGREE = 2.0
"""Largest ratio of the early and the late rate in the window; beyond it nothing is shown."""

_LEAST = 4
_OWN_WORDS = (" left", " left.")


class TimeLeft:
    """An estimate for one job, fed whenever it is shown.

    Loading, warm-up and the work itself take a share of the bar each and have rates of their own.
    A rate over all of them would promise seconds where minutes are left.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._points: deque[tuple[float, float]] = deque()

    def seconds(self, done: float, total: float) -> float | None:
        """Return the seconds that are left; None while they cannot be estimated."""
        now = self._clock()
        if total <= 0:
            return None
        share = min(done / total, 1.0)
        if self._points and share < self._points[-1][1]:
            self._points.clear()  # another phase counts from its own beginning
        if not self._points or share > self._points[-1][1]:
            self._points.append((now, share))
        while len(self._points) > _LEAST and now - self._points[0][0] > WINDOW_S:
            self._points.popleft()
        return self._estimate(now, share)

    def text(self, job: RunningJob) -> str:
        """Return it for people: ``1 min 10 s left``; empty where the job's own text has it."""
        left = self.seconds(job.state.done, job.state.total)
        if left is None or job.state.text.endswith(_OWN_WORDS):
            return ""
        return f"about {figures.seconds(max(round(left), 1))} left"

    def _estimate(self, now: float, share: float) -> float | None:
        points = self._points
        if len(points) < _LEAST or now - points[0][0] < SURE_AFTER_S or share >= 1.0:
            return None
        begin, middle = points[0], points[len(points) // 2]
        early = (middle[1] - begin[1]) / max(middle[0] - begin[0], 1e-6)
        late = (share - middle[1]) / max(now - middle[0], 1e-6)
        if late <= 0 or not 1 / _AGREE <= early / late <= _AGREE:
            return None
        return (1.0 - share) / late
