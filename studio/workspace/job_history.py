"""The history of jobs over restarts: a journal of each session, and what is read from all.

A session appends to a file of its own, which it keeps locked, so two studios on one profile
never write to the same file. The system releases the lock when the process ends, even by a crash.
A job without an end in an unlocked journal was interrupted.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from studio.documents.dataclass_json import InvalidDocument, JsonValue, from_json, to_json
from studio.jobs import End, RunningJob
from studio.lazy_dataclass import dataclass
from studio.settings.redaction import Redactor
from studio.steps.catalogue import steps

log = logging.getLogger(__name__)

KEPT_DAYS = 30
MOST_ENTRIES = 1_000
RUNNING, DONE, FAILED = "running", "done", "failed"
CANCELLED, INTERRUPTED = "cancelled", "interrupted"

_MOST_FILES = 200
_MOST_BYTES = 4_000_000
"""Of one journal, when it is read."""

_LONGEST = 4_000
_PROGRESS_S = 5.0
"""Between two records of a job's progress, which an interrupted job is described by."""

_STATES = {End.SUCCEEDED: DONE, End.CANCELLED: CANCELLED}
_CLEARED = "cleared"
_TEXTS = ("title", "progress", "sentence", "hint", "detail")
"""Texts of an entry that are written without secrets."""

_WATCHES = frozenset({"monitor", "monitor-fleet"})
"""Steps that may last for as long as their page is shown."""


@dataclass(frozen=True, slots=True)
class JobEntry:
    """A job as the history lists it.

    Attributes:
        state: ``running``, ``done``, ``failed``, ``cancelled`` or ``interrupted``.
        started, ended: ISO times; ``ended`` is empty while the job runs.
        seconds: Duration of a job that has ended.
        sentence: The error, or the last progress of an interrupted job; empty after success.
        options: The options as they were given, for a repeat; empty if they are not known.
        action: Number in the registry's history of actions; 0 without one.
        variant: Number of the variant that the job has made or opened; 0 without one.
        is_elsewhere: Whether it runs in another process on the same profile.
    """

    id: str
    title: str
    step: str = ""
    state: str = RUNNING
    started: str = ""
    ended: str = ""
    seconds: float = 0.0
    sentence: str = ""
    hint: str = ""
    detail: str = ""
    progress: str = ""
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    action: int = 0
    variant: int = 0
    is_elsewhere: bool = False


