"""A step: one action that changes something, described as data.

A click, a command and a line of a pipeline are three ways to ask for the same step. A stage keeps
its steps in its ``step.py``, which imports nothing heavy: the work is named, not imported, and
runs in a worker; the record is made by the parent when the work has succeeded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from studio.api import Option, Permission, Progress


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use. 0 means no limit.

    Attributes:
        memory_mb: Memory of each process of the worker, and 1.5 times as much for all of them
            together. 0 means a share of the machine's for a job that may parse or run a model.
        seconds: Wall time.
        cpu_seconds: Processor time.
        silence: Longest time without a word from the worker. It ends a model that never returns
            from an inference, however long the whole job may take.
    """

    memory_mb: int = 0
    seconds: float = 0.0
    cpu_seconds: int = 0
    silence: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """A named action.

    Attributes:
        name: The command's name (``quantize``).
        work: ``"module:function"``, called in a worker as ``function(arguments, job)`` where
            arguments maps each option's name to its checked value (a MODEL option arrives as the
            JSON form of ``registry.ModelRef``, a TARGET option as that of ``api.TargetSpec``).
            It writes files only below ``job.folder`` and returns a JSON object.
        record: ``"module:function"``, called in the parent after success as
            ``function(registry, arguments, result, folder)``; returns the final result.
        prepare: ``"module:function"``, called in the parent before the worker starts as
            ``function(registry, arguments)``; returns the arguments, with what the work must know
            of the registry added (the number of the next version).
        needs: What the worker may reach beyond the registry and the files that it was given.
        remote_needs: What it may reach besides when a TARGET option names another machine; a
            step that parses or runs a model here needs nothing while it stays here.
        signing_needs: What it may reach besides when a key to sign with is named (``sign``); the
            model is then parsed by a worker of its own, which never sees the key.
    """

    name: str
    title: str
    summary: str
    options: tuple[Option, ...]
    work: str
    record: str = ""
    prepare: str = ""
    needs: frozenset[Permission] = frozenset()
    remote_needs: frozenset[Permission] = frozenset()
    signing_needs: frozenset[Permission] = frozenset()
    limits: Limits = field(default_factory=Limits)


class Job(Progress, Protocol):
    """What a step's work may use, inside its worker.

    Attributes:
        folder: The one folder that it may write to; it is removed after the record was made.
    """

    folder: Path

    def event(self, name: str, /, **values: Any) -> None:
        """Send a small JSON message to whoever watches the job (a live sample, a finished row)."""


Arguments = Mapping[str, Any]
Result = dict[str, Any]
