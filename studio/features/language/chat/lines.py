"""Lines of an answer that a thread reads, so that the job can be cancelled at any time."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable

from studio.documents.dataclass_json import to_json
from studio.features.language.chat.results import ChatAnswer
from studio.features.language.chat.stream import StreamedAnswer
from studio.jobs import Job
from studio.lazy_dataclass import dataclass

log = logging.getLogger(__name__)

UPDATE = "chat"
"""Name of the event of a job with a ``ChatUpdate``."""

_POLL_S = 0.1
_BETWEEN_S = 0.03
_LONGEST_LINE = 1 << 20

ReadLine = Callable[[int], bytes]
"""Reads a line of up to a number of bytes; empty at the end."""


@dataclass(frozen=True, slots=True)
class ArrivedLine:
    """A line and the moment at which it was read, by ``time.perf_counter``."""

    content: bytes
    at: float


class AnswerLines:
    """Lines of an answer as they arrive.

    Args:
        read: Reads the next line; what it raises ends the lines, and is raised by ``next``.
    """

    def __init__(self, read: ReadLine) -> None:
        self._read = read
        self._arrived: queue.Queue[ArrivedLine | Exception] = queue.Queue(1024)
        threading.Thread(target=self._pump, name="answer", daemon=True).start()

    def next(self, job: Job) -> ArrivedLine:
        """Return the next line; an empty one at the end.

        Raises:
            Cancelled: when the job was cancelled.
            OSError, http.client.HTTPException: when the connection failed.
        """
        while True:
            job.check()
            try:
                found = self._arrived.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if isinstance(found, Exception):
                raise found
            return found

    @property
    def is_waiting(self) -> bool:
        """Whether the next line is there already."""
        return not self._arrived.empty()

    def _pump(self) -> None:
        try:
            while line := self._read(_LONGEST_LINE):
                self._arrived.put(ArrivedLine(line, time.perf_counter()))
            self._arrived.put(ArrivedLine(b"", time.perf_counter()))
        except Exception as error:  # the work, which waits for a line, raises it
            log.debug("an answer could not be read", exc_info=True)
            self._arrived.put(error)


def follow(lines: AnswerLines, streamed: StreamedAnswer, job: Job) -> ChatAnswer | None:
    """Take the lines of one answer, and send updates; None when they ended too early.

    Raises:
        TargetError: when the answer reports a failure.
        Cancelled: when the job was cancelled.
    """
    sent = 0.0
    while not streamed.done:
        line = lines.next(job)
        if not line.content:
            return None
        streamed.add(line.content, line.at)
        # A fast model writes more tokens in a second than anybody can look at.
        if not (lines.is_waiting and time.monotonic() - sent < _BETWEEN_S):
            sent = time.monotonic()
            _send(streamed, job)
    _send(streamed, job)
    return streamed.answer()


def _send(streamed: StreamedAnswer, job: Job) -> None:
    update = streamed.update()
    if update is not None:
        job.event(UPDATE, **to_json(update))