class JobHistory:
    """The history of jobs in a folder; every method may be called from any thread.

    Nothing here fails a job: what cannot be written is logged and left out.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._journal: _Journal | None = None
        self._entries: dict[str, JobEntry] = {}
        self._noted: dict[str, float] = {}
        self._redactor = Redactor()
        self._is_open = self._is_ending = False

    def open(self) -> None:
        """Begin to record the jobs of this process, and remove what is too old."""
        self._redactor = Redactor.of(self._folder.parent)
        self._is_open = True
        with contextlib.suppress(OSError):
            self._remove_old()

    def started(self, job: RunningJob) -> None:
        """Record the start of a job, unless it only reads."""
        if self._is_open and is_lasting(job):
            self._write(_entry(job, _now()))

    def progressed(self, job: RunningJob) -> None:
        """Record how far a job is, from time to time."""
        moment = time.monotonic()
        entry = self._entries.get(job.id)
        if entry is None or moment - self._noted.get(job.id, 0.0) < _PROGRESS_S:
            return
        self._noted[job.id] = moment
        self._write(replace(entry, progress=_progress(job)))

    def finished(self, job: RunningJob, action: int = 0) -> None:
        """Record the end of a job; of one that only reads a failure alone."""
        if not is_listed(job):
            return
        began = self._entries.get(job.id) or _entry(job, _now())
        self._write(replace(_ended(began, job, self._is_ending), action=action))
        self._noted.pop(job.id, None)

    def end_session(self) -> None:
        """Record from now on that cancelled jobs were interrupted, as the studio closes."""
        self._is_ending = True

    def close(self) -> None:
        """Release the journal; nothing is recorded after this."""
        with self._lock:
            self._is_open = False
            if self._journal is not None:
                self._journal.close()
                self._journal = None

    def clear_done(self) -> None:
        """Remove the jobs that have succeeded from the list; nothing else is removed."""
        self._append({_CLEARED: _now()})

    def entries(self, most: int = MOST_ENTRIES) -> list[JobEntry]:
        """Return the jobs of the last 30 days, of all sessions: running ones, then the newest."""
        found: dict[str, JobEntry] = {}
        cleared = ""
        for path in self._files():
            lives = _is_locked(path)
            own = self._journal is not None and self._journal.path == path
            for line in _lines(path):
                cleared = max(cleared, str(line.get(_CLEARED, "")))
                entry = _read_entry(line)
                if entry is not None:
                    found[entry.id] = _seen_now(entry, lives=lives, own=own)
        oldest = (datetime.now(UTC) - timedelta(days=KEPT_DAYS)).isoformat(timespec="microseconds")
        kept = [
            entry
            for entry in found.values()
            if entry.started >= oldest and not (entry.state == DONE and entry.ended <= cleared)
        ]
        order = sorted(kept, key=lambda entry: entry.ended or entry.started, reverse=True)
        return sorted(order, key=lambda entry: entry.state != RUNNING)[:most]

    def _write(self, entry: JobEntry) -> None:
        if not self._is_open:
            return
        if entry.state == RUNNING:
            self._entries[entry.id] = entry
        else:
            self._entries.pop(entry.id, None)
        texts = {name: self._redactor.text(getattr(entry, name)) for name in _TEXTS}
        self._append({**to_json(entry), **texts})

    def _append(self, document: Mapping[str, JsonValue]) -> None:
        with self._lock:
            if not self._is_open:
                return
            try:
                if self._journal is None:
                    self._journal = _Journal.new(self._folder)
                self._journal.append(document)
            except OSError as error:
                log.warning("a job could not be recorded: %s", error)

    def _files(self) -> list[Path]:
        try:
            return sorted(self._folder.glob("*.jsonl"))[-_MOST_FILES:]
        except OSError:
            return []

    def _remove_old(self) -> None:
        oldest = time.time() - KEPT_DAYS * 86_400
        paths = sorted(self._folder.glob("*.jsonl"))
        for number, path in enumerate(reversed(paths)):
            is_old = number >= _MOST_FILES or path.stat().st_mtime < oldest
            if is_old and not _is_locked(path):
                path.unlink(missing_ok=True)


def is_lasting(job: RunningJob) -> bool:
    """Return whether a job makes or changes something; others only watch or read."""
    step = steps().get(job.spec.step)
    return step is not None and step.in_history and not is_watch(job)


def is_listed(job: RunningJob) -> bool:
    """Return whether the history lists a job that has ended: one that only reads if it failed."""
    assert job.outcome is not None
    return is_lasting(job) or job.outcome.end not in _STATES


def is_watch(job: RunningJob) -> bool:
    """Return whether a job only feeds a page while it is shown, and ends with it."""
    step = steps().get(job.spec.step)
    return step is not None and (step.name in _WATCHES or step.until_stopped)


class _Journal:
    """The open journal of this session."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle = handle

    @classmethod
    def new(cls, folder: Path) -> _Journal:
        """Return a new journal, locked until this process ends.

        Raises:
            OSError: when the folder cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        path = folder / f"{stamp}-{uuid.uuid4().hex[:8]}.jsonl"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        with contextlib.suppress(OSError):  # some network file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return cls(path, handle)

    def append(self, document: Mapping[str, JsonValue]) -> None:
        """Append a line in one write, so a killed process leaves whole lines.

        Raises:
            OSError: when it cannot be written, as on a full disk.
        """
        text = json.dumps(document, separators=(",", ":"), default=str) + "\n"
        os.write(self._handle, text.encode())

    def close(self) -> None:
        """Release the lock."""
        os.close(self._handle)


def _entry(job: RunningJob, moment: str) -> JobEntry:
    spec = job.spec
    return JobEntry(
        spec.id, _brief(spec.title), spec.step, started=moment, options=dict(spec.asked)
    )


def _ended(entry: JobEntry, job: RunningJob, by_closing: bool) -> JobEntry:
    outcome = job.outcome
    assert outcome is not None
    state = _STATES.get(outcome.end, FAILED)
    if state == CANCELLED and by_closing:
        state = INTERRUPTED
    moment = datetime.now(UTC)
    began = (moment - timedelta(seconds=outcome.seconds)).isoformat(timespec="microseconds")
    return replace(
        entry,
        state=state,
        started=min(entry.started, began),
        ended=moment.isoformat(timespec="microseconds"),
        seconds=outcome.seconds,
        sentence=_brief(outcome.sentence) if state == FAILED else "",
        hint=_brief(outcome.hint),
        detail="\n".join([*job.log[-50:], outcome.detail]).strip()[-_LONGEST:],
        progress="" if state == DONE else _progress(job),
        variant=_variant(outcome.result),
    )


def _variant(result: object) -> int:
    """Return the variant that a result names; 0 without one."""
    named = result.get("variant") if isinstance(result, Mapping) else None
    number = getattr(result, "variant", named)
    return number if isinstance(number, int) else 0


def _progress(job: RunningJob) -> str:
    """Return how far a job is: its own words, else the share."""
    state = job.state
    if state.text or state.total <= 0:
        return _brief(state.text)
    return f"{100 * min(state.done / state.total, 1):.0f} %"


def _seen_now(entry: JobEntry, *, lives: bool, own: bool) -> JobEntry:
    """Return an entry as it is by now: a job without an end whose process is gone ended with it."""
    if entry.state != RUNNING:
        return entry
    if lives:
        return replace(entry, is_elsewhere=not own)
    return replace(entry, state=INTERRUPTED)


def _read_entry(line: Mapping[str, JsonValue]) -> JobEntry | None:
    try:
        return from_json(JobEntry, line)
    except InvalidDocument:
        return None


def _lines(path: Path) -> Iterator[dict[str, JsonValue]]:
    """Yield the readable lines of a journal; a damaged one is passed over."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES)
    except OSError:
        return
    for text in content.splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            yield line


def _is_locked(path: Path) -> bool:
    """Return whether a process keeps a journal open."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False


def counts(entries: Iterable[JobEntry]) -> dict[str, int]:
    """Return the number of jobs in each state, with 0 for a state without any."""
    found = dict.fromkeys((RUNNING, FAILED, INTERRUPTED, CANCELLED, DONE), 0)
    for entry in entries:
        found[entry.state] = found.get(entry.state, 0) + 1
    return found


def _brief(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
