"""How a job ended, as a value that can say itself."""

from __future__ import annotations

import enum
import signal
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from studio.documents.dataclass_json import to_json
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.jobs.worker_events import WorkerEvent


class End(enum.Enum):
    """The ways in which a job ends."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    CRASHED = "crashed"
    TIMED_OUT = "timed out"
    OUT_OF_MEMORY = "out of memory"


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """The end of a job.

    Attributes:
        result: What the work returned (a dataclass for a step that declares one, else a JSON
            object); an empty object unless it succeeded.
        message: The error's sentence.
        hint: What the user can do about it.
        detail: The traceback or the worker's last words, for the disclosure.
        exit_code: What the command line exits with.
        silence: Seconds without a word after which it was stopped; 0 if that was not the reason.
        error: Name of the error's class in ``studio.api`` (``UnknownHost``), with its ``fields``.
        plugin: The plugin, not one of the studio's own, whose code failed or killed the worker.
    """

    end: End
    title: str = ""
    result: Any = field(default_factory=dict)
    message: str = ""
    hint: str = ""
    detail: str = ""
    exit_code: int = 0
    signal: int = 0
    seconds: float = 0.0
    silence: float = 0.0
    error: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    plugin: str = ""

    @property
    def document(self) -> dict[str, Any]:
        """The result in its JSON form."""
        return dict(to_json(self.result))

    @property
    def ok(self) -> bool:
        """Whether the work was done."""
        return self.end is End.SUCCEEDED

    @property
    def sentence(self) -> str:
        """The outcome in one sentence."""
        if self.end is End.FAILED:
            return self.message
        if self.end is End.CRASHED:
            using = f" while it used the plugin {self.plugin}" if self.plugin else ""
            cause = signal_name(self.signal)
            return f"{self.title} failed: the worker was killed by {cause}{using}."
        if self.end is End.TIMED_OUT and self.silence:
            return f"{self.title} was stopped: no progress for {self.silence:.0f} s."
        if self.end is End.TIMED_OUT:
            return f"{self.title} was stopped after {self.seconds:.0f} s, its time limit."
        if self.end is End.OUT_OF_MEMORY:
            return f"{self.title} was stopped: out of memory."
        if self.end is End.CANCELLED:
            return f"{self.title} was cancelled."
        return f"{self.title} took {self.seconds:.1f} s."


def signal_name(number: int) -> str:
    """Return the name of a signal."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return "an unknown cause"


def failure(event: WorkerEvent) -> JobOutcome:
    """Return the outcome of a job that an error ended, described by its event."""
    return JobOutcome(
        End.FAILED,
        message=event.message,
        hint=event.hint,
        detail=event.detail,
        exit_code=event.exit_code,
        error=event.error,
        fields=event.fields,
        plugin=str(event.fields.get("plugin", "")),
    )
