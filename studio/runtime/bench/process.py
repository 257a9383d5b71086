"""A candidate's process, seen from the bench."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from typing import Any, Callable, TypeVar

from ..shared.threads import guarded_thread
from .config import Candidate
from .errors import Cancelled, CandidateError

T = TypeVar("T")

# The package may be called "studio.runtime" in a folder or "edgewright_runtime" in a zip
# application; a child finds it where this module was found, behind its own packages.
# Not __package__: Python 3.8 sets it late for what comes out of a zip file.
_PACKAGE = __name__.rpartition(".")[0]
_BOOT = (
    "import sys; sys.path = [p for p in sys.path if p] + [sys.argv[1]]; import importlib; "
    "sys.exit(importlib.import_module(sys.argv[2]).main())"
)

_MODULES = {
    False: _PACKAGE + ".child",
    True: _PACKAGE.rpartition(".")[0] + ".generate.measure.child",
}
"""What runs in a candidate's process: a backend's runner, or a language model's backend."""


def package_root() -> str:
    """Return the folder or zip file that holds the outermost package of this one."""
    path = os.path.abspath(__file__)
    for _ in range(_PACKAGE.count(".") + 2):
        path = os.path.dirname(path)
    return path


class CancelWatch:
    """Watch for the end of standard input or a request to stop."""

    def __init__(self, descriptor: int | None) -> None:
        self._set = threading.Event()
        self._wake: list[Callable[[], None]] = []
        if descriptor is not None:
            guarded_thread(
                "cancel", lambda: self._watch(descriptor), lambda error: self.cancel(), lasts=False
            ).start()

    def cancel(self) -> None:
        """Cancel, and wake the threads that wait for an answer."""
        self._set.set()
        for wake in list(self._wake):
            wake()

    def check(self) -> None:
        """Raise Cancelled if it was."""
        if self._set.is_set():
            raise Cancelled("cancelled")

    def on_cancel(self, wake: Callable[[], None]) -> None:
        """Call it from another thread when the bench is cancelled."""
        self._wake.append(wake)

    def _watch(self, descriptor: int) -> None:
        # os.read, not sys.stdin: a buffered reader blocks the interpreter's exit.
        with contextlib.suppress(OSError):
            while os.read(descriptor, 4096):
                pass
        self.cancel()


class CandidateProcess:
    """Child process that answers one request at a time."""

    def __init__(self, candidate: Candidate, watch: CancelWatch, memory_limit_mb: int = 0) -> None:
        self._watch = watch
        self._answers: queue.Queue[bytes | None] = queue.Queue()
        python = candidate.python or sys.executable
        # Another environment must see nothing of this one, whatever PYTHONPATH contains.
        argv = [python, *(["-I"] if candidate.python else []), "-c", _BOOT]
        limit = candidate.memory_mb or memory_limit_mb
        argv += [package_root(), _MODULES[bool(candidate.backend)], str(limit)]
        environment = dict(os.environ, ORT_DISABLE_TELEMETRY="1")
        try:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
            )
        except OSError as error:
            raise CandidateError(
                "cannot load", f"{python} does not start: {error.strerror}."
            ) from error
        guarded_thread(
            "answers", self._read, lambda error: self._answers.put(None), lasts=False
        ).start()
        watch.on_cancel(lambda: self._answers.put(None))

    @property
    def pid(self) -> int:
        """Identifier of the process."""
        return self._process.pid

    def call(self, state: str, timeout: float, form: Callable[..., T], **request: Any) -> T:
        """Send a request and wait for its answer.

        Args:
            state: The state of the failure, should the runner raise an exception.
            form: Makes the answer of its values, by name (see ``answers``).

        Raises:
            CandidateError: when the runner raises, the process ends, or the time is up.
            Cancelled: when the bench is cancelled during the call.
        """
        self._send(request)
        line = self._wait(timeout, request["do"])
        try:
            answer = json.loads(line)
        except ValueError as error:
            raise CandidateError(
                "crashed", "The process wrote something else than JSON."
            ) from error
        if not answer.pop("ok"):
            raise CandidateError(state, _sentence(answer["error"]))
        return form(**answer)

    def close(self) -> None:
        """End the process: request it to close, then kill it."""
        with contextlib.suppress(CandidateError, Cancelled):
            self.call("crashed", 5.0, dict, do="close")
        self.kill()

    def kill(self) -> None:
        """End the process at once."""
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            for line in self._process.stdout:
                self._answers.put(line)
        self._answers.put(None)

    def _send(self, request: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise self._ended() from error

    def _wait(self, timeout: float, doing: str) -> bytes:
        deadline = time.monotonic() + timeout
        self._watch.check()
        try:
            line = self._answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            self.kill()
            text = f"It did not finish '{doing}' within {timeout:g} s and was stopped."
            raise CandidateError("timed out", text) from None
        self._watch.check()
        if line is None:
            raise self._ended()
        return line

    def _ended(self) -> CandidateError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=2)
        code = self._process.poll()
        if code is None:
            self.kill()
            return CandidateError("crashed", "The answers of the process could not be read.")
        if code < 0:
            hint = " (perhaps out of memory)" if code == -9 else ""
            return CandidateError("crashed", f"The process was killed by signal {-code}{hint}.")
        return CandidateError("crashed", f"The process ended by itself with status {code}.")


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."
