"""Sealed segments of a journal: whole files next to the current one, the oldest dropped.

A part is sealed by one rename, and the next begins with an entry that names what it continues: the
hash of the last entry, how many there were before, and what must not be forgotten when the oldest
parts go. Each file is a chain of its own from its start, as runtimes from before the parts expect.
"""

from __future__ import annotations

import os
from pathlib import Path

from .files import remove, sync

SEAL_BYTES = 128 << 10
"""Of the file that is written: some hundred releases."""

KEPT = 8
"""Sealed parts that stay. It may be lowered, never raised: a board that has dropped more than a
newer runtime allows would look like one whose record was cut."""

CONTINUED = "continued"
"""The event of the entry with which all parts but the first begin."""

_SUFFIX = ".jsonl"


class Segments:
    """The folder of sealed parts, named by their numbers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def paths(self) -> list[Path]:
        """Return the oldest first."""
        try:
            names = os.listdir(str(self._folder))
        except OSError:
            return []
        digits = [name[: -len(_SUFFIX)] for name in names if name.endswith(_SUFFIX)]
        numbers = sorted(int(one) for one in digits if one.isdigit())
        return [self._path(number) for number in numbers]

    def last(self) -> int:
        """Return the highest number; 0 when nothing was sealed yet."""
        paths = self.paths()
        return int(paths[-1].stem) if paths else 0

    def seal(self, path: Path) -> None:
        """Take a file in as the next part: it is there under one of its two names at any moment."""
        if not self._folder.is_dir():
            self._folder.mkdir(mode=0o755)
            sync(self._folder.parent)
        os.rename(str(path), str(self._path(self.last() + 1)))
        sync(self._folder)
        sync(path.parent)

    def drop_oldest(self) -> None:
        """Remove what is beyond the parts that stay."""
        for path in self.paths()[:-KEPT]:
            remove(path)

    def _path(self, number: int) -> Path:
        return self._folder / "{:06d}{}".format(number, _SUFFIX)
