"""A meter of the moments in which an event loop does not answer."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType

from PySide6.QtCore import QEventLoop, QObject, Qt, QTimer

BEAT_MS = 2
LATE_S = 0.02
"""A beat that is so late is looked into."""


@dataclass(frozen=True, slots=True)
class Stall:
    """The longest time in which nothing could be answered.

    Attributes:
        wall: Seconds between two turns of the event loop.
        processor: Seconds that the window's own thread computed meanwhile. The rest was waiting:
            for the interpreter's lock, or for a processor that another program had.
        where: What the thread was seen at most often meanwhile; empty where nobody looked.
    """

    wall: float = 0.0
    processor: float = 0.0
    where: str = ""

    def to_json(self) -> dict[str, object]:
        """In milliseconds."""
        wall, processor = round(1e3 * self.wall, 1), round(1e3 * self.processor, 1)
        return {"wall_ms": wall, "cpu_ms": processor, "where": self.where}


class StallMeter(QObject):
    """Listens to a heart that beats in the window's own event loop.

    All that one turn of the loop works off (posted events, timers, painting) counts as one stall,
    because a key that is pressed meanwhile has to wait for all of it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._worst = self._longest = Stall()
        self._beat = QTimer(self, interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._listen)
        self._last = (time.perf_counter(), time.thread_time())
        self._seen: Counter[str] = Counter()
        self._thread = threading.get_ident()
        self._watching = False

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
        self._worst = self._longest = Stall()
        self._last = (time.perf_counter(), time.thread_time())
        self._watching = True
        threading.Thread(target=self._watch, daemon=True).start()
        self._beat.start()
        QTimer.singleShot(0, action)
        began = self._last[0]
        self._turn(loop, settle)
        while not done():
            if time.perf_counter() - began > limit:
                raise TimeoutError("The action did not come to its end.")
            self._turn(loop, settle)
        self._beat.stop()
        self._watching = False
        return self._worst

    @property
    def longest_computed(self) -> Stall:
        """Of the last ``during`` the turn in which the window's own thread computed longest.

        On a machine that other programs keep busy it says more than the worst one.
        """
        return self._longest

    @staticmethod
    def _turn(loop: QEventLoop, seconds: float) -> None:
        QTimer.singleShot(round(1000 * seconds), loop.quit)
        loop.exec()

    def _listen(self) -> None:
        now = (time.perf_counter(), time.thread_time())
        wall, processor = now[0] - self._last[0] - BEAT_MS / 1000, now[1] - self._last[1]
        self._last = now
        seen, self._seen = self._seen, Counter()
        where = seen.most_common(1)[0][0] if seen else ""
        stall = Stall(wall, processor, where)
        if wall > self._worst.wall:
            self._worst = stall
        if processor > self._longest.processor:
            self._longest = stall

    def _watch(self) -> None:
        """Look, from a thread of its own, at what the window does while its heart is late."""
        while self._watching:
            time.sleep(LATE_S / 4)
            if time.perf_counter() - self._last[0] > LATE_S:
                self._seen[_place(self._thread)] += 1


def _place(thread: int) -> str:
    """The innermost lines of the studio that a thread is at."""
    lines: list[tuple[CodeType, int]] = []
    frame = sys._current_frames().get(thread)
    while frame is not None:  # quickly: whoever holds a frame keeps its painter from ending
        lines.append((frame.f_code, frame.f_lineno))
        frame = frame.f_back
    own = [(code, line) for code, line in lines if "/studio/" in code.co_filename][:3]
    texts = [
        f"{code.co_filename.rpartition('/studio/')[2]}:{line} {code.co_name}" for code, line in own
    ]
    return " < ".join(texts) or "Qt"
