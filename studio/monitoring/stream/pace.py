"""The pace of frames: every frame in order, or the newest at a steady rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from studio.lazy_dataclass import dataclass
from studio.monitoring.stream.frames import Frame, Source

_CHECK_S = 0.05


@dataclass(frozen=True, slots=True)
class CapturedFrame:
    """A frame with the time (``perf_counter``) at which it was captured."""

    frame: Frame
    at: float


def in_turn(source: Source, *, again: bool) -> Iterator[CapturedFrame]:
    """Yield every frame in order, without dropping any.

    Args:
        again: Start again when the source has ended.
    """
    while True:
        for frame in source:
            yield CapturedFrame(frame, time.perf_counter())
        if not again:
            return


class LatestFrames:
    """Frames at a steady rate from a thread; only the newest waiting frame is kept.

    Args:
        most: Number of frames after which the source counts as ended; 0 for all.

    Attributes:
        dropped: Number of frames that a newer one replaced before they were sent.
    """

    def __init__(self, source: Source, fps: float, *, again: bool, most: int = 0) -> None:
        self._source = source
        self._most = most
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
        # A camera may hang in a read: do not wait longer for the daemon thread.
        self._thread.join(2.0)

    def frames(self, check: Callable[[], None]) -> Iterator[CapturedFrame]:
        """Yield the newest frame repeatedly, until the source ends.

        Args:
            check: Called while waiting; may raise an error.

        Raises:
            InvalidData: when the source could not be read.
        """
        while True:
            with self._changed:
                self._changed.wait_for(self._is_ready, _CHECK_S)
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
            self._offer_all()
        except BaseException as error:  # raised again by the thread that receives the frames
            self._error = error
        with self._changed:
            self._ended.set()
            self._changed.notify_all()

    def _offer_all(self) -> None:
        due, offered = time.perf_counter(), 0
        while True:
            for frame in self._source:
                if not self._source.is_live:
                    due = max(due, time.perf_counter() - self._interval)
                    if self._ended.wait(max(0.0, due - time.perf_counter())):
                        return
                    due += self._interval
                elif self._ended.is_set():
                    return
                self._offer(CapturedFrame(frame, time.perf_counter()))
                offered += 1
                if offered == self._most:
                    return
            if not self._again:
                return

    def _offer(self, captured: CapturedFrame) -> None:
        with self._changed:
            self.dropped += self._waiting is not None
            self._waiting = captured
            self._changed.notify_all()
