"""The progress of a download that another program makes: bytes, rate and time left."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from studio.api import Progress

_SURE_AFTER_S = 1.0
_CHECK_SECONDS = 0.2


class DownloadProgress:
    """A display of what has arrived in some folders.

    Args:
        name: What is downloaded.
        total: Its size in bytes; 0 if that is not known.
        folders: Where the other program writes to.
    """

    def __init__(
        self,
        progress: Progress,
        name: str,
        total: int,
        folders: tuple[Path, ...],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._progress, self._name, self._total = progress, name, total
        self._folders, self._clock = folders, clock
        self._began = 0.0

    def look(self) -> None:
        """Report what has arrived.

        Raises:
            Cancelled: when the user took the request back.
        """
        done = min(self._arrived(), self._total) if self._total else self._arrived()
        if done and not self._began:
            self._began = self._clock()
        self._progress.progress(done, self._total, self._text(done))

    def _arrived(self) -> int:
        """Return the bytes of the largest file, as the program may move or copy it."""
        sizes = [0]
        for folder in self._folders:
            for path in folder.rglob("*"):
                try:
                    sizes.append(path.stat().st_size if path.is_file() else 0)
                except OSError:  # it was just moved
                    continue
        return max(sizes)

    def _text(self, done: int) -> str:
        if not done:
            return f"Connecting for {self._name}"
        if done == self._total:
            return f"Checking {self._name}"
        text = f"Downloading {self._name}: {done / 1e6:.1f}"
        text += f" of {self._total / 1e6:.1f} MB" if self._total else " MB"
        passed = self._clock() - self._began
        if passed < _SURE_AFTER_S:
            return text
        rate = done / passed
        text += f", {rate / 1e6:.1f} MB/s"
        left = (self._total - done) / rate if self._total else 0.0
        return f"{text}, {left:.0f} s left" if left >= 1 else text


def run_client(
    command: Sequence[str], folder: Path, shown: DownloadProgress, environment: Mapping[str, str]
) -> tuple[int, str]:
    """Run the client of a registry in a folder; return its status and what it wrote.

    Raises:
        Cancelled: when the user took the request back; the client is ended.
    """
    with open(os.devnull) as nothing, open(folder / "client.log", "w+b") as log:
        process = subprocess.Popen(
            list(command),
            stdin=nothing,
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**os.environ, **environment},
        )
        try:
            status = _wait(process, shown)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        log.seek(0)
        return status, log.read().decode(errors="replace")


def _wait(process: subprocess.Popen[bytes], shown: DownloadProgress) -> int:
    """Wait for a client; a cancel is noticed at once."""
    while True:
        try:
            return process.wait(_CHECK_SECONDS)
        except subprocess.TimeoutExpired:
            shown.look()
