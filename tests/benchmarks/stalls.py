"""A meter of the moments in which an event loop does not answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEventLoop, QObject, Qt, QTimer

BEAT_MS = 2


@dataclass(frozen=True, slots=True)
class Stall:
    """The longest time in which nothing could be answered.

    Attributes:
        wall: Seconds between two turns of the event loop.
        processor: Seconds that the window's own thread computed meanwhile. The rest was waiting:
            for the interpreter's lock, or for a processor that another program had.
    """

    wall: float = 0.0
    processor: float = 0.0


class StallMeter(QObject):
    """Listens to a heart that beats in the window's own event loop.

    All that one turn of the loop works off (posted events, timers, painting) counts as one stall,
    because a key that is pressed meanwhile has to wait for all of it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._worst = Stall()
        self._beat = QTimer(self, interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._listen)
        self._last = (time.perf_counter(), time.thread_time())

    def during(
        self,
        action: Callable[[], object],
        done: Callable[[], bool] = lambda: True,
        *,
        settle: float = 0.3,
        limit: float = 60.0,
    ) -> Stall:
        """The worst stall from an action until it is done and ``settle`` seconds have passed.

        Raises:
            TimeoutError: when it is not done after ``limit`` seconds.
        """
        loop = QEventLoop()
        self._worst = Stall()
        self._last = (time.perf_counter(), time.thread_time())
        self._beat.start()
        QTimer.singleShot(0, action)
        began = self._last[0]
        self._turn(loop, settle)
        while not done():
            if time.perf_counter() - began > limit:
                raise TimeoutError("The action did not come to its end.")
            self._turn(loop, settle)
        self._beat.stop()
        return self._worst

    @staticmethod
    def _turn(loop: QEventLoop, seconds: float) -> None:
        QTimer.singleShot(round(1000 * seconds), loop.quit)
        loop.exec()

    def _listen(self) -> None:
        now = (time.perf_counter(), time.thread_time())
        stall = Stall(now[0] - self._last[0] - BEAT_MS / 1000, now[1] - self._last[1])
        self._last = now
        if stall.wall > self._worst.wall:
            self._worst = stall
