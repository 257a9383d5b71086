"""Cameras as processes that tests kill, stop and start again, and apps that watch them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.runtime.apps.document import AppDocument
from studio.runtime.apps.engine import AppEngine
from studio.runtime.apps.graph import graph_of
from studio.runtime.apps.reader import SourceReader
from studio.runtime.apps.store import MemoryStore
from tests.unit.runtime.apps import mjpeg_camera
from tests.unit.runtime.apps.parts import Context, document

MJPEG = (sys.executable, mjpeg_camera.__file__)


class CameraProcess:
    """A camera that can be killed, and started again at the same port.

    Attributes:
        port: Where it serves.
    """

    def __init__(self, command: tuple[str, ...] = MJPEG, options: tuple[str, ...] = ()) -> None:
        self._command = command
        self._options = options
        self.port = 0
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, and wait until it serves."""
        words = [*self._command, str(self.port), *self._options]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def hang(self) -> None:
        """Stop it: its connections stay, and nothing comes."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """End the stop."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGCONT)


class Desk:
    """An app that only reads its sources.

    Attributes:
        store: Its events.
    """

    def __init__(self, sources: Mapping[str, Any]) -> None:
        self.store = MemoryStore("yard")
        app = AppDocument.from_json(document(sources=sources))
        self.engine = AppEngine(graph_of(app), Context(), self.store)
        self.engine.start()

    def reader(self, name: str) -> SourceReader:
        """The reader of a source."""
        return next(one for one in self.engine.readers if one.source.name == name)

    def kinds(self, name: str) -> list[str]:
        """Kinds of the events of a source."""
        return [one.kind for one in self.store.events if one.stamp.source == name]

    def seconds_until(self, holds: Any, limit: float) -> float:
        """Wait for a condition; return how long it took."""
        began = time.monotonic()
        while not holds():
            assert time.monotonic() - began < limit, f"not within {limit:g} s"
            time.sleep(0.005)
        return time.monotonic() - began


def report(line: str) -> None:
    """Write a figure for whoever runs the tests with ``-s``, and into ``$EDGEWRIGHT_FIGURES``."""
    print(line)
    place = os.environ.get("FIGURES")
    if place:
        with Path(place).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
