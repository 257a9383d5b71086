"""The turns of the event loop: how long the window did not look at what a user does."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, QTimer

SLOW_MS = 100
_TICK_MS = 5


class TurnMeter(QObject):
    """A ticking timer; a tick that comes late was held up by a turn that took so long.

    Attributes:
        wall, cpu: Milliseconds of each turn, and what of them the thread computed. On a loaded
            machine the first is longer than the second, and no fault of the window.
        slow: The long turns, each with what was done just before.
    """

    def __init__(self) -> None:
        super().__init__()
        self.wall: list[float] = []
        self.cpu: list[float] = []
        self.slow: list[tuple[float, float, str]] = []
        self._after = ""
        self._last = self._now()
        self._timer = QTimer(self, interval=_TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def begin(self, what: str) -> None:
        """Begin a turn now, with something that is done: looking for it was no turn."""
        self._after = what
        self._last = self._now()

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.perf_counter(), time.thread_time()

    def _tick(self) -> None:
        now = self._now()
        wall, cpu = ((one - before) * 1e3 for one, before in zip(now, self._last, strict=True))
        self.wall.append(wall)
        self.cpu.append(cpu)
        if cpu > SLOW_MS:
            self.slow.append((round(wall, 1), round(cpu, 1), self._after))
        self._last = now


def distribution(values: list[float]) -> dict[str, float]:
    """Return quantiles of milliseconds, the longest, and how many are beyond 50 and 250."""
    ordered = sorted(values) or [0.0]
    found = {
        f"p{share * 100:g}": round(ordered[min(int(len(ordered) * share), len(ordered) - 1)], 1)
        for share in (0.5, 0.9, 0.99, 0.999)
    }
    beyond = {f"over_{limit}_ms": sum(value > limit for value in values) for limit in (50, 250)}
    return {"turns": len(values), **found, "longest": round(ordered[-1], 1), **beyond}
