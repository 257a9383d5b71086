"""Slurm's commands, and what they answer."""

from __future__ import annotations

import shlex
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from studio.api import TargetError

_SECONDS = 60.0
_FRESH_S = 1.0
"""Time for which an answer of the queue counts: one question for all tasks."""

_MISSED = 3
"""Looks at a queue without the job, after which it counts as dropped."""

_FIELDS = "%i|%T|%N|%r"
_EXPORTED = "PATH,HOME,USER,LANG,PYTHONPATH,VIRTUAL_ENV,EDGEWRIGHT_HOME"
"""Variables of a job: no token or key of the user's environment is among them."""

_FLAGS = {"cpus": "cpus-per-task"}


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A line of the queue.

    Attributes:
        state: Slurm's word: ``PENDING``, ``RUNNING``, ``NODE_FAIL`` ...
        reason: Why it waits.
    """

    number: str
    state: str
    node: str = ""
    reason: str = ""


def submitted(words: Sequence[str], folder: Path, title: str, options: Mapping[str, str]) -> str:
    """Queue a command; returns the job's number.

    Slurm itself never starts it again: a lost task is a new job.

    Raises:
        TargetError: when Slurm refuses.
    """
    flags = [f"--{_FLAGS.get(name, name)}={value}" for name, value in options.items()]
    script = f"#!/bin/sh\nexec {shlex.join(words)}\n"
    found = _run(
        "sbatch",
        "--parsable",
        "--no-requeue",
        f"--export={_EXPORTED}",
        f"--job-name=edgewright {title}"[:100],
        f"--output={folder / 'slurm.log'}",
        f"--chdir={folder}",
        *flags,
        given=script,
    )
    return found.strip().partition(";")[0]


class Queue:
    """The user's jobs, read once a second at most."""

    def __init__(self) -> None:
        self._jobs: dict[str, QueuedJob] = {}
        self._missed: dict[str, int] = {}
        self._looked = float("-inf")
        self._lock = threading.Lock()

    def job(self, number: str) -> QueuedJob | None:
        """Return a job; None where it is not known for a moment.

        Raises:
            TargetError: when the controller has not answered for long.
        """
        with self._lock:
            if time.monotonic() >= self._looked + _FRESH_S:
                self._refresh(number)
            found = self._jobs.get(number)
            if found is None and self._missed.get(number, 0) >= _MISSED:
                return QueuedJob(number, "dropped by Slurm")
            return found

    def cancel(self, number: str) -> None:
        """End a job, if it is still there."""
        _run("scancel", "--quiet", number, may_fail=True)

    def _refresh(self, number: str) -> None:
        text = _run("squeue", "--me", "--noheader", "--states=all", f"--format={_FIELDS}")
        self._looked = time.monotonic()
        lines = [line.split("|") for line in text.splitlines() if line.count("|") == 3]
        self._jobs = {line[0]: QueuedJob(*line) for line in lines}
        missed = number not in self._jobs
        self._missed[number] = self._missed.get(number, 0) + 1 if missed else 0


def _run(*words: str, given: str = "", may_fail: bool = False) -> str:
    """Run one of Slurm's commands; returns what it printed.

    Raises:
        TargetError: when it fails, or takes too long.
    """
    try:
        done = subprocess.run(
            words, input=given, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TargetError(f"{words[0]} gave no answer: {error}.") from error
    if done.returncode and not may_fail:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        reason = lines[-1] if lines else f"exit code {done.returncode}"
        raise TargetError(f"Slurm refused: {reason.rstrip('.')}.", detail=done.stderr)
    return done.stdout
