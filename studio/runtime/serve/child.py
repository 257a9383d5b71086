"""A worker process as its supervisor sees it: started, told, watched, ended."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path
from typing import List, Optional

from .control import ControlLink, Message
from .options import Options
from .releases import Runner


class Child:
    """One worker.

    Attributes:
        release: Folder of the bundle that it serves (or is about to).
        loaded: It has said that it is ready.
        deadline: Monotonic time by which it must be ready, or must have ended.
        failure: Why it could not load, as it said itself.
    """

    def __init__(
        self, runner: Runner, release: Path, options: Options, listener: int, generation: int
    ) -> None:
        ours, theirs = socket.socketpair()
        given = options.for_worker(release, listener, theirs.fileno(), generation)
        try:
            self._process = subprocess.Popen(
                [*runner.command, "serve", *given],
                stdin=subprocess.DEVNULL,
                pass_fds=(listener, theirs.fileno()),
                env=dict(os.environ, ORT_DISABLE_TELEMETRY="1"),
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self.link = ControlLink(ours)
        self.runner = runner
        self.release = release
        self.generation = generation
        self.loaded = False
        self.failure = ""
        self.started = time.monotonic()
        self.deadline = float("inf")

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    def ended(self) -> Optional[int]:
        """Its exit status (negative: the signal that ended it), or None while it runs."""
        return self._process.poll()

    def receive(self) -> List[Message]:
        """What it has said."""
        return self.link.receive() or []

    def reload(self, release: Path, generation: int) -> None:
        """Ask it to serve another release."""
        self.link.send(command="reload", bundle=str(release), generation=generation)

    def drain(self, grace_s: float, limit_s: float) -> None:
        """Ask it to finish its requests and end; it is killed when it takes too long."""
        self.link.send(command="drain", grace_s=grace_s, limit_s=limit_s)
        self.deadline = time.monotonic() + limit_s + 2.0

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def wait(self) -> None:
        """Wait for its end, after it was killed."""
        self._process.wait()
