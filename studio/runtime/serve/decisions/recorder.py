"""Recorder of a served model's decisions: a queue that requests fill, and a thread that writes.

A request pays for an id and one place in the queue. Hashes, meanings and the disk are the thread's
matter. Losses at a full queue, quota or disk are counted, and the chain has an entry about them.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import deque
from pathlib import Path
from typing import Callable, Deque, Dict, List, NamedTuple, Optional

from ...backends.failure import first_line
from ...decisions.config import KeepingConfig
from ...decisions.entry import BEGUN, DECISION, ENDED, GAP, moment
from ...decisions.log import DecisionLog, Draft, size_of
from ...decisions.upkeep import drop_old
from ...shared.threads import guarded_thread, yield_to_requests
from ..engine.observer import RECORDER_THREAD
from ..engine.served_model import ServedModel
from ..http.message import Body, Response
from .answer_text import meaning_of

HEADER = "Edgewright-Request"
MOST_WAITING = 4096
MOST_WAITING_BYTES = 16 << 20
EVERY_S = 0.1
"""Between two writes to the disk."""
UPKEEP_S = 3600.0
"""Between two looks for segments that are too old."""
_GAP_S = 60.0
"""Between two entries about losses while nothing can be recorded: they need room, too."""
_PAUSE_S = 1.0
"""After a write that failed."""
_NICE = 5


def header_of(request: str) -> str:
    """Return the line of an answer's headers that names its request."""
    return "{}: {}\r\n".format(HEADER, request)


class _SentAnswer(NamedTuple):
    """An answer on its way to the record."""

    at: float
    request: str
    body: Body
    response: Response
    has_meaning: bool

    @property
    def size(self) -> int:
        """Bytes that it keeps in memory."""
        return len(self.body) + self.response.length


class _Gap:
    """Decisions that were not recorded since the last entry about such."""

    def __init__(self) -> None:
        self.lost = 0
        self.total = 0
        self._begin = self._end = 0.0
        self._why = ""

    def add(self, count: int, begin: float, end: float, why: str) -> None:
        """Count decisions that were lost in a period."""
        self._begin = min(self._begin, begin) if self.lost else begin
        self._end = max(self._end, end)
        self.lost += count
        self.total += count
        self._why = why

    def taken(self) -> Optional[Draft]:
        """Return the entry about them; None when nothing was lost."""
        if not self.lost:
            return None
        period = {"from": moment(self._begin), "to": moment(self._end)}
        return Draft(GAP, time.time(), {"lost": self.lost, "why": self._why, **period})

    def settled(self, draft: Draft) -> None:
        """An entry about them is on the disk."""
        self.lost -= int(str(draft.facts["lost"]))
        self._end = self._end if self.lost else 0.0


