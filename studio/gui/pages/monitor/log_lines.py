"""Lines of a server's log as sentences with a time, a level and a subject."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from studio.documents.dataclass_json import read_parts
from studio.gui import figures
from studio.lazy_dataclass import dataclass

INFO, WARNING, ERROR = "info", "warning", "error"
_LEAST_ERROR, _LEAST_WARNING = 500, 400
_OWN_READS = ("/edgewright/status", "/edgewright/telemetry", "/metrics", "/v2/health/")
"""Reads by the monitor itself; a successful one is not listed."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the log as a sentence.

    Attributes:
        at: Local time to the millisecond; empty where the line has none.
        level: ``info``, ``warning`` or ``error``.
        subject: ``request``, ``release`` or ``server``.
    """

    at: str
    level: str
    subject: str
    text: str

    def matches(self, words: Sequence[str]) -> bool:
        """Return whether each word is in the line."""
        text = f"{self.at} {self.level} {self.subject} {self.text}".lower()
        return all(word in text for word in words)


@dataclass(frozen=True, slots=True)
class _LogLine:
    """The known fields of a server's line; an earlier or later runtime has others.

    Attributes:
        event: Empty in the line that a start writes.
    """

    at: str = ""
    event: str = ""
    name: str = "The model"
    version: str = ""
    endpoint: str = ""
    reason: str = ""
    error: str = ""
    status: int = 0
    method: str = ""
    path: str = ""
    peer: str = ""
    received: int = 0
    bytes: int = 0
    connections: int = 0

    @property
    def model(self) -> str:
        """The name with the version."""
        return f"{self.name}{f' v{self.version}' if self.version else ''}"

    @property
    def why(self) -> str:
        """The reason or the error, without its full stop."""
        return (self.reason or self.error or "unknown reason").rstrip(".")


def entries(lines: Iterable[str]) -> tuple[LogEntry, ...]:
    """Return the lines as sentences, the newest first; reads by the monitor are left out."""
    found = [entry for line in lines if (entry := _entry(line)) is not None]
    return tuple(reversed(found))


def _entry(line: str) -> LogEntry | None:
    text = line.strip()
    if not text:
        return None
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        return LogEntry("", _level_of(text), "server", text)
    known = read_parts(_LogLine, values)
    at = _time(known.at)
    if known.event == "request":
        return _request(at, known)
    make = _SENTENCES.get(known.event) or _SENTENCES.get(known.event.partition(" ")[0])
    if make is not None:
        level, subject, text = make(known)
        return LogEntry(at, level, subject, text)
    facts = ", ".join(
        f"{key} {value if isinstance(value, str) else json.dumps(value)}"
        for key, value in values.items()
        if key not in ("at", "event")
    )
    sentence = f"{known.event.capitalize()}{': ' if facts else ''}{facts.rstrip('.')}."
    return LogEntry(at, ERROR if known.error else INFO, "server", sentence)


def _request(at: str, line: _LogLine) -> LogEntry | None:
    status = line.status
    if status < _LEAST_WARNING and line.path.startswith(_OWN_READS):
        return None
    level = ERROR if status >= _LEAST_ERROR else WARNING if status >= _LEAST_WARNING else INFO
    done = {ERROR: "failed", WARNING: "refused", INFO: "answered"}[level]
    parts = [
        f"{line.method} {line.path} {done}, status {status}",
        f"{figures.size(line.received)} received" if line.received else "",
        f"{figures.size(line.bytes)} sent" if line.bytes else "",
        f"from {line.peer}" if line.peer else "",
        line.error.rstrip("."),
    ]
    return LogEntry(at, level, "request", ", ".join(filter(None, parts)) + ".")


_SENTENCES: Mapping[str, Callable[[_LogLine], tuple[str, str, str]]] = {
    "": lambda line: (
        INFO, "server", f"The server started with {line.model} at {line.endpoint}."
    ),
    "ready": lambda line: (INFO, "server", f"{line.model} is ready at {line.endpoint}."),
    "reloaded": lambda line: (INFO, "release", f"{line.model} is live."),
    "taken": lambda line: (ERROR, "release", f"Automatic rollback: {line.why}."),
    "draining": lambda line: (
        INFO, "server",
        f"The server stops after {figures.count(line.connections, 'open connection')}.",
    ),
    "stopped": lambda line: (INFO, "server", "The server stopped."),
    "not warmed up": lambda line: (
        WARNING, "release", f"{line.name} was not warmed up: {line.why}."
    ),
    "not loaded": lambda line: (ERROR, "release", f"{line.name} was not loaded: {line.why}."),
    "certificate": lambda line: (
        ERROR, "server", f"The certificate was not loaded: {line.why}."
    ),
}  # fmt: skip


def _level_of(text: str) -> str:
    """Return the level of a line without one: its words decide."""
    low = text.lower()
    if any(word in low for word in ("error", "traceback", "exception", "fatal", "critical")):
        return ERROR
    return WARNING if "warn" in low else INFO


def _time(value: str) -> str:
    try:
        point = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return ""
    point = (point if point.tzinfo else point.replace(tzinfo=UTC)).astimezone()
    return point.strftime("%H:%M:%S.") + f"{point.microsecond // 1000:03d}"
