"""A worker process seen from its parent: started, spoken to, ended."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from studio.documents.dataclass_json import from_json
from studio.jobs.memory import held_mb
from studio.jobs.native_output import bound, store, tail
from studio.jobs.sandbox import Sandbox, environment
from studio.jobs.spec import JobSpec
from studio.jobs.worker_events import WorkerEvent
from studio.settings import Paths
from studio.settings.interpreter import own_python
from studio.settings.redaction import Redactor

_ASK, _TERM, _KILL = 0.0, 3.0, 5.0  # seconds after the request to cancel
_TAIL_BYTES = 4000
_QUIET = "ignore::RuntimeWarning:runpy"
"""That the package has imported the module before it is run is no news in each worker's output."""

_LOOK_SECONDS = (
    0.5  # between two looks at the memory; a machine fills a gigabyte or two in that time
)


class WorkerStalled(Exception):
    """A worker said nothing for too long."""


class TooMuchMemory(Exception):
    """A worker and what it has started took more memory than they may."""


class WorkerProcess:
    """One worker. Used by one thread, but for ``cancel``."""

    def __init__(
        self,
        paths: Paths,
        walls: Sandbox,
        *,
        preload: Sequence[str] = (),
    ) -> None:
        self.folder = folder = walls.folder
        folder.mkdir(parents=True)
        self._errors = folder.with_suffix(".stderr")
        self._cancel_requested: float | None = None
        self._wake_read, self._wake_write = os.pipe()
        self._ended = False
        self._wakes = threading.Lock()  # a number of a closed pipe may be another file's already
        command = own_python("-W", _QUIET, "-m", "studio.jobs.worker", *preload)
        with self._errors.open("ab") as errors:
            self._process = walls.start(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment(paths, folder, walls.needs, closed=walls.is_closed),
                cwd=folder,
                start_new_session=True,
            )

    def send(self, spec: JobSpec) -> None:
        """Give the worker its job."""
        self._write(spec.line(self.folder))

    def cancel(self) -> None:
        """Request a stop from any thread; the reading thread enforces it."""
        with self._wakes:
            if self._cancel_requested is None and not self._ended:
                self._cancel_requested = time.monotonic()
                os.write(self._wake_write, b"c")

    @property
    def cancel_requested(self) -> bool:
        """Whether the user cancelled the job."""
        return self._cancel_requested is not None

    def events(
        self, seconds: float = 0.0, silence: float = 0.0, memory_mb: float = 0.0
    ) -> Iterator[WorkerEvent]:
        """Yield the worker's events until its end; its process group is ended with it.

        Args:
            seconds: Most time for all of it; 0: no limit.
            silence: Most time between two events; 0: no limit.
            memory_mb: Most memory of it and all that it has started; 0: no limit.

        Raises:
            Silence: after the worker was killed because it said nothing for too long.
            TooMuchMemory: after it was killed because it held more.
            TimeoutError: after the worker was killed because its time was up.
        """
        deadline = time.monotonic() + seconds if seconds else float("inf")
        patience = silence or float("inf")
        heard = looked = time.monotonic()
        with selectors.DefaultSelector() as selector:
            assert self._process.stdout is not None
            stdout = self._process.stdout.fileno()
            selector.register(stdout, selectors.EVENT_READ)
            selector.register(self._wake_read, selectors.EVENT_READ)
            pending = b""
            sent: set[float] = set()
            while True:
                wait = min(deadline, heard + patience, self._enforce_cancel(sent))
                self._enforce_time(deadline, heard + patience)
                if time.monotonic() >= looked + _LOOK_SECONDS:
                    bound(self._errors)
                    self._enforce_memory(memory_mb)
                    looked = time.monotonic()
                wait = min(wait, looked + _LOOK_SECONDS)
                ready = selector.select(max(0.0, min(wait - time.monotonic(), 3600.0)))
                for key, _ in ready:
                    if key.fd == self._wake_read:
                        os.read(self._wake_read, 64)
                        continue
                    chunk = os.read(stdout, 1 << 16)
                    if not chunk:
                        return
                    heard = time.monotonic()
                    *lines, pending = (pending + chunk).split(b"\n")
                    yield from (from_json(WorkerEvent, json.loads(line)) for line in lines)

    def _enforce_time(self, deadline: float, patience: float) -> None:
        """Kill the worker when one of the times has passed."""
        now = time.monotonic()
        if now >= deadline or now >= patience:
            self.kill()
            raise TimeoutError if now >= deadline else WorkerStalled

    def _enforce_memory(self, megabytes: float) -> None:
        """Kill the worker when it and its children hold more."""
        if megabytes and held_mb(self._process.pid) > megabytes:
            self.kill()
            raise TooMuchMemory

    def _enforce_cancel(self, sent: set[float]) -> float:
        """Do what is due of ask, SIGTERM, SIGKILL; the time of the next."""
        if self._cancel_requested is None:
            return float("inf")
        for after in (_ASK, _TERM, _KILL):
            due = self._cancel_requested + after
            if after in sent:
                continue
            if time.monotonic() < due:
                return due
            sent.add(after)
            if after == _ASK:
                self._write(b"cancel\n")
            else:
                self._signal(signal.SIGTERM if after == _TERM else signal.SIGKILL)
        return float("inf")

    def finish(self) -> int:
        """Wait for the end and clear up; the signal that ended the worker, or 0."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
        except OSError:
            pass  # the worker is gone already
        try:
            status = self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            status = 0  # it has said its last word and hangs in a destructor
        self.kill()
        self._process.stdout.close()
        with self._wakes:
            self._ended = True
            os.close(self._wake_read)
            os.close(self._wake_write)
        if status < 0:
            return -status
        return status - 128 if status > 128 else 0  # bubblewrap's way to say it

    def kill(self) -> None:
        """End the worker and all that it started."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def last_words(self) -> str:
        """Return the end of what it wrote to standard error."""
        try:
            return tail(self._errors, _TAIL_BYTES).decode("utf-8", "replace")
        except OSError:
            return ""

    def store_native_output(self, folder: Path, job: str, redactor: Redactor) -> None:
        """Store its standard error in a file of the job's name."""
        store(self._errors, folder, job, redactor)

    def remove(self) -> None:
        """Remove its folder and log."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._errors.unlink(missing_ok=True)

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def _write(self, line: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            pass  # its end is noticed by the reader

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            pass
