"""The content-addressed store: files and folders named by their digests."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import uuid
from pathlib import Path

from studio.api import Refused
from studio.registry.names import LONGEST, below, component
from studio.registry.records import Artifact
from studio.runtime.shared.files import sync


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_digest(path: Path) -> str:
    """Return the SHA-256 of a folder's sorted listing: a line of digest and name per file."""
    return hashlib.sha256(folder_listing(path)).hexdigest()


def folder_listing(path: Path) -> bytes:
    """Return the sorted listing of a folder: a line of digest and name per file."""
    lines = (f"{file_digest(file)}  {file.relative_to(path).as_posix()}\n" for file in _files(path))
    return "".join(lines).encode()


class BlobStore:
    """A store of folders ``<digest>/<name>``, each created once as a whole, and never changed.

    Args:
        folder: Its folder, inside the registry's folder.
        registry: The registry's folder; by default the parent.

    Attributes:
        folder: The same.
    """

    def __init__(self, folder: Path, registry: Path | None = None) -> None:
        self.folder = self._folder = folder
        self._registry = registry or folder.parent
        folder.mkdir(parents=True, exist_ok=True)

    def adopt(self, path: Path, name: str | None = None) -> Artifact:
        """Move a file or folder into the store; drop it if the store has it already.

        The move is atomic if the source is on the store's file system. Otherwise the source is
        copied into the store first.

        Args:
            name: Name in the store, one component of a path; by default the present name.

        Raises:
            Refused: when the name leads outside, or the source is the registry's own.
            ValueError: when a file in it is not regular.
        """
        name = component(path.name if name is None else name, longest=LONGEST)
        self._check_source(path)
        digest = folder_digest(path) if path.is_dir() else file_digest(path)
        home = self._folder / digest
        final = home / name
        if not final.exists():
            self._place(path, home, final)
        return Artifact(digest, final, _size(final))

    def adopt_made(self, path: Path, name: str) -> Artifact:
        """Adopt a worker's output, but only from the studio's data, never a user's file.

        Raises:
            Refused: when it is outside of the studio's data folder, or inside the
                registry.
        """
        registry = self._registry
        made = below(registry.parent, path)
        if made.resolve().is_relative_to(registry.resolve()):
            raise Refused(f"{path.name} is a part of the registry itself.", detail=str(path))
        return self.adopt(made, name)

    def has(self, path: Path) -> bool:
        """Return whether a path exists."""
        return path.exists()

    def fetch(self, path: Path) -> None:
        """Make a path of the store usable; a local store has all of it."""

    def take(self, digest: str, path: Path) -> None:
        """Copy a file or folder of another store, under the same digest and name.

        Raises:
            Refused: when it is not what its digest names.
        """
        final = self._folder / digest / path.name
        if (folder_digest(path) if path.is_dir() else file_digest(path)) != digest:
            raise Refused(f"{path.name} is not what it was ({digest[:12]}).", detail=str(path))
        if not final.exists():
            final.parent.mkdir(exist_ok=True)
            self._copy(path, final)
            sync(final.parent)
            sync(self._folder)

    def _check_source(self, path: Path) -> None:
        """Refuse links, and paths that contain the store or are inside it."""
        if path.is_symlink():
            raise ValueError(f"{path} is not a regular file")
        own, found = self._folder.resolve(), path.resolve()
        if found.is_relative_to(own) or own.is_relative_to(found):
            raise Refused(f"{path.name} is a part of the registry itself.", detail=str(path))

    def _place(self, path: Path, home: Path, final: Path) -> None:
        try:
            self._moved(path, home, final)
        except OSError as error:
            if error.errno == errno.EXDEV:
                self._copy(path, final)
            elif not final.exists():
                # Otherwise another process has stored the same content in between.
                raise
        sync(home)
        sync(self._folder)

    def _moved(self, path: Path, home: Path, final: Path) -> None:
        """Rename a path of the store's file system to its place."""
        _make_read_only(path)
        home.mkdir(exist_ok=True)
        os.rename(path, final)

    def _copy(self, path: Path, final: Path) -> None:
        """Move a path from another file system, complete under its name or not at all."""
        passing = self._folder / f".{uuid.uuid4().hex}"
        shutil.copytree(path, passing) if path.is_dir() else shutil.copy2(path, passing)
        _make_read_only(passing)
        try:
            os.rename(passing, final)
        except OSError:
            shutil.rmtree(passing, ignore_errors=True)
            if not final.exists():
                raise


def _files(path: Path) -> list[Path]:
    """Return the regular files below a folder by relative name; refuse links."""
    found = []
    for folder, _folders, names in os.walk(path):
        for name in names:
            file = Path(folder, name)
            if file.is_symlink() or not file.is_file():
                raise ValueError(f"{file} is not a regular file")
            found.append(file)
    return sorted(found, key=lambda file: file.relative_to(path).as_posix())


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in (_files(path) if path.is_dir() else [path]))


def _make_read_only(path: Path) -> None:
    """Make files read-only and flush them; folders stay writable, so they can be removed."""
    for file in _files(path) if path.is_dir() else [path]:
        file.chmod(0o444)
        sync(file)
