"""Hand-over of frames from the thread that reads a source: bounded, and the newest frame wins."""

from __future__ import annotations

import threading
from collections import deque
from typing import Deque, List, NamedTuple, Optional

import numpy as np

from .items import FrameStamp

_AHEAD = 2
"""Frames of a recording that are read ahead."""


class ReadFrame(NamedTuple):
    """A frame that was read."""

    stamp: FrameStamp
    data: np.ndarray


class Mailbox:
    """Frames of one source that wait for the engine.

    A live source replaces the oldest frame that waits, and counts it as dropped. A recording waits
    until there is room, so that none of its frames is lost.
    """

    def __init__(self, live: bool, came: threading.Condition, room: int = 1) -> None:
        """Begin empty.

        Args:
            came: Shared by all sources of an engine, which waits for it.
            room: Frames of a live source that may wait.
        """
        self.dropped = 0
        self._live = live
        self._room = room
        self._came = came
        self._frames: Deque[ReadFrame] = deque()
        self._closed = False

    def put(self, frame: ReadFrame) -> bool:
        """Leave a frame; whether the mailbox is still open."""
        with self._came:
            while self._live and len(self._frames) >= self._room:
                self.dropped += 1
                self._frames.popleft()
            while not self._live and len(self._frames) >= _AHEAD and not self._closed:
                self._came.wait()
            if not self._closed:
                self._frames.append(frame)
                self._came.notify_all()
            return not self._closed

    def take(self) -> Optional[ReadFrame]:
        """Return the frame that waits; None without one. The condition must be held."""
        if not self._frames:
            return None
        frame = self._frames.popleft()
        self._came.notify_all()
        return frame

    def wake(self) -> None:
        """Let the engine look again, at the end of a recording."""
        with self._came:
            self._came.notify_all()

    def close(self) -> None:
        """Take no more frames."""
        with self._came:
            self._closed = True
            self._came.notify_all()

    @property
    def waits(self) -> bool:
        """Whether a frame waits. The condition must be held."""
        return bool(self._frames)


def take_from(boxes: List[Mailbox]) -> List[ReadFrame]:
    """Return at most one frame of each mailbox. The condition must be held."""
    found = [box.take() for box in boxes]
    return [frame for frame in found if frame is not None]
