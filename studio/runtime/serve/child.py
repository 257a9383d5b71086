"""A worker process as its supervisor sees it: started from a release, told, watched, ended."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import List, NamedTuple, Optional

from .control import ControlLink, Message
from .options import Options


class Runner(NamedTuple):
    """The interpreter and zip application that a release is run with."""

    command: List[str]


def runner_of(root: Path, release: Path) -> Runner:
    """How a release is run: as ``ROOT/releases/<digest>.json`` says, else like this process."""
    try:
        binding = json.loads(release.with_name(release.name + ".json").read_text("utf-8"))
        # An interpreter inside the root is kept relative to it; joining keeps an absolute one.
        python = root / binding["python"]
        return Runner([str(python), str(root / "runtime" / binding["runtime"])])
    except (OSError, ValueError, KeyError, TypeError):
        return Runner(_own_command())


def _own_command() -> List[str]:
    archive = getattr(globals().get("__loader__"), "archive", None)
    if archive:
        return [sys.executable, str(archive)]
    package = (__package__ or "").rpartition(".")[0]
    return [sys.executable, "-m", package]


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
