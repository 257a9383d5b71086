"""The pace of frames: each in its turn, or in time with the newest winning."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from studio.monitoring.stream.frames import Frame, Source

_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class CapturedFrame:
    """A frame with the moment (``perf_counter``) at which it was there to be answered."""

    frame: Frame
    at: float


def in_turn(source: Source, *, again: bool) -> Iterator[CapturedFrame]:
    """Every frame, each when it is asked for.

    Args:
        again: Begin anew when the source has ended.
    """
    while True:
        for frame in source:
            yield CapturedFrame(frame, time.perf_counter())
        if not again:
            return


class LatestFrames:
    """Frames at a steady pace from a thread of its own; of those that wait only the newest stays.

    Attributes:
        dropped: Frames that a newer one replaced before somebody took them.
    """

    def __init__(self, source: Source, fps: float, *, again: bool) -> None:
        self._source = source
        self._interval = 1.0 / fps
        self._again = again and not source.is_live
        self._waiting: CapturedFrame | None = None
        self._changed = threading.Condition()
        self._ended = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._read, name="frames", daemon=True)
        self.dropped = 0

    def __enter__(self) -> LatestFrames:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        # A camera that hangs in a read may take its own time; the thread is a daemon.
        self._thread.join(2.0)

    def take(self, check: Callable[[], None]) -> Iterator[CapturedFrame]:
        """The newest frame again and again, until the source ends.

        Args:
            check: Called while waiting; may raise.

        Raises:
            InvalidData: when the source could not be read.
        """
        while True:
            with self._changed:
                self._changed.wait_for(self._is_ready, _LOOK_S)
                captured, self._waiting = self._waiting, None
            check()
            if captured is not None:
                yield captured
            elif self._ended.is_set():
                if self._error is not None:
                    raise self._error
                return

    def _is_ready(self) -> bool:
        return self._waiting is not None or self._ended.is_set()

    def _read(self) -> None:
        try:
            self._put_all()
        except BaseException as error:  # it belongs to whoever takes the frames
            self._error = error
        with self._changed:
            self._ended.set()
            self._changed.notify_all()

    def _put_all(self) -> None:
        due = time.perf_counter()
        while True:
            for frame in self._source:
                if not self._source.is_live:
                    due = max(due, time.perf_counter() - self._interval)
                    if self._ended.wait(max(0.0, due - time.perf_counter())):
                        return
                    due += self._interval
                elif self._ended.is_set():
                    return
                self._put(CapturedFrame(frame, time.perf_counter()))
            if not self._again:
                return

    def _put(self, captured: CapturedFrame) -> None:
        with self._changed:
            self.dropped += self._waiting is not None
            self._waiting = captured
            self._changed.notify_all()
