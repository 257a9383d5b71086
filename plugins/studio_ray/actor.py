"""The actor that does one task on a node of the cluster.

Nodes import this module from their own studio, so no code is sent to them. It needs the standard
library alone.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = ("-P", "-m", "studio.steps.task_node", "--leash")
_MOST_EVENTS = 1 << 20
_TAIL = 2000

Look = tuple[bytes, bool, str]
"""Whole lines of events, whether the program has ended, and its last words."""


class TaskActor:
    """A task with its folder on the node; it ends with the actor."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="edgewright-ray-"))
        self._inputs = self._folder / "inputs"
        self._inputs.mkdir()
        self._process: subprocess.Popen[bytes] | None = None

    def append(self, digest: str, part: bytes) -> None:
        """Take the next part of an input."""
        with (self._inputs / os.path.basename(digest)).open("ab") as file:
            file.write(part)

    def start(self, document: bytes, node: str) -> str:
        """Start the program; returns the name of the node."""
        (self._folder / "task.json").write_bytes(document)
        words = [sys.executable, *PROGRAM, str(self._folder), str(self._inputs)]
        with (self._folder / "stderr").open("wb") as errors:
            self._process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=errors, stderr=errors, cwd=self._folder
            )
        return node or socket.gethostname()

    def look(self, begin: int) -> Look:
        """Return what came after a number of bytes of events."""
        assert self._process is not None
        ended = self._process.poll() is not None  # before the events are read, so that none is lost
        try:
            with (self._folder / "events.jsonl").open("rb") as file:
                file.seek(begin)
                chunk = file.read(_MOST_EVENTS)
        except FileNotFoundError:
            chunk = b""
        whole = chunk[: chunk.rfind(b"\n") + 1]
        return whole, ended and not whole, self._last_words() if ended else ""

    def output(self, begin: int, length: int) -> bytes:
        """Return some bytes of the output."""
        with (self._folder / "output.tar").open("rb") as file:
            file.seek(begin)
            return file.read(length)

    def cancel(self) -> None:
        """End the program, which ends its work."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def remove(self) -> None:
        """End the program at once, and remove the folder."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _last_words(self) -> str:
        text = (self._folder / "stderr").read_bytes()[-_TAIL:].decode("utf-8", "replace")
        lines = [line for line in text.splitlines() if line.strip()]
        return lines[-1] if lines else ""
