"""Lines of a server's log as sentences with a time, a level and a subject."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from studio.documents.dataclass_json import JsonValue
from studio.gui import figures

INFO, WARNING, ERROR = "info", "warning", "error"
_LEAST_ERROR, _LEAST_WARNING = 500, 400
_OWN_READS = ("/edgewright/status", "/edgewright/telemetry", "/metrics", "/v2/health/")
"""Reads by the monitor itself; a successful one is not listed."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line.

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
    at = _time(values.get("at"))
    event = str(values.get("event", "started"))
    if event == "request":
        return _request(at, values)
    make = _SENTENCES.get(event)
    if make is None:
        facts = ", ".join(f"{key} {_plain(value)}" for key, value in values.items()
                          if key not in ("at", "event"))  # fmt: skip
        sentence = f"{event.capitalize()}{': ' if facts else ''}{facts}."
        return LogEntry(at, ERROR if "error" in values else INFO, "server", sentence)
    level, subject, text = make(values)
    return LogEntry(at, level, subject, text)


def _request(at: str, values: Mapping[str, JsonValue]) -> LogEntry | None:
    status, path = _whole(values.get("status")), str(values.get("path", ""))
    if status < _LEAST_WARNING and path.startswith(_OWN_READS):
        return None
    level = ERROR if status >= _LEAST_ERROR else WARNING if status >= _LEAST_WARNING else INFO
    done = {ERROR: "failed", WARNING: "refused", INFO: "answered"}[level]
    parts = [f"{values.get('method', '')} {path}".strip() + f" {done}, status {status}"]
    milliseconds = values.get("ms", values.get("latency_ms"))
    if figures.number(milliseconds) is not None:
        parts.append(f"{figures.milliseconds(milliseconds)} ms")
    parts += [f"{figures.size(values[key])} {word}" for key, word in
              (("received", "received"), ("bytes", "sent")) if values.get(key)]  # fmt: skip
    if values.get("peer"):
        parts.append(f"from {_plain(values['peer'])}")
    if values.get("error"):
        parts.append(_plain(values["error"]))
    return LogEntry(at, level, "request", ", ".join(parts) + ".")


_Sentence = tuple[str, str, str]
_SENTENCES: Mapping[str, Callable[[Mapping[str, JsonValue]], _Sentence]] = {
    "started": lambda v: (
        INFO, "server", f"The server started with {_model(v)} at {_plain(v.get('endpoint', ''))}."
    ),
    "ready": lambda v: (
        INFO, "server", f"{_model(v)} is ready at {_plain(v.get('endpoint', ''))}."
    ),
    "reloaded": lambda v: (INFO, "release", f"{_model(v)} is live."),
    "taken back": lambda v: (
        ERROR, "release", f"Automatic rollback: {_plain(v.get('reason', 'the trial failed'))}."
    ),
    "draining": lambda v: (
        INFO, "server",
        "The server stops after "
        f"{figures.count(_whole(v.get('connections')), 'open connection')}.",
    ),
    "stopped": lambda v: (INFO, "server", "The server stopped."),
    "not warmed up": lambda v: (
        WARNING, "release", f"{_plain(v.get('name', 'A model'))} was not warmed up: "
        f"{_plain(v.get('reason', ''))}.",
    ),
    "not loaded": lambda v: (
        ERROR, "release", f"{_plain(v.get('name', 'A model'))} was not loaded: "
        f"{_plain(v.get('reason', v.get('error', '')))}.",
    ),
    "certificate": lambda v: (
        ERROR, "server", f"The certificate was not loaded: {_plain(v.get('error', ''))}."
    ),
}  # fmt: skip


def _model(values: Mapping[str, JsonValue]) -> str:
    version = values.get("version")
    return f"{_plain(values.get('name', 'The model'))}{f' v{version}' if version else ''}"


def _plain(value: JsonValue) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.rstrip(".")


def _whole(value: JsonValue) -> int:
    return value if isinstance(value, int) else 0


def _level_of(text: str) -> str:
    """Return the level of a line without one: its words decide."""
    low = text.lower()
    if any(word in low for word in ("error", "traceback", "exception", "fatal", "critical")):
        return ERROR
    return WARNING if "warn" in low else INFO


def _time(value: JsonValue) -> str:
    try:
        point = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return ""
    point = (point if point.tzinfo else point.replace(tzinfo=UTC)).astimezone()
    return point.strftime("%H:%M:%S.") + f"{point.microsecond // 1000:03d}"
