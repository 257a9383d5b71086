"""A server of a stranger's model behind a worker's walls, while the command lasts that asked."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from studio.api import Permission
from studio.jobs.cleanup import new_folder
from studio.jobs.sandbox import Containment, Sandbox, environment
from studio.settings import Paths

NEEDS = frozenset({Permission.NETWORK})
_TOKEN = "EDGEWRIGHT_TOKEN"
"""What callers have to send; no worker gets it, and the server asks for it."""

_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_DEATH_SIGNAL = 1  # of prctl

LineListener = Callable[[str], None]


class Server:
    """A server process that ends with this process, which forwards its output.

    Args:
        reads: Readable files in addition to the system's and the studio's own.
    """

    def __init__(self, paths: Paths, containment: Containment, reads: Sequence[Path]) -> None:
        self._paths = paths
        self._folder = new_folder(paths.jobs)
        self._walls = Sandbox(containment, self._folder, tuple(reads), NEEDS)
        self._pid = 0

    def run(self, command: Sequence[str], on_output: LineListener, on_error: LineListener) -> int:
        """Serve until the stop request; return the exit status.

        Args:
            on_output, on_error: Get each line, on threads of their own.
        """
        self._folder.mkdir(parents=True)
        try:
            with self._started(command) as process, self._signals_forwarded():
                assert process.stdout is not None
                assert process.stderr is not None
                threads = [_follow(process.stdout, on_output), _follow(process.stderr, on_error)]
                status = process.wait()
                for thread in threads:
                    thread.join()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
        return status if status >= 0 else 128 - status

    @contextmanager
    def _started(self, command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
        told, tells = os.pipe()
        with self._walls.around(command) as walled:
            words, descriptors = list(walled.command), walled.descriptors
            bubblewrap = self._walls.containment.bubblewrap is not None
            if bubblewrap:
                # As the first process of its namespace it can be signalled; a process between
                # would end at once, and it without finishing what it answers.
                words[1:1] = ["--die-with-parent", "--as-pid-1", "--info-fd", str(tells)]
                descriptors = (*descriptors, tells)
            process = subprocess.Popen(
                words,
                pass_fds=descriptors,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self._folder,
                env=self._variables(),
                start_new_session=True,  # Ctrl+C reaches it through this process alone
                preexec_fn=_die_with_parent,
            )
        os.close(tells)
        with os.fdopen(told, "rb") as info, process:
            self._pid = _child(info.read()) if bubblewrap else process.pid
            yield process

    def _variables(self) -> dict[str, str]:
        variables = environment(self._paths, self._folder, NEEDS)
        if _TOKEN in os.environ:
            variables[_TOKEN] = os.environ[_TOKEN]
        return variables

    @contextmanager
    def _signals_forwarded(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._forward) for number in _FORWARDED}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _forward(self, number: int, _: object) -> None:
        """Pass a signal on. One that does not listen to it yet has nothing to finish."""
        if self._pid:
            listens = _handles(self._pid, number)
            try:
                os.kill(self._pid, number if listens else signal.SIGKILL)
            except ProcessLookupError:
                pass


def _child(text: bytes) -> int:
    """Return the process that bubblewrap reports as started; 0 without one."""
    try:
        return int(json.loads(text)["child-pid"])
    except (ValueError, KeyError):
        return 0


def _handles(pid: int, number: int) -> bool:
    try:
        lines = Path("/proc", str(pid), "status").read_text().splitlines()
    except OSError:
        return False
    caught = next((line.split()[1] for line in lines if line.startswith("SigCgt:")), "0")
    return bool(int(caught, 16) >> (number - 1) & 1)


def _follow(stream: IO[bytes], on_line: LineListener) -> threading.Thread:
    def read() -> None:
        for line in stream:
            on_line(line.decode("utf-8", "replace").rstrip("\n"))

    thread = threading.Thread(target=read, name="server's output", daemon=True)
    thread.start()
    return thread


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
