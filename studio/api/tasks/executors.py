"""Executors: other computers that do tasks for the studio, and the state of a task there.

A task is the work of one step: its name, options as JSON, and input files by their SHA-256. No
code travels. A node runs ``PROGRAM`` of its own studio on a folder with the document. An executor
has a folder that all nodes share (``shared_tasks``), or a store of its own.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    import subprocess

DOCUMENT, EVENTS, OUTPUT = "task.json", "events.jsonl", "output.tar"
"""Files of a task's folder: what to do, events as lines of JSON, and the files that were made.

The program appends to the events. The archive of files is complete before the last event.
"""

PROGRAM = ("-P", "-m", "studio.steps.task_node")
"""What a node's Python is given before the task's folder and the folder of the inputs."""


class TaskPhase(enum.Enum):
    """Where a task is on its way."""

    WAITING = "waiting"  # for a place on a node
    RUNNING = "running"
    ENDED = "ended"  # all its events are there
    LOST = "lost"  # with its node, or because the executor dropped it


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """One attempt at a task.

    Attributes:
        id: Letters, digits and hyphens; no other attempt has it.
        title: For people, in the lists of the executor.
        document: Content of ``task.json``.
        inputs: Files by their SHA-256.
    """

    id: str
    title: str
    document: bytes
    inputs: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class TaskSight:
    """The state of a task at a moment.

    Attributes:
        node: Where it runs; empty while it waits.
        events: Whole lines of ``events.jsonl`` that came since the look before.
        reason: What it waits for, or how it was lost.
    """

    phase: TaskPhase
    node: str = ""
    events: bytes = b""
    reason: str = ""


class ExecutorSession(Protocol):
    """An executor that was opened. Its methods are called from several threads.

    Every method raises TargetError when the executor is away or refuses.
    """

    def submit(self, order: TaskOrder) -> None:
        """Bring the inputs there and queue the task."""

    def look(self, task: str) -> TaskSight:
        """Return what is known of a task. It is called several times a second."""

    def cancel(self, task: str) -> None:
        """End a task, whether it waits or runs; it is ``ENDED`` or ``LOST`` soon after."""

    def fetch(self, task: str, file: Path) -> None:
        """Write the task's ``output.tar`` to a file."""

    def forget(self, task: str) -> None:
        """Remove what is kept of a task, running or not."""

    def close(self) -> None:
        """End what still runs, and let go of the connection."""


class ProgramStart(Protocol):
    """Starts a program that parses answers of other computers in the studio's sandbox.

    It has the network, and a folder of its own that alone is writable. It reads the system, the
    studio's code and what is named. Its standard input and output are pipes.
    """

    def __call__(
        self, command: Sequence[str], reads: Sequence[Path], variables: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start it, as the leader of a process group.

        Args:
            variables: In addition to those of any worker.

        Raises:
            Unavailable: when this machine has no sandbox that protects the user's files.
        """


class Executor(Protocol):
    """A kind of computers elsewhere that do tasks: a cluster, a queue.

    Attributes:
        schemes: What its addresses begin with, before the colon.
    """

    id: str
    title: str
    schemes: tuple[str, ...]

    def open(self, address: str, start: ProgramStart) -> ExecutorSession:
        """Make ready to give it tasks.

        Args:
            start: For a program that the executor needs here.

        Raises:
            UsageError: when the address cannot be one.
            TargetError: when it does not answer.
            Unavailable: when a program or library for it is missing here.
        """
