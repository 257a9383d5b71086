"""Copies of files from the registry to the user's paths."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from uuid import uuid4

from studio.api import StudioError
from studio.runtime.shared.files import sync


class Copy:
    """A copy of a file or folder that appears under its name completely or not at all."""

    def __init__(self, written: Path, target: Path) -> None:
        self._written = written
        self._target = target

    @classmethod
    def begin(cls, source: Path, target: str | None) -> Copy | None:
        """Write the copy under a temporary name next to its target."""
        if not target:
            return None
        path = Path(target)
        is_older = source.is_dir() and path.suffix == source.suffix
        if path.is_dir() and not is_older:
            path = path / source.name
            if os.path.lexists(path):  # a name that no user chose must not overwrite a file
                raise StudioError(
                    f"{path} exists already.", hint="Pass the path of the file to overwrite it."
                )
        if source.is_dir() and os.path.lexists(path):
            raise StudioError(f"{path} exists already.", hint="Pass the path of a new folder.")
        passing = path.with_name(f".{path.name}.{uuid4().hex[:8]}")
        try:
            _write(source, passing)
        except OSError as error:
            _remove(passing)
            raise StudioError(
                f"{path} cannot be written: {error.strerror or 'copying failed'}."
            ) from None
        return cls(passing, path)

    def finish(self) -> Path:
        """Rename the copy to its name, in place of an older one."""
        self._written.replace(self._target)
        sync(self._target.parent)
        return self._target


def _write(source: Path, path: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, path)
        return
    shutil.copyfile(source, path)
    sync(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
