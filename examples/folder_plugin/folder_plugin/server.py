"""The process that serves a release: started apart from the studio, found again, ended."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from studio.api import Progress, TargetError

LOG = "log"
ANNOUNCED = "started.json"
"""What the server says when it listens: one line of JSON with its ``endpoint``."""

_PATIENCE_S = 60.0
_END_S = 10.0
_PAUSE_S = 0.05


def start(place: Path) -> dict[str, Any]:
    """Start the runtime on a bundle at a free port; it outlives this process."""
    command = [sys.executable, str(place / "runtime.pyz"), "serve", "--port", "0"]
    command += ["--bundle", str(place / "bundle")]
    new = os.O_WRONLY | os.O_CREAT
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(place / ANNOUNCED), new | os.O_TRUNC, 0o644),
        (os.POSIX_SPAWN_OPEN, 2, str(place / LOG), new | os.O_APPEND, 0o644),
    ]
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=files, setsid=True)
    return {"pid": pid, "started": started(pid)}


def wait(server: dict[str, Any], place: Path, progress: Progress) -> int:
    """Wait until the server answers; its port.

    Raises:
        TargetError: when it ends before, or is not ready in time.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        progress.progress(0, 0, "Waiting for the server")
        if not lives(server):
            said = (place / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
            raise TargetError(f"The server of the release has ended: {said[-1] if said else '?'}.")
        text = (place / ANNOUNCED).read_text(encoding="utf-8")
        if text.endswith("\n"):
            port = int(json.loads(text)["endpoint"].rpartition(":")[2])
            if ready(port):
                return port
        time.sleep(_PAUSE_S)
    raise TargetError(f"The server of the release was not ready after {_PATIENCE_S:.0f} s.")


def ready(port: int) -> bool:
    """Whether the server at a port says that it is ready."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/health/ready", timeout=5) as got:
            return bool(got.status == 200)
    except OSError:
        return False


def started(pid: int) -> str:
    """When a process was started, in ticks of the kernel; empty when it has ended.

    Together with its number this tells it from a later process.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def lives(server: dict[str, Any]) -> bool:
    """Whether a server still runs."""
    return bool(server) and started(int(server["pid"])) == server["started"] != ""


def end(server: dict[str, Any]) -> None:
    """End a server: asked first, then made to."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + _END_S
        if lives(server):
            os.kill(int(server["pid"]), number)
        while lives(server) and time.monotonic() < deadline:
            time.sleep(_PAUSE_S)
