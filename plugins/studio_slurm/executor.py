"""A Slurm cluster as an executor: jobs by ``sbatch``, files by a folder that the nodes share.

Slurm's own commands are enough. A library that sends functions as pickles is not used: a node
runs the program of its own studio on a document.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from pathlib import Path
from urllib.parse import parse_qsl

from studio.api import (
    ExecutorSession,
    ProgramStart,
    SharedFolder,
    TaskOrder,
    TaskPhase,
    TaskSight,
    Unavailable,
    UsageError,
)
from studio.api.tasks.executors import PROGRAM
from studio_slurm.commands import Queue, QueuedJob, submitted

_OPTIONS = ("partition", "account", "qos", "time", "cpus", "mem", "gres", "constraint", "python")
_FORM = f"slurm:/SHARED/FOLDER, with ?NAME=VALUE of {', '.join(_OPTIONS)}"
_WAITS = frozenset({"PENDING", "CONFIGURING", "REQUEUED", "SUSPENDED"})
_DONE = "COMPLETED"
_LATE_S = 15.0
"""What a node has written may be seen here later than the end of its job."""

_RUNS = frozenset({"RUNNING", "COMPLETING", "STAGE_OUT", "SIGNALING"})


class SlurmExecutor:
    """Clusters whose commands this computer has."""

    id = "slurm"
    title = "Slurm cluster"
    schemes = ("slurm",)

    def open(self, address: str, start: ProgramStart | None = None) -> ExecutorSession:
        """Make the folder of this session's tasks in the shared folder."""
        path, _, query = address.partition(":")[2].partition("?")
        given = dict(parse_qsl(query, keep_blank_values=True))
        if not os.path.isabs(path) or not set(given) <= set(_OPTIONS) or not all(given.values()):
            raise UsageError(f"--on {address}: the address must be {_FORM}.")
        if any("\n" in value or "\0" in value for value in (path, *given.values())):
            raise UsageError(f"--on {address}: the address must be one line.")
        if shutil.which("sbatch") is None:
            raise Unavailable(
                "Slurm's commands are not installed here: sbatch is missing.",
                hint="apt-get install slurm-client, with the cluster's slurm.conf and key.",
            )
        return SlurmSession(Path(path), given)


class SlurmSession:
    """Jobs of one user on one cluster."""

    def __init__(self, folder: Path, options: dict[str, str]) -> None:
        self._shared = SharedFolder(folder)
        self._python = options.pop("python", "") or sys.executable
        self._options = options
        self._queue = Queue()
        self._jobs: dict[str, str] = {}
        self._done: dict[str, float] = {}
        self._lock = threading.Lock()

    def submit(self, order: TaskOrder) -> None:
        """Write the inputs and queue a job."""
        with self._lock:
            folder = self._shared.lay(order)
            words = [self._python, *PROGRAM, str(folder), str(self._shared.inputs)]
            self._jobs[order.id] = submitted(words, folder, order.title, self._options)

    def look(self, task: str) -> TaskSight:
        """Return what is known of a task: its job's state first, then what it has written."""
        with self._lock:
            job = self._queue.job(self._jobs[task])
            events = self._shared.events(task)
        if job is None or job.state in _RUNS or events:
            return TaskSight(TaskPhase.RUNNING, node=job.node if job else "", events=events)
        if job.state in _WAITS:
            return TaskSight(TaskPhase.WAITING, reason=job.reason)
        if job.state == _DONE and time.monotonic() < self._done.setdefault(task, _late()):
            return TaskSight(TaskPhase.RUNNING, node=job.node)
        return TaskSight(TaskPhase.LOST, node=job.node, reason=self._how(job, task))

    def cancel(self, task: str) -> None:
        """End a job; a running one gets SIGTERM."""
        self._queue.cancel(self._jobs[task])

    def fetch(self, task: str, file: Path) -> None:
        """Copy the output."""
        self._shared.fetch(task, file)

    def forget(self, task: str) -> None:
        """End a job that is still there, and remove its folder."""
        with self._lock:
            number = self._jobs.pop(task, "")
            self._done.pop(task, None)
        if number:
            self._queue.cancel(number)
        self._shared.forget(task)

    def close(self) -> None:
        """End everything; the inputs stay for the next session."""
        for task in list(self._jobs):
            self.forget(task)

    def _how(self, job: QueuedJob, task: str) -> str:
        words = self._last_words(task)
        return f"{job.state}, {words}" if words else job.state

    def _last_words(self, task: str) -> str:
        try:
            text = (self._shared.task(task) / "slurm.log").read_text("utf-8", "replace")[-2000:]
        except OSError:
            return ""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[-1] if lines else ""


def _late() -> float:
    return time.monotonic() + _LATE_S
