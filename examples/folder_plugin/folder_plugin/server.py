"""The process that serves a release: started apart from the studio, found again, ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from studio.api import Progress, TargetError

_PATIENCE_S = 60.0
_END_S = 10.0
_PAUSE_S = 0.05


def start(place: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start the runtime on a bundle at a free port; it outlives this process."""
    command = [sys.executable, str(place / "runtime.pyz"), "serve", "--port", "0"]
    command += ["--bundle", str(place / "bundle")]
    with log.open("ab") as errors, (place / "started.json").open("wb") as out:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, start_new_session=True
        )


def wait(process: subprocess.Popen[bytes], place: Path, progress: Progress) -> int:
    """Wait until the server answers; its port.

    Raises:
        TargetError: when it ends before, or is not ready in time.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        progress.progress(0, 0, "Waiting for the server")
        if process.poll() is not None:
            said = (place / "log").read_text(encoding="utf-8", errors="replace").splitlines()
            raise TargetError(f"The server of the release has ended: {said[-1] if said else '?'}.")
        text = (place / "started.json").read_text(encoding="utf-8")
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


def known(pid: int) -> dict[str, Any]:
    """What tells a process from a later one with the same number."""
    return {"pid": pid, "started": started(pid)}


def started(pid: int) -> str:
    """When a process was started, in ticks of the kernel; empty when it has ended."""
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
