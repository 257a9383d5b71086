"""Threads that read sources, and open them again when they are lost."""

from __future__ import annotations

import threading
import time
from typing import Callable, Dict, List

from .graph import Source
from .items import FrameStamp
from .mailbox import Mailbox, ReadFrame
from .measures import Rate
from .parts import AppContext, Capture, SourceFrame

OPENING, RUNNING, LOST, ENDED, FAILED = "opening", "running", "lost", "ended", "failed"

_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 0.5
_MOST_ABANDONED = 4
"""Threads that hang in a source at the same time; no new one is started beyond."""

Tell = Callable[[str, "SourceReader", Dict[str, object]], None]


class SourceReader:
    """Reader of one source.

    A source that hangs cannot be interrupted: its thread is abandoned and ends by itself once the
    call returns, while another one opens the source again.

    Attributes:
        state: One of the states above.
        reason: Why it is lost or has failed; empty while it runs.
        frames: Number of frames that were read.
    """

    def __init__(
        self, source: Source, context: AppContext, mailbox: Mailbox, tell: Tell, wall: float
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
        self._lost_at = 0.0

    def start(self) -> None:
        """Begin to read on a thread."""
        self._latest = time.monotonic()
        self._begin()

    def stop(self) -> None:
        """Read no more; a thread that hangs is left to itself."""
        self._stop.set()
        self._turn += 1
        self.mailbox.close()
        for thread in self._threads:
            thread.join(0.5)

    @property
    def is_over(self) -> bool:
        """Whether no further frame can come."""
        return self.state in (ENDED, FAILED)

    def look(self, now: float) -> None:
        """Notice a live source that gives no frame; called several times a second."""
        if not self.source.is_live or self._stop.is_set():
            return
        silent = now - self._latest
        limit = float(getattr(self.source.settings, "timeout_s", 4.0))
        if self.state == RUNNING and silent > limit:
            self._is_lost("no frame for {:.0f} s".format(limit))
            self._begin()
        elif self.state in (OPENING, LOST) and silent > 4 * limit:
            self._latest = now
            self._begin()

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

    def _begin(self) -> None:
        """Start a thread with the turn; the one before gives up."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        if len(self._threads) > _MOST_ABANDONED:
            return
        self._turn += 1
        name = "source " + self.source.name
        thread = threading.Thread(target=self._run, args=(self._turn,), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _has_turn(self, turn: int) -> bool:
        return turn == self._turn and not self._stop.is_set()

    def _run(self, turn: int) -> None:
        wait_s = _FIRST_WAIT_S
        while self._has_turn(turn):
            before = self.frames
            reason = self._read_until_lost(turn)
            if not self._has_turn(turn) or self.is_over:
                return
            if not self.source.is_live:
                self._end(FAILED if reason else ENDED, reason)
                return
            self._is_lost(reason or "it has ended")
            wait_s = _FIRST_WAIT_S if self.frames > before else min(2 * wait_s, _LONGEST_WAIT_S)
            self._stop.wait(wait_s)

    def _read_until_lost(self, turn: int) -> str:
        """Read until there is no more; return why, empty at the end of a recording."""
        try:
            capture = self.source.type.open(self.source.settings, self._context)
        except (OSError, ValueError) as error:
            return _sentence(error)
        try:
            while self._has_turn(turn):
                frame = capture.read()
                if frame is None:
                    return ""
                if not self._has_turn(turn) or not self._deliver(frame):
                    return ""
        except (OSError, ValueError) as error:
            return _sentence(error)
        except Exception as error:  # whatever a decoder raises: the source is opened again
            return "reading failed: {}".format(_sentence(error) or type(error).__name__)
        finally:
            _close(capture)
        return ""

    def _deliver(self, frame: SourceFrame) -> bool:
        now = time.monotonic()
        self._latest = now
        self.rate.add(now)
        if self.state != RUNNING:
            self._is_running(now)
        moment = now if frame.time is None else frame.time
        wall = time.time() if frame.time is None else self._wall + frame.time
        stamp = FrameStamp(self.source.name, self.frames, moment, wall, time.perf_counter())
        self.frames += 1
        return self.mailbox.put(ReadFrame(stamp, frame.data))

    def _is_running(self, now: float) -> None:
        with self._lock:
            was, self.state, self.reason = self.state, RUNNING, ""
        if was == LOST:
            self._tell("source-back", self, {"gap_s": round(now - self._lost_at, 1)})

    def _is_lost(self, reason: str) -> None:
        with self._lock:
            was, self.state, self.reason = self.state, LOST, reason
        if was in (RUNNING, OPENING):
            self.lost += 1
            self._lost_at = self._latest
            self._tell("source-lost", self, {"reason": reason})

    def _end(self, state: str, reason: str) -> None:
        self.state, self.reason = state, reason
        if state == FAILED:
            self._tell("source-failed", self, {"reason": reason})
        self.mailbox.wake()


def _sentence(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error).strip().split("\n")[0][:200]


def _close(capture: Capture) -> None:
    try:
        capture.close()
    except Exception:  # what is lost is often closed badly, too
        pass
