"""Workers on other computers, as jobs see them; a feature brings them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from studio.api import UsageError
from studio.feature_host import Slot, added_texts
from studio.jobs.sandbox import Containment
from studio.jobs.spec import JobSpec
from studio.jobs.worker_events import WorkerEvent
from studio.settings import Paths
from studio.settings.redaction import Redactor


class Worker(Protocol):
    """The worker of one job, here or elsewhere; ``cancel`` may be called from any thread.

    Attributes:
        folder: The job's folder on this computer.
    """

    folder: Path

    @property
    def cancel_requested(self) -> bool:
        """Whether the user cancelled the job."""

    def send(self, spec: JobSpec) -> None:
        """Give it the job."""

    def cancel(self) -> None:
        """Request a stop."""

    def events(
        self, seconds: float = 0.0, silence: float = 0.0, memory_mb: float = 0.0
    ) -> Iterator[WorkerEvent]:
        """Yield what it sends until its end.

        Raises:
            WorkerStalled, TooMuchMemory, TimeoutError: when a limit has ended it.
        """

    def finish(self) -> int:
        """Wait for its end; return the signal that ended it, or 0."""

    def last_words(self) -> str:
        """Return the end of what it wrote to standard error."""

    def store_native_output(self, folder: Path, job: str, redactor: Redactor) -> None:
        """Store what native libraries wrote."""

    def remove(self) -> None:
        """Remove its folder."""


class Executors(Protocol):
    """The opened sessions of one runner of jobs."""

    def worker(self, address: str, folder: Path) -> Worker:
        """Return a worker for one job, whose folder here does not exist yet.

        Raises:
            UsageError: when no executor has such an address.
            StudioError: when it cannot be opened.
        """

    def close(self) -> None:
        """Close every session."""


MakeExecutors = Callable[[Paths, Sequence[Path], Callable[[], Containment]], Executors]
"""Called with what every worker here may read, the store first, and with the sandbox's state."""

_EXECUTORS: Slot[MakeExecutors] = Slot("executors of jobs")


def has_executors() -> bool:
    """Return whether a feature does jobs on other computers."""
    return bool(added_texts("executors of jobs"))


def make_executors(
    paths: Paths, readable: Sequence[Path], containment: Callable[[], Containment]
) -> Executors:
    """Return what opens addresses of other computers.

    Raises:
        UsageError: when no feature does.
    """
    for make in _EXECUTORS.added():
        return make(paths, readable, containment)
    raise UsageError("This installation runs steps on this computer only.", hint="Leave out --on.")
