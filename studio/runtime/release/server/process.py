"""Server as a detached process, for machines without a service manager."""

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
    """Started process, and the mark that later processes with its number lack."""

    pid: int = 0
    started: str = ""


class DetachedProcess:
    """Server in a session of its own; only its supervisor restarts workers.

    Nothing starts it again when the supervisor itself ends, or the machine restarts.
    """

    name = "process"

    def __init__(self, layout: Layout, service: Mapping[str, object]) -> None:
        self._layout = layout
        self._pid, self._since = read(_NotedProcess, service)
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Number of the supervisor; 0 when none was started."""
        return self._pid

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> dict[str, object]:
        """Start it with its output in the log; return the facts that identify the process."""
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
        """Do nothing: there is no next start to prepare."""

    def runs(self) -> bool:
        """Return whether the process that was started still lives."""
        if self._child is not None:
            return self._child.poll() is None
        # Another process may have the number by now, so its start time is compared, too.
        return bool(self._since) and started(self._pid) == self._since

    def stop(self, seconds: float) -> bool:
        """Let it finish its requests, then kill it if necessary; return whether it ran."""
        if not self.runs():
            return False
        # SIGTERM lets the supervisor finish its requests; SIGKILL is for one that hangs.
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
        """Return the end of its log."""
        try:
            with open(self._layout.server_log, "rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def facts(self) -> dict[str, object]:
        """Return the facts of a process: it does not start at boot."""
        return {"enabled": False}

    def _rotate(self) -> None:
        log = self._layout.server_log
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            os.replace(str(log), str(log) + ".1")
