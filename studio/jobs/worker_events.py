"""What a worker is sent and what it answers, a line of JSON each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from studio.documents.dataclass_json import JsonValue
from studio.jobs.protection_guard import ProtectionGuard
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class WorkerTask:
    """The one job of a worker.

    Attributes:
        entry: ``"module:function"`` of the work.
        options: ``"module:class"`` of the dataclass that the work takes, or empty.
        log_level: Records below it are not sent.
        preprocess: That of the project, for pictures; empty without one.
        guard: Protected targets; None for a step without targets.
    """

    entry: str
    arguments: Mapping[str, JsonValue]
    folder: str
    memory_mb: int
    cpu_seconds: int
    log_level: int
    options: str = ""
    preprocess: str = ""
    guard: ProtectionGuard | None = None


@dataclass(frozen=True, slots=True)
class WorkerEvent:
    """An event of a worker; which fields are given depends on its kind.

    Attributes:
        event: Kind: ``ready``, ``progress``, ``log``, ``plugin``, ``message``; at last ``result``,
            ``error``, ``memory`` or ``cancelled``. Empty for a worker that just ended.
        level, logger, keys, traceback: Of a record for the log. The worker is not trusted with
            them, so they may be of any type.
        name, values: Of a message.
        result: The JSON form of what the work returned.
        error, fields: Class of an error, and the fields that it adds.
    """

    event: str = ""
    done: float = 0.0
    total: float = 0.0
    text: object = ""
    level: object = None
    logger: object = ""
    keys: object = None
    traceback: object = ""
    plugin: str = ""
    name: str = ""
    values: dict[str, JsonValue] = field(default_factory=dict)
    result: dict[str, JsonValue] = field(default_factory=dict)
    message: str = ""
    hint: str = ""
    detail: str = ""
    exit_code: int = 1
    error: str = ""
    fields: Mapping[str, JsonValue] = field(default_factory=dict)
