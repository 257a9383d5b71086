"""A server that is a detached process of its own: where no service manager is."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...shared.process_identity import started
from ...shared.records import read
from ..store.layout import Layout

_POLL_S = 0.02
_LOG_BYTES = 8 << 20
_TAIL_BYTES = 4000


class _NotedProcess(NamedTuple):
    """The process that was started, and what tells it from others with its number."""

    pid: int = 0
    started: str = ""


class DetachedProcess:
    """Starts the server in a session of its own; its supervisor alone restarts workers.

    Nobody starts it again when the supervisor itself ends, or the machine restarts.
    """

    name = "process"

    def __init__(self, layout: Layout, service: Mapping[str, object]) -> None:
        self._layout = layout
        self._pid, self._since = read(_NotedProcess, service)
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the supervisor; 0 when none was started."""
        return self._pid

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> dict[str, object]:
        """Start it with its output in the log; returns what tells it from other processes."""
        self._rotate()
        with open(self._layout.server_log, "ab") as log:
            self._child = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=str(self._layout.root),
                env=dict(environment),
                start_new_session=True,
                close_fds=True,
            )
        self._pid, self._since = self._child.pid, started(self._child.pid)
        return {"pid": self._pid, "started": self._since}

    def settle(self, command: Sequence[str]) -> None:
        """Nothing is kept for the next start."""

    def runs(self) -> bool:
        """Whether the process that was started still lives."""
        if self._child is not None:
            return self._child.poll() is None
        return bool(self._since) and started(self._pid) == self._since

    def stop(self, seconds: float) -> bool:
        """Ask it to finish its requests and end; kill it when it does not. Whether it ran."""
        if not self.runs():
            return False
        for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 5.0)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, number)
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline:
                if not self.runs():
                    return True
                time.sleep(_POLL_S)
        return True

    def tail(self) -> str:
        """The end of its log."""
        try:
            with open(self._layout.server_log, "rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def facts(self) -> dict[str, object]:
        """What is known beyond whether it runs."""
        return {"enabled": False}

    def _rotate(self) -> None:
        log = self._layout.server_log
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            os.replace(str(log), str(log) + ".1")
