"""A Ray cluster as an executor, by a program in the Python that has Ray."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from studio.api import (
    ExecutorSession,
    TargetError,
    TaskOrder,
    TaskPhase,
    TaskSight,
    Unavailable,
    UsageError,
)

PYTHON = "EDGEWRIGHT_RAY_PYTHON"
_FORM = "ray://HOST:10001, with ?cpus=2 for processors of a task"


class RayExecutor:
    """Clusters with a Ray Client server."""

    id = "ray"
    title = "Ray cluster"
    schemes = ("ray",)

    def open(self, address: str) -> ExecutorSession:
        """Connect to the head of a cluster."""
        place = urlsplit(address)
        given = parse_qs(place.query, keep_blank_values=True)
        try:
            cpus = float(given.pop("cpus", ["1"])[0])
            port = place.port
        except ValueError:
            cpus, port = 0.0, None
        if given or not place.hostname or not port or not 0 < cpus <= 1024 or place.username:
            raise UsageError(f"--on {address}: the address must be {_FORM}.")
        return RaySession(f"ray://{place.netloc}", cpus)


class RaySession:
    """A connection to a cluster, held by another process."""

    def __init__(self, address: str, cpus: float) -> None:
        self._address = address
        self._lock = threading.Lock()
        plugins = str(Path(__file__).resolve().parent.parent)
        words = [_python(), "-P", "-c", _START, plugins, address, str(cpus)]
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "RAY_ENABLE_AUTO_CONNECT": "0"},
        )
        try:
            self._answer()
        except TargetError:
            self.close()
            raise

    def submit(self, order: TaskOrder) -> None:
        """Queue a task."""
        inputs = {digest: str(path) for digest, path in order.inputs.items()}
        document = order.document.decode()
        self._ask("submit", task=order.id, document=document, inputs=inputs)

    def look(self, task: str) -> TaskSight:
        """Return what is known of a task."""
        found = self._ask("look", task=task)
        return TaskSight(
            TaskPhase(found["phase"]),
            node=str(found.get("node", "")),
            events=str(found.get("events", "")).encode(),
            reason=str(found.get("reason", "")),
        )

    def cancel(self, task: str) -> None:
        """End a task."""
        self._ask("cancel", task=task)

    def fetch(self, task: str, file: Path) -> None:
        """Write the output of a task to a file."""
        self._ask("fetch", task=task, file=str(file))

    def forget(self, task: str) -> None:
        """Remove what is kept of a task."""
        self._ask("forget", task=task)

    def close(self) -> None:
        """End the connection, and with it all that runs."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _ask(self, verb: str, **values: Any) -> dict[str, Any]:
        with self._lock:
            assert self._process.stdin is not None
            try:
                self._process.stdin.write(json.dumps({"verb": verb, **values}) + "\n")
                self._process.stdin.flush()
            except (OSError, ValueError):
                raise self._away("its connection has ended") from None
            return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._away("its connection has ended")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise self._away(str(answer["error"]))
        return answer

    def _away(self, reason: str) -> TargetError:
        return TargetError(
            f"The cluster {self._address} does not do it: {reason.rstrip('.')}.",
            hint=f"Ray must be of the cluster's version; {PYTHON} names the Python that has it.",
        )


_START = """
import sys
sys.path.append(sys.argv.pop(1))
from studio_ray.driver import main
sys.exit(main())
"""


def _python() -> str:
    """Return the Python that has Ray.

    Raises:
        Unavailable: when no Python has it.
    """
    named = os.environ.get(PYTHON, "")
    if named and os.path.isabs(named) and os.access(named, os.X_OK):
        return named
    if named:
        raise Unavailable(f"{PYTHON} must be the path of a Python: {named}.")
    if find_spec("ray") is not None:
        return sys.executable
    raise Unavailable(
        "Ray is not installed here.",
        hint="Make an environment with ray[client] in the version of the cluster, and set "
        f"{PYTHON} to its Python.",
    )
