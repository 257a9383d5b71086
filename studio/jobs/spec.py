"""The specification of a worker's job and its permissions, as one line of JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import field, is_dataclass
from pathlib import Path

from studio.api import Permission
from studio.documents.dataclass_json import JsonValue, to_json
from studio.jobs.protection_guard import ProtectionGuard
from studio.jobs.step import Limits
from studio.jobs.worker_events import WorkerTask
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class JobSpec:
    """The specification of one job.

    Attributes:
        entry: ``"module:function"``; empty where there is nothing but a record to make.
        title: For people (``Quantize digits``).
        step: Name of the step whose work it is; empty without one.
        reads: Files and folders, beyond the store, that the worker may read.
        options: ``"module:class"`` of the dataclass that the work takes; empty where it takes
            the arguments as they are.
        notes: Lines for the log of the job, written before it starts.
        preprocess: That of the project, for pictures without one of their own.
        asked: The options as they were given, for a repeat; the worker does not get them.
        isolated: The worker reads nothing of the profile but ``reads``.
        guard: Protected targets, for the worker that connects to some.
        on: Address of the executor that does it; empty for this computer.
    """

    id: str
    title: str
    entry: str
    arguments: Mapping[str, JsonValue]
    reads: tuple[Path, ...] = ()
    needs: frozenset[Permission] = frozenset()
    limits: Limits = field(default_factory=Limits)
    options: str = ""
    step: str = ""
    notes: tuple[str, ...] = ()
    asked: Mapping[str, JsonValue] = field(default_factory=dict)
    preprocess: Path | None = None
    isolated: bool = False
    on: str = ""
    guard: ProtectionGuard | None = None

    def line(self, folder: Path) -> bytes:
        """Return the document that is sent to the worker."""
        task = WorkerTask(
            entry=self.entry,
            arguments=self.arguments,
            options=self.options,
            folder=str(folder),
            memory_mb=self.limits.memory_mb,
            cpu_seconds=self.limits.cpu_seconds,
            log_level=logging.getLogger("studio").getEffectiveLevel(),
            preprocess=str(self.preprocess or ""),
            guard=self.guard,
        )
        return json.dumps(to_json(task)).encode() + b"\n"


def class_path(options: object) -> str:
    """Return where a worker finds the dataclass of options; empty for another type."""
    if isinstance(options, type) and is_dataclass(options):
        return f"{options.__module__}:{options.__qualname__}"
    return ""
