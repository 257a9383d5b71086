"""A Ray cluster as an executor, by a program in the Python that has Ray.

Ray unpickles what nodes answer, and a pickle runs code. So the program works in the studio's
sandbox, and gets and gives all content of files through its pipes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

from studio.api import (
    ExecutorSession,
    ProgramStart,
    TargetError,
    TaskOrder,
    TaskPhase,
    TaskSight,
    Unavailable,
    UsageError,
)

PYTHON = "EDGEWRIGHT_RAY_PYTHON"
_FORM = "ray://HOST:10001, with ?cpus=2 for processors of a task"

_PART = 32 << 20
"""Bytes of an input or output that travel at once."""

_MOST_LINE = 16 << 20
"""Bytes of an answer; one has up to 1 MB of events."""

_LONGEST_S, _END_S = 300.0, 10.0
"""Seconds for an answer, and for the end; a program that takes longer is killed."""

_LONGEST_TEXT = 300
"""Characters of a node's name or a reason: both come from other computers."""

_FILES = ("RAY_AUTH_TOKEN_PATH", "RAY_TLS_SERVER_CERT", "RAY_TLS_SERVER_KEY", "RAY_TLS_CA_CERT")
"""Variables that name files of a login, which the program has to read."""


class RayExecutor:
    """Clusters with a Ray Client server."""

    id = "ray"
    title = "Ray cluster"
    schemes = ("ray",)

    def open(self, address: str, start: ProgramStart) -> ExecutorSession:
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
        return RaySession(f"ray://{place.netloc}", cpus, start)


class RaySession:
    """A connection to a cluster, held by another process."""

    def __init__(self, address: str, cpus: float, start: ProgramStart) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._stored: set[str] = set()
        package, python, variables = Path(__file__).resolve().parent, _python(), _variables()
        self._process = start(
            [python, "-P", "-c", _START, str(package.parent), address, str(cpus)],
            [package, *_prefixes(python), *_login_files(variables)],
            variables,
        )
        try:
            self._answer()
        except TargetError:
            self.close()
            raise

    def submit(self, order: TaskOrder) -> None:
        """Queue a task."""
        with self._lock:
            for digest, path in order.inputs.items():
                if digest not in self._stored:
                    self._store(digest, path)
                    self._stored.add(digest)
            document, inputs = order.document.decode(), list(order.inputs)
            self._ask("submit", task=order.id, document=document, inputs=inputs)

    def look(self, task: str) -> TaskSight:
        """Return what is known of a task."""
        with self._lock:
            answer = self._ask("look", task=task)
        try:
            phase = TaskPhase(answer.get("phase"))
        except ValueError:
            raise self._away("its answer cannot be read") from None
        return TaskSight(
            phase,
            node=str(answer.get("node", ""))[:_LONGEST_TEXT],
            events=str(answer.get("events", "")).encode(errors="replace"),
            reason=str(answer.get("reason", ""))[:_LONGEST_TEXT],
        )

    def cancel(self, task: str) -> None:
        """End a task."""
        with self._lock:
            self._ask("cancel", task=task)

    def fetch(self, task: str, file: Path) -> None:
        """Write the output of a task to a file."""
        with file.open("wb") as out:
            while part := self._output(task, out.tell()):
                out.write(part)

    def forget(self, task: str) -> None:
        """Remove what is kept of a task."""
        with self._lock:
            self._ask("forget", task=task)

    def close(self) -> None:
        """End the connection, and with it all that runs."""
        stdin, stdout = self._pipes()
        # A pipe that a request waits for cannot be closed: without the program, the wait ends.
        if self._lock.acquire(timeout=_END_S):
            with suppress(OSError, subprocess.TimeoutExpired):
                stdin.close()
                self._process.wait(_END_S)
            self._lock.release()
        self._kill()
        self._process.wait()
        if self._lock.acquire(timeout=_END_S):
            stdout.close()
            self._lock.release()

    def _kill(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    @contextmanager
    def _limited(self) -> Iterator[None]:
        """Kill the program where an answer takes too long, which ends every wait for it."""
        timer = threading.Timer(_LONGEST_S, self._kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _store(self, digest: str, path: Path) -> None:
        for part in _parts(path):
            self._ask("store", part, digest=digest)

    def _output(self, task: str, begin: int) -> bytes:
        with self._lock:
            size = self._ask("output", task=task, begin=begin).get("size")
            if not isinstance(size, int) or not 0 <= size <= _PART:
                raise self._away("its answer cannot be read")
            with self._limited():
                part = self._pipes()[1].read(size)
            if len(part) < size:
                raise self._away("its connection has ended")
            return part

    def _ask(self, verb: str, content: bytes = b"", **values: Any) -> dict[str, Any]:
        stdin, _ = self._pipes()
        head = json.dumps({"verb": verb, "size": len(content), **values}).encode() + b"\n"
        try:
            with self._limited():
                for part in (head, content):
                    stdin.write(part)
                stdin.flush()
        except (OSError, ValueError):
            raise self._away("its connection has ended") from None
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        with self._limited():
            line = self._pipes()[1].readline(_MOST_LINE)
        if not line:
            raise self._away("its connection has ended")
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            answer = None
        match answer:
            case {"error": error}:
                raise self._away(str(error))
            case dict():
                return answer
        raise self._away("its answer cannot be read")

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout

    def _away(self, reason: str) -> TargetError:
        return TargetError(
            f"The cluster {self._address} does not do it: {reason[:_LONGEST_TEXT].rstrip('.')}.",
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


def _prefixes(python: str) -> list[Path]:
    """Return the folders of a Python and of what it was made from.

    Raises:
        Unavailable: when it does not start.
    """
    command = [python, "-I", "-c", "import sys; print(sys.prefix, sys.base_prefix, sep=chr(10))"]
    try:
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unavailable(f"{PYTHON} names {python}, which does not start: {error}.") from None
    return [Path(python), *map(Path, printed.splitlines())]


def _variables() -> dict[str, str]:
    """Return Ray's own variables; its default file of a token is in the home."""
    variables = {name: value for name, value in os.environ.items() if name.startswith("RAY_")}
    token = Path.home() / ".ray" / "auth_token"
    if token.is_file():
        variables.setdefault("RAY_AUTH_TOKEN_PATH", str(token))
    return {**variables, "RAY_ENABLE_AUTO_CONNECT": "0"}


def _login_files(variables: dict[str, str]) -> list[Path]:
    return [Path(variables[name]) for name in _FILES if os.path.isfile(variables.get(name, ""))]


def _parts(path: Path) -> Iterator[bytes]:
    """Yield the content of a file in parts, one at least."""
    with path.open("rb") as file:
        yield file.read(_PART)
        while part := file.read(_PART):
            yield part
