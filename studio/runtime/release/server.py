"""The serving process of a target: starting, reloading, waiting for it, stopping."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .errors import ReleaseError
from .files import write_atomically
from .layout import Layout

_POLL_S = 0.02
_LOG_BYTES = 8 << 20
_TAIL_BYTES = 4000


class Address(NamedTuple):
    """Where the server listens; port 0 lets it choose."""

    host: str
    port: int


class Server:
    """The one process that serves ``current``; it outlives the command that started it."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._child: subprocess.Popen[bytes] | None = None

    def report(self) -> dict[str, Any]:
        """What the server last wrote about itself; empty where there is nothing."""
        return _read(self._layout.server)

    def service(self) -> dict[str, Any]:
        """Which process was started here, and how."""
        return _read(self._layout.service)

    def runs(self) -> bool:
        """Whether the process that was started here still lives."""
        service = self.service()
        pid = int(service.get("pid", 0))
        if self._child is not None and self._child.pid == pid:
            return self._child.poll() is None
        return pid > 0 and _started(pid) == service.get("started")

    def serves(self, digest: str) -> bool:
        """Whether it lives, is ready, and serves this release."""
        report = self.report()
        return report.get("digest") == digest and report.get("state") == "ready" and self.runs()

    def listens(self, address: Address) -> bool:
        """Whether it is where it shall be. It changes interpreters by itself, never its address."""
        service = self.service()
        asked = address.port in (0, service.get("port"), self.report().get("port"))
        return asked and service.get("host") == address.host

    def start(self, binding: Mapping[str, Any], address: Address) -> None:
        """Start it as a process of its own session, with its output in the log."""
        layout = self._layout
        with contextlib.suppress(FileNotFoundError):
            layout.server.unlink()
        self._rotate()
        with open(layout.server_log, "ab") as log:
            self._child = subprocess.Popen(
                [
                    *command(layout, binding),
                    "serve",
                    *("--root", str(layout.root)),
                    *("--host", address.host, "--port", str(address.port)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=str(layout.root),
                env=environment(),
                start_new_session=True,
                close_fds=True,
            )
        service = {
            "pid": self._child.pid,
            "started": _started(self._child.pid),
            "host": address.host,
            "port": address.port,
        }
        service.update({key: binding[key] for key in ("runtime", "env", "python")})
        write_atomically(layout.service, json.dumps(service, sort_keys=True).encode())

    def stamp(self) -> tuple[int, int]:
        """Changes each time the server writes its report."""
        try:
            found = self._layout.server.stat()
        except OSError:
            return (0, 0)
        return (found.st_ino, found.st_mtime_ns)

    def reload(self) -> None:
        """Ask it to read ``current`` again."""
        os.kill(int(self.service()["pid"]), signal.SIGHUP)

    def wait_for(self, digest: str, before: tuple[int, int], seconds: float) -> dict[str, Any]:
        """Wait until it reports that it serves a release.

        Args:
            before: Its stamp before it was asked; older reports do not count.

        Raises:
            ReleaseError: when it says that it cannot, ends, or is too slow.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            alive = self.runs()
            report = self.report() if self.stamp() != before else {}
            if report.get("state") == "ready" and report.get("digest") == digest:
                return report
            if report.get("state") == "failed":
                raise self._failure(str(report.get("error") or "it gave no reason"))
            if not alive:
                raise self._failure("the server ended while it was starting")
            time.sleep(_POLL_S)
        raise self._failure("it was not ready after {:g} s".format(seconds))

    def stop(self, seconds: float = 15.0) -> bool:
        """Ask it to finish its requests and end; kill it when it does not. Whether it ran."""
        if not self.runs():
            return False
        pid = int(self.service()["pid"])
        for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 5.0)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline:
                if not self.runs():
                    return True
                time.sleep(_POLL_S)
        return True

    def tail(self) -> str:
        """The end of the server's log."""
        try:
            content = self._layout.server_log.read_bytes()
        except OSError:
            return ""
        return content[-_TAIL_BYTES:].decode("utf-8", "replace")

    def _failure(self, reason: str) -> ReleaseError:
        return ReleaseError(
            "not-ready",
            "The release could not be served: {}.".format(reason.rstrip(".")),
            "The release that ran before is still in place.",
            self.tail(),
        )

    def _rotate(self) -> None:
        log = self._layout.server_log
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            os.replace(str(log), str(log) + ".1")


def command(layout: Layout, binding: Mapping[str, Any]) -> list[str]:
    """The start of a command line that runs a release's own runtime."""
    # An interpreter inside the folder of releases is kept relative, so that the folder can move.
    python = layout.root / str(binding["python"])
    return [str(python), str(layout.runtimes / str(binding["runtime"]))]


def environment() -> dict[str, str]:
    """The environment of processes that load a model."""
    values = dict(os.environ, ORT_DISABLE_TELEMETRY="1", PYTHONUNBUFFERED="1")
    # A server outlives whoever started it, and so may their folder for temporary files.
    for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "TMPDIR", "MPLCONFIGDIR"):
        values.pop(name, None)
    return values


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _started(pid: int) -> str:
    """What tells this process from a later one with the same number; empty when it is gone."""
    try:
        with open("/proc/{}/stat".format(pid), "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        with open("/proc/sys/kernel/random/boot_id") as file:
            boot = file.read().strip()
    except OSError:
        return _exists(pid)
    return "" if fields[0] in (b"Z", b"X") else "{}:{}".format(boot, fields[19].decode())


def _exists(pid: int) -> str:
    """For systems without /proc: whether there is such a process."""
    if os.path.isdir("/proc/self"):
        return ""
    try:
        os.kill(pid, 0)
    except OSError:
        return ""
    return "alive"
