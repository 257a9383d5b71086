"""Files that a step's preparation finds, beyond those of its options."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class PreparedFiles:
    """Files that the worker reads.

    Attributes:
        preprocess: Preprocessing of a project, for pictures without one of their own.
    """

    reads: tuple[Path, ...] = ()
    preprocess: Path | None = None


@runtime_checkable
class HasPreparedFiles(Protocol):
    """Options whose preparation has found further files."""

    @property
    def prepared_files(self) -> PreparedFiles:
        """The files."""


def prepared_files(options: object) -> PreparedFiles:
    """Return the further files of prepared options; none for options of another kind."""
    return options.prepared_files if isinstance(options, HasPreparedFiles) else PreparedFiles()
