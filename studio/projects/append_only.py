"""Files next to a model's project to which entries are only added."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from studio.api import StudioError


def read_regular(file: Path, most: int) -> bytes | None:
    """Return the bytes of a regular file, which is no link; None where it does not exist.

    Args:
        most: Bytes that are read; one more is returned of a larger file.

    Raises:
        StudioError: when it is another kind of file, or cannot be read.
    """
    try:
        # Without O_NONBLOCK, a pipe in its place would be waited for.
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StudioError(f"{file} cannot be read: {error.strerror or error}.") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise StudioError(f"{file} is not a file.")
    with os.fdopen(handle, "rb") as opened:
        return opened.read(most + 1)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process at a time change the files of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
