"""What workers wrote to standard error, mostly native libraries: a file a job, the last twenty."""

from __future__ import annotations

import os
import re
from pathlib import Path

from studio.documents.plain import plain
from studio.settings import write_atomically
from studio.settings.redaction import Redactor

MOST_FILES = 20
MOST_BYTES = 64 << 10
_MOST_WHILE_RUNNING = 8 << 20


def bound(file: Path) -> None:
    """Shorten what a running worker has written, if it is too much, to its end.

    The worker's file is opened to append: it continues after the rest.
    """
    try:
        if file.stat().st_size > _MOST_WHILE_RUNNING:
            end = tail(file, MOST_BYTES)
            os.truncate(file, 0)
            with file.open("ab") as out:
                out.write(end)
    except OSError:
        pass  # it is gone, or the disk is full


def tail(file: Path, most: int) -> bytes:
    """Return the end of a file.

    Raises:
        OSError: when it cannot be read.
    """
    with file.open("rb") as found:
        size = found.seek(0, os.SEEK_END)
        found.seek(max(0, size - most))
        return found.read(most)


def store(file: Path, folder: Path, job: str, redactor: Redactor) -> None:
    """Store the end of a worker's output under its job's name, without secrets.

    A folder that is not writable gets no file, and the job does not fail.
    """
    try:
        text = tail(file, MOST_BYTES).decode("utf-8", "replace")
        if text.strip():
            name = re.sub(r"[^\w-]", "_", job)[:60]
            content = redactor.text(plain(text)).encode("utf-8", "replace")
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(folder / f"{name}.err", content, mode=0o600)
            _remove_oldest(folder)
    except OSError:
        pass


def _remove_oldest(folder: Path) -> None:
    found = sorted(folder.glob("*.err"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in found[MOST_FILES:]:
        path.unlink(missing_ok=True)
