"""The user's settings, each described as data, kept in one JSON file."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from studio.api import Kind, Option, UsageError
from studio.settings.files import write_atomically

SETTINGS: Mapping[str, Option] = {
    option.name: option
    for option in (
        Option("theme", Kind.CHOICE, "system", "Theme", choices=("system", "light", "dark")),
        Option(
            "sandbox",
            Kind.FLAG,
            True,
            "Sandbox for workers",
            "Run workers in bubblewrap, or in Landlock without it.",
        ),
        Option(
            "worker_memory_mb",
            Kind.INTEGER,
            0,
            "Memory limit of a worker",
            "Limit of each worker process; 0: half of this computer's memory.",
            unit="MB",
            minimum=0,
        ),
        Option(
            "patience_s",
            Kind.INTEGER,
            300,
            "Worker timeout",
            "Stop a worker without progress for this time.",
            unit="s",
            minimum=1,
        ),
        Option(
            "log_level",
            Kind.CHOICE,
            "info",
            "Log level",
            "Detail of the log in the data folder.",
            choices=("info", "debug"),
        ),
        Option("alerts", Kind.FILE, "", "Alert rules", "Alert file for monitoring in the window."),
        Option("operator", Kind.TEXT, "", "Your name in release histories"),
        Option(
            "closing",
            Kind.CHOICE,
            "ask",
            "When the window closes during a job",
            "Earlier results are always kept.",
            choices=("ask", "background", "stop"),
        ),
        Option("window", Kind.TEXT, "", "Saved arrangement of the window"),
    )
}

_Values = dict[str, Any]
_UNREADABLE = (OSError, ValueError, AttributeError, TypeError, UsageError)


class Settings:
    """The values that differ from the defaults.

    An unreadable file counts as empty and is renamed, never overwritten. What another process has
    stored since is read before each change, and stays.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values = self._read()
        self._unsaved: _Values = {}

    def __getitem__(self, name: str) -> Any:
        return self._values.get(name, _option(name).default)

    def __setitem__(self, name: str, value: Any) -> None:
        checked = _option(name).check(value)
        self._values[name] = self._unsaved[name] = checked  # a full disk does not undo it
        with _locked(self._path):
            stored = self._stored_now()
            self._values = {**stored, **self._unsaved}
            if self._values != stored:
                text = json.dumps(self._values, indent=1, sort_keys=True) + "\n"
                write_atomically(self._path, text.encode(), mode=0o600)
        self._unsaved.clear()

    def _stored_now(self) -> _Values:
        """Return what is stored at this moment; what this process knows if that is unreadable."""
        try:
            return _stored(self._path)
        except _UNREADABLE:
            return dict(self._values)

    def _read(self) -> _Values:
        try:
            return _stored(self._path)
        except _UNREADABLE:
            self._move_aside()
            return {}

    def _move_aside(self) -> None:
        try:
            self._path.replace(self._path.with_suffix(".damaged.json"))
        except OSError:
            pass


def _stored(path: Path) -> _Values:
    """Return the stored values that are known, checked."""
    try:
        values = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    known = {name: value for name, value in values.items() if name in SETTINGS}
    return {name: SETTINGS[name].check(value) for name, value in known.items()}


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process at a time change a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _option(name: str) -> Option:
    try:
        return SETTINGS[name]
    except KeyError:
        raise UsageError(f"Unknown setting {name!r}.") from None