class DecisionRecorder:
    """Writes the decisions of one served model to the record of its board.

    Attributes:
        config: The note that allows it.
        log: The record.
        fault: Why decisions are lost at the moment; empty while none are.
    """

    def __init__(
        self,
        model: ServedModel,
        config: KeepingConfig,
        folder: Path,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.config = config
        self.log = DecisionLog(folder)
        self.fault = ""
        self.written = 0
        self._clock = clock
        self._facts: Dict[str, object] = {
            "model": model.name,
            "version": model.version,
            "digest": model.source.digest,
        }
        # No two servers give the same ids, and no client can foresee those of another.
        self._prefix = os.urandom(6).hex()
        self._count = 0
        self._statistics = model.statistics
        self._gap_due = 0.0
        self._waiting: Deque[_SentAnswer] = deque()
        self._bytes = 0
        self._gap = _Gap()
        self._lock = threading.Lock()
        self._came = threading.Event()
        self._quiet = threading.Event()
        self._quiet.set()
        self._ended = False
        self._thread = guarded_thread(RECORDER_THREAD, self._work, self._failed)
        self._thread.start()

    @property
    def on(self) -> bool:
        """Whether decisions are recorded; otherwise the record only grows old."""
        return self.config.on

    # In the path of a request

    def note(self, body: Body, response: Response, has_meaning: bool) -> None:
        """Record an answer, and name its request in its headers; never fails, never waits.

        Args:
            body: Of the request, as it came.
            has_meaning: The answer is one of a contract, not of arrays alone.
        """
        request = self.named()
        line = header_of(request)
        if response.start is not None:
            response.start += line.encode("ascii")
        else:
            response.headers += line
        self.note_as(request, body, response, has_meaning)

    def named(self) -> str:
        """Return the id of a new request, for an answer whose headers are sent before its end."""
        self._count += 1
        return "{:x}-{}-{:x}".format(int(1000 * self._clock()), self._prefix, self._count)

    def note_as(self, request: str, body: Body, response: Response, has_meaning: bool) -> None:
        """Record an answer whose request has an id; never fails, never waits."""
        self._enqueue(_SentAnswer(self._clock(), request, body, response, has_meaning))

    def _enqueue(self, one: _SentAnswer) -> None:
        size = one.size
        with self._lock:
            full = len(self._waiting) >= MOST_WAITING
            if full or (self._waiting and self._bytes + size > MOST_WAITING_BYTES):
                self._gap.add(1, one.at, one.at, "requests came faster than the disk took them")
                return
            self._waiting.append(one)
            self._bytes += size
            self._quiet.clear()
        self._came.set()

    # For others

    def flush(self, seconds: float) -> bool:
        """Wait until what has come is on the disk or lost; return whether it is so in time."""
        return self._quiet.wait(seconds)

    def end(self) -> None:
        """Record what is still on its way, and then no more."""
        self._ended = True
        self._came.set()

    def status(self) -> Dict[str, object]:
        """How it stands, as plain data."""
        return {
            "on": self.config.on,
            "days": self.config.days,
            "bytes": size_of(self.log.folder),
            "most_bytes": self.config.room,
            "written": self.written,
            "waiting": len(self._waiting),
            "lost": self._gap.total,
            "fault": self.fault,
        }

    # On the thread of the recorder

    def _work(self) -> None:
        yield_to_requests(_NICE)
        due = 0.0
        self._try(self._begin)
        while not (self._ended and self._statistics.in_flight <= 0):
            now = time.monotonic()
            if now >= due:
                due = now + UPKEEP_S
                self._try(self._keep_up)
            self._came.wait(due - now)
            time.sleep(EVERY_S)  # more may come: one flush serves them all
            if not self._ended:
                self._came.clear()
            self._try(self._drain)
        self._try(self._finish)

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            self.fault = "Decisions cannot be recorded: {}.".format(error.strerror or error)
            time.sleep(0 if self._ended else _PAUSE_S)
        except Exception as error:  # whatever it is, clients do not feel it
            self._failed(error)
            time.sleep(0 if self._ended else _PAUSE_S)

    def _failed(self, error: BaseException) -> None:
        self.fault = "Decisions are not recorded: {}".format(first_line(error))

    def _begin(self) -> None:
        if self.on:
            facts = {**self._facts, "days": self.config.days, "room": self.config.room}
            self.log.append([Draft(BEGUN, self._clock(), facts)])

    def _keep_up(self) -> None:
        drop_old(self.log, self.config.days)

    def _drain(self) -> None:
        with self._lock:
            taken, self._waiting = self._waiting, deque()
            self._bytes = 0
        try:
            self._write(list(taken))
        except OSError:
            raise
        except BaseException as error:
            self._lose(list(taken), "recording failed: {}".format(first_line(error)))
            raise
        finally:
            with self._lock:
                if not self._waiting:
                    self._quiet.set()

    def _write(self, answers: List[_SentAnswer]) -> None:
        full = size_of(self.log.folder) >= self.config.room
        if full and answers:
            self._lose(answers, "the record has no room left")
            self.fault = "Decisions are not recorded: the record has no room left."
        drafts = [] if full else [self._draft(one) for one in answers]
        gap = self._loss() if drafts or self._ended or time.monotonic() >= self._gap_due else None
        if not drafts and gap is None:
            return
        try:
            self.log.append(drafts + ([] if gap is None else [gap]))
        except OSError as error:
            if drafts:
                self._lose(answers, "the disk took nothing: {}".format(error.strerror or error))
            raise
        if gap is not None:
            self._gap_due = time.monotonic() + _GAP_S
            with self._lock:
                self._gap.settled(gap)
        self.written += len(drafts)
        if not full:
            self.fault = ""

    def _loss(self) -> Optional[Draft]:
        with self._lock:
            return self._gap.taken()

    def _lose(self, answers: List[_SentAnswer], why: str) -> None:
        if not answers:
            return
        with self._lock:
            self._gap.add(len(answers), answers[0].at, answers[-1].at, why)

    def _draft(self, one: _SentAnswer) -> Draft:
        answer = hashlib.sha256(one.response.body)
        for part in one.response.parts:
            answer.update(memoryview(part).cast("B") if memoryview(part).nbytes else b"")
        facts: Dict[str, object] = {
            **self._facts,
            "request": one.request,
            "input": hashlib.sha256(one.body).hexdigest(),
            "bytes": len(one.body),
            "answer": answer.hexdigest(),
        }
        meaning = meaning_of(one.response) if one.has_meaning else ""
        if meaning:
            facts["meaning"] = meaning
        return Draft(DECISION, one.at, facts)

    def _finish(self) -> None:
        self._drain()
        if self.on:
            self.log.append([Draft(ENDED, self._clock(), {**self._facts, "lost": self._gap.total})])
