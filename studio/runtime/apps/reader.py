"""Threads that read sources, and open them again when they are lost."""

from __future__ import annotations

import logging
import threading
import time
from typing import Callable, Dict, List

from ..shared.threads import guarded_thread
from .graph import AppSource
from .items import FrameStamp
from .mailbox import Mailbox, ReadFrame
from .measures import Rate
from .parts import IDLE, AppContext, Capture, SourceFrame
from .settings import AppError

OPENING, RUNNING, LOST, ENDED, FAILED = "opening", "running", "lost", "ended", "failed"

_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 0.25
_STEADY_S = 5.0
"""A source that ran for less has returned for a moment only."""
_UNSTEADY_WAIT_S = 1.0
"""Longest wait after such a moment, so that a loose contact does not become a flood of events."""
_TIMEOUT_S = 4.0
_OPENING_TIMES = 4
"""Time-outs that an opening may take before another thread tries."""
_MOST_ABANDONED = 4
"""Threads that hang in a source at the same time; no new one is started beyond."""

_log = logging.getLogger(__name__)

Tell = Callable[[str, "SourceReader", Dict[str, object]], None]


class SourceReader:
    """Reader of one source.

    A source that hangs cannot be interrupted: its thread is abandoned and ends once the call
    returns, while another one opens the source again. What an abandoned thread still reads is
    ignored.

    Attributes:
        state: One of the states above.
        reason: Why it is lost or has failed; empty while it runs.
        frames: Number of frames that were read.
    """

    def __init__(
        self, source: AppSource, context: AppContext, mailbox: Mailbox, tell: Tell, wall: float
    ) -> None:
        """Prepare to read.

        Args:
            tell: Called with ``source-lost``, ``source-back`` or ``source-failed`` and details.
            wall: Time at which a recording is taken to begin.
        """
        self.source = source
        self.mailbox = mailbox
        self.state = OPENING
        self.reason = ""
        self.frames = 0
        self.lost = 0
        self.rate = Rate()
        self._context = context
        self._tell = tell
        self._wall = wall
        self._turn = 0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads: List[threading.Thread] = []
        self._latest = time.monotonic()
        self._begun_at = self._latest
        self._lost_at = 0.0

    def start(self) -> None:
        """Begin to read on a thread."""
        self._latest = time.monotonic()
        self._begin(self._latest)

    def stop(self) -> None:
        """Read no more; ``join`` waits for it."""
        self._stop.set()
        self.mailbox.close()

    def join(self, deadline: float) -> None:
        """Wait for the threads until a time on ``time.monotonic``; one that hangs is abandoned."""
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    @property
    def is_over(self) -> bool:
        """Whether no further frame can come."""
        return self.state in (ENDED, FAILED)

    def look(self, now: float) -> None:
        """Notice a live source that gives no frame; called several times a second.

        A source with the setting ``timeout_s = 0`` may be silent for any time.
        """
        limit = _silence_s(self.source.settings)
        if not self.source.is_live or self._stop.is_set() or limit <= 0:
            return
        if self.state == RUNNING and now - self._latest > limit:
            self._is_lost(self._turn, "no frame for {:.0f} s".format(limit))
            self._begin(now)
        elif self.state in (OPENING, LOST) and now - self._begun_at > _OPENING_TIMES * limit:
            self._is_lost(self._turn, "it does not open")
            self._begin(now)

    def to_json(self) -> Dict[str, object]:
        """Return its state as plain data."""
        return {
            "type": self.source.type.name,
            "state": self.state,
            "reason": self.reason,
            "frames": self.frames,
            "dropped": self.mailbox.dropped,
            "lost": self.lost,
            "fps": self.rate.value(),
        }

    def _begin(self, now: float) -> None:
        """Start a thread with the turn; the one before gives up."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        if len(self._threads) > _MOST_ABANDONED:
            return
        with self._lock:
            self._turn += 1
            self._begun_at = now
        name = "source " + self.source.name
        turn = self._turn
        thread = guarded_thread(
            name, lambda: self._run(turn), lambda error: self._failed(turn, error), lasts=False
        )
        self._threads.append(thread)
        thread.start()

    def _failed(self, turn: int, error: BaseException) -> None:
        if self.source.is_live:
            self._is_lost(turn, _reason(error))  # ``look`` has another thread open it again
        else:
            self._end(turn, FAILED, _reason(error))

    def _has_turn(self, turn: int) -> bool:
        return turn == self._turn and not self._stop.is_set()

    def _run(self, turn: int) -> None:
        wait_s = _FIRST_WAIT_S
        while self._has_turn(turn):
            began, frames = time.monotonic(), self.frames
            reason = self._read_until_lost(turn)
            if not self._has_turn(turn):
                return
            if not reason or not self.source.is_live:
                self._end(turn, FAILED if reason else ENDED, reason)
                return
            self._is_lost(turn, reason)
            steady = time.monotonic() - began > _STEADY_S
            longest = _UNSTEADY_WAIT_S if self.frames > frames else _LONGEST_WAIT_S
            wait_s = _FIRST_WAIT_S if steady else min(2 * wait_s, longest)
            self._stop.wait(wait_s)
            self._opens_again(turn)

    def _opens_again(self, turn: int) -> None:
        with self._lock:
            if turn == self._turn:
                self._begun_at = time.monotonic()

    def _read_until_lost(self, turn: int) -> str:
        """Read until there is no more; return why, empty at the end of a recording."""
        try:
            capture = self.source.type.open(self.source.settings, self._context)
        except BaseException as error:  # whatever a library raises: the source is opened again
            return _reason(error)
        try:
            while self._has_turn(turn):
                frame = capture.read()
                if frame is None or not self._deliver(turn, frame):
                    return ""
        except BaseException as error:  # whatever a decoder raises: the source is opened again
            return _reason(error)
        finally:
            _close(capture)
        return ""

    def _deliver(self, turn: int, frame: SourceFrame) -> bool:
        """Hand a frame over; return whether to read on."""
        if frame is IDLE:
            return self._has_turn(turn)
        now = time.monotonic()
        with self._lock:
            if not self._has_turn(turn):
                return False
            self._latest = now
            self.rate.add(now)
            number = self.frames
            self.frames += 1
            was, self.state, self.reason = self.state, RUNNING, ""
        if was == LOST:
            self._tell("source-back", self, {"gap_s": round(now - self._lost_at, 1)})
        return self.mailbox.put(ReadFrame(self._stamp(number, now, frame), frame.data))

    def _stamp(self, number: int, now: float, frame: SourceFrame) -> FrameStamp:
        moment = now if frame.time is None else frame.time
        recorded = not self.source.is_live and frame.time is not None
        wall = self._wall + moment if recorded else time.time()
        return FrameStamp(self.source.name, number, moment, wall, time.perf_counter())

    def _is_lost(self, turn: int, reason: str) -> None:
        with self._lock:
            if turn != self._turn or self.is_over:
                return
            was, self.state, self.reason = self.state, LOST, reason
            if was == LOST:
                return
            self.lost += 1
            self._lost_at = self._latest
        self._tell("source-lost", self, {"reason": reason})

    def _end(self, turn: int, state: str, reason: str) -> None:
        if state == FAILED:  # before the state: an engine may end with the last reader
            self._tell("source-failed", self, {"reason": reason})
        with self._lock:
            if turn == self._turn:
                self.state, self.reason = state, reason
        self.mailbox.wake()


def _silence_s(settings: object) -> float:
    """Return the seconds without a frame after which a source counts as lost; 0: never."""
    limit = getattr(settings, "silence_s", None)
    return float(getattr(settings, "timeout_s", _TIMEOUT_S) if limit is None else limit)


def _reason(error: BaseException) -> str:
    """Return a fault of a source as a sentence; one that no part foresees is logged, too."""
    text = str(getattr(error, "strerror", None) or error).strip().split("\n")[0][:200]
    if isinstance(error, (OSError, ValueError, AppError)):
        return text or "no reason given"
    _log.warning("a source failed", exc_info=error)
    return "reading failed: {}".format(text or "no reason given")


def _close(capture: Capture) -> None:
    try:
        capture.close()
    except Exception as error:  # what is lost is often closed badly, too
        _log.debug("a source could not be closed: %s", error)
