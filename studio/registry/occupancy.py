"""Locks on a registry's folder: shared by its users, exclusive for a restore."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from studio.api import StudioError

_FILE = "lock"


class Occupancy:
    """A lock that the system releases when the process ends, even by a crash."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    @classmethod
    def shared(cls, folder: Path) -> Occupancy:
        """Acquire the shared lock, after a running restore has finished."""
        handle = _open(folder)
        with contextlib.suppress(OSError):  # some network file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_SH)
        return cls(handle)

    @classmethod
    def alone(cls, folder: Path) -> Occupancy:
        """Acquire the exclusive lock.

        Raises:
            StudioError: when another process uses the registry.
        """
        handle = _open(folder)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise StudioError(
                f"The registry in {folder} is in use.",
                hint="Close the window and stop running commands, then try again.",
            ) from None
        except OSError:
            pass
        return cls(handle)

    def end(self) -> None:
        """Release the lock; a second call has no effect."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> Occupancy:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def _open(folder: Path) -> int:
    return os.open(folder / _FILE, os.O_RDWR | os.O_CREAT, 0o600)
