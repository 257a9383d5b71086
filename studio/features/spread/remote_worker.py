"""A worker on another computer, seen from here: as one of this computer's, but it may be lost."""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path

from studio.api import StudioError
from studio.api.tasks.executors import ExecutorSession, TaskOrder, TaskPhase, TaskSight
from studio.documents.dataclass_json import InvalidDocument, from_json, to_json
from studio.features.spread.archive import unpack
from studio.features.spread.document import (
    CRASHED,
    FOLDER,
    LAST,
    STALLED,
    TIMED_OUT,
    renamed,
    replaced,
)
from studio.features.spread.parcel import Packer, TaskParcel
from studio.jobs.process import TooMuchMemory, WorkerStalled
from studio.jobs.spec import JobSpec
from studio.jobs.worker_events import WorkerEvent
from studio.settings.redaction import Redactor

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""Attempts at a task: its node may be lost, but not for ever."""

_POLL_S = 0.2
_PATIENCE_S = 30.0
"""After a cancellation, until an executor that does not end the task is left alone."""


class RemoteWorker:
    """The worker of one job on an executor. Used by one thread, but for ``cancel``.

    Attributes:
        folder: The job's folder here, filled when the task has succeeded.
        alive: Whether it can be given a job; always.
    """

    alive = True

    def __init__(self, session: ExecutorSession, packer: Packer, folder: Path) -> None:
        self.folder = folder
        self._session = session
        self._packer = packer
        self._cancelled = threading.Event()
        self._parcel: TaskParcel | None = None
        self._spec: JobSpec | None = None
        self._signal, self._last_words, self._node = 0, "", ""

    def send(self, spec: JobSpec) -> None:
        """Take the job; it is packed and submitted when its events are read."""
        self._spec = spec

    def cancel(self) -> None:
        """Request a stop from any thread."""
        self._cancelled.set()

    @property
    def cancel_requested(self) -> bool:
        """Whether the user cancelled the job."""
        return self._cancelled.is_set()

    def events(
        self, seconds: float = 0.0, silence: float = 0.0, memory_mb: float = 0.0
    ) -> Iterator[WorkerEvent]:
        """Yield the events of the task until its end; a lost one starts again.

        The limits are kept on the node.

        Raises:
            WorkerStalled, TooMuchMemory, TimeoutError: when the node has ended the work.
        """
        assert self._spec is not None
        try:
            self._parcel = self._packer.parcel(self._spec)
        except OSError as error:
            text = f"{error.filename} cannot be read: {error.strerror or error}."
            yield WorkerEvent("error", message=text)
            return
        place = reason = ""
        for attempt in range(1, ATTEMPTS + 1):
            task = f"{self._spec.id}-{attempt}"
            try:
                sight = yield from self._attempt(task)
            except StudioError as error:
                yield _failed(error)
                return
            finally:
                self._forget(task)
            if sight is None or self.cancel_requested:
                return
            place = _on(sight.node)
            reason = f": {sight.reason.rstrip('.')}" if sight.reason else ""
            then = f"The task starts again, {attempt + 1} of {ATTEMPTS}."
            text = f"{_lost(sight.node)}{reason}."
            yield _line(f"{text} {then}" if attempt < ATTEMPTS else text)
        hint = "Look at the nodes, then run it again: what is finished is kept."
        message = f"The task was lost {ATTEMPTS} times; the last time{place}{reason}."
        yield WorkerEvent("error", message=message, hint=hint, exit_code=1)

    def _attempt(self, task: str) -> Generator[WorkerEvent, None, TaskSight | None]:
        """Yield the events of one attempt; returns what was seen of a lost one, else None."""
        assert self._parcel is not None
        assert self._spec is not None
        document = json.dumps(to_json(self._parcel.document)).encode()
        self._session.submit(TaskOrder(task, self._spec.title, document, self._parcel.inputs))
        shown = ""
        given_up = 0.0
        while True:
            if self.cancel_requested and not given_up:
                given_up = time.monotonic() + _PATIENCE_S
                self._session.cancel(task)
            sight = self._session.look(task)
            text = _state(sight)
            if text != shown:
                shown = text
                yield WorkerEvent("progress", text=text)
                yield _line(text)
            for event in _events(sight.events):
                if event.event in LAST:
                    yield from self._end(task, event)
                    return None
                yield event
            if sight.phase in (TaskPhase.ENDED, TaskPhase.LOST):
                return sight
            if given_up and time.monotonic() > given_up:
                return None
            if not sight.events:
                self._cancelled.wait(_POLL_S) if not given_up else time.sleep(_POLL_S)

    def _end(self, task: str, last: WorkerEvent) -> Iterator[WorkerEvent]:
        """Yield the last event with the paths of here, after its files have come."""
        assert self._parcel is not None
        if last.event == "memory":
            raise TooMuchMemory
        if last.event == STALLED:
            raise WorkerStalled
        if last.event == TIMED_OUT:
            raise TimeoutError
        if last.event == CRASHED:
            self._signal, self._last_words = last.exit_code, last.detail
            return
        if last.event == "result":
            archive = self.folder.with_suffix(".tar")
            try:
                self._session.fetch(task, archive)
                unpack(archive, self.folder)
            finally:
                archive.unlink(missing_ok=True)
        back = renamed({**self._parcel.names, FOLDER: str(self.folder)})
        yield from_json(WorkerEvent, replaced(to_json(last), back))

    def _forget(self, task: str) -> None:
        try:
            self._session.forget(task)
        except StudioError as error:
            log.warning("what was left of a task stays: %s", error.message)

    def finish(self) -> int:
        """Return the signal that ended the work, or 0."""
        return self._signal

    def last_words(self) -> str:
        """Return the end of what it wrote to standard error, for a crash."""
        return self._last_words

    def store_native_output(self, folder: Path, job: str, redactor: Redactor) -> None:
        """Store nothing: that output is kept on the node."""

    def remove(self) -> None:
        """Remove its folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _state(sight: TaskSight) -> str:
    if sight.phase is TaskPhase.WAITING:
        return "Waits for a node" + (f": {sight.reason}" if sight.reason else "")
    return f"Runs{_on(sight.node)}"


def _lost(node: str) -> str:
    return f"The node {node} was lost" if node else "The task was lost"


def _on(node: str) -> str:
    return f" on {node}" if node else ""


def _line(text: str) -> WorkerEvent:
    return WorkerEvent("log", text=text)


def _events(lines: bytes) -> Iterator[WorkerEvent]:
    """Yield the events of whole lines; other lines are left out, as nodes are not trusted."""
    others = 0
    for line in lines.splitlines():
        try:
            event = from_json(WorkerEvent, json.loads(line))
        except (ValueError, InvalidDocument, RecursionError):
            others += 1
            continue
        if event.event != "ready":
            yield event
    if others:  # once, as a node could fill the log
        log.warning("a node sent %d lines that are no events", others)


def _failed(error: StudioError) -> WorkerEvent:
    return WorkerEvent(
        "error",
        message=error.message,
        hint=error.hint,
        detail=error.detail,
        exit_code=error.exit_code,
        error=type(error).__name__,
    )
