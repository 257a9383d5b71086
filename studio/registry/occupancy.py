"""Who uses a registry's folder: many at once, or one alone that puts another file in its place."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from studio.api import StudioError

_FILE = "lock"


class Occupancy:
    """A lock that the system takes back when the process ends, however it ends."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    @classmethod
    def shared(cls, folder: Path) -> Occupancy:
        """Use a registry; waits for a restore that goes on."""
        handle = _open(folder)
        with contextlib.suppress(OSError):  # not every network's file system has locks
            fcntl.flock(handle, fcntl.LOCK_SH)
        return cls(handle)

    @classmethod
    def alone(cls, folder: Path) -> Occupancy:
        """Have a registry for oneself.

        Raises:
            StudioError: when another process uses it.
        """
        handle = _open(folder)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise StudioError(
                f"The registry in {folder} is in use.",
                hint="Close the window and end the commands that use it, then do this again.",
            ) from None
        except OSError:
            pass
        return cls(handle)

    def end(self) -> None:
        """Give it up; twice is fine."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> Occupancy:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def _open(folder: Path) -> int:
    return os.open(folder / _FILE, os.O_RDWR | os.O_CREAT, 0o600)
