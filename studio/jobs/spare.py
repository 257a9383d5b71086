"""The worker that is kept ready, and what it can see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from studio.jobs.process import WorkerProcess
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class SpareWorker:
    """The worker that is kept ready, and the folders that it was shown when it was started.

    A folder that was removed and made again since is another one: its walls show the old.
    """

    worker: WorkerProcess
    shown: Mapping[Path, tuple[int, int]]

    def end(self) -> None:
        """End it without a job."""
        self.worker.kill()
        self.worker.finish()
        self.worker.remove()


def identities(folders: Sequence[Path]) -> dict[Path, tuple[int, int]]:
    """Return the identity of each existing folder, as another one may get the same name."""
    found = {}
    for folder in folders:
        with suppress(OSError):
            status = folder.stat()
            found[folder] = (status.st_dev, status.st_ino)
    return found


def linked(folder: Path) -> list[Path]:
    """Return the targets of a folder's links: a plugin may be linked from its project."""
    return [path.resolve() for path in folder.glob("*") if path.is_symlink()]
