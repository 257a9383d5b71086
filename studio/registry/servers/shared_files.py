"""The files of a shared registry: named by their digests in a common place, cached by each studio.

A file is stored under its SHA-256. A folder is stored as its listing, whose SHA-256 is the folder's
digest, and the files in it. So a bundle that differs in one file costs that file.
"""

from __future__ import annotations

import re
import shutil
import uuid
from pathlib import Path
from typing import Protocol

from studio.api import Refused, StudioError
from studio.registry.blob_store import BlobStore, file_digest, folder_digest, folder_listing
from studio.registry.names import LONGEST, is_component
from studio.registry.records import Artifact
from studio.runtime.shared.files import replacement, sync

FILES, FOLDERS = "files", "folders"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LARGEST_LISTING = 64 << 20


class CommonPlace(Protocol):
    """A place that all studios of a shared registry reach: a bucket, or a mounted folder."""

    def require(self) -> None:
        """Ask for the place itself.

        Raises:
            StudioError: when it does not exist, or cannot be reached.
        """

    def has(self, key: str) -> bool:
        """Return whether an object exists.

        Raises:
            StudioError: when the place cannot be reached.
        """

    def put(self, key: str, source: Path) -> None:
        """Store a file, complete under its key or not at all.

        Raises:
            StudioError: when the place cannot be reached, is full, or refuses it.
        """

    def get(self, key: str, target: Path) -> bool:
        """Write an object to a new file; return False if it does not exist.

        Raises:
            StudioError: when the place cannot be reached, or refuses it.
        """

    def describe(self) -> str:
        """Return its address, for people."""


class SharedStore(BlobStore):
    """A store whose content is in a common place, and fetched when it is used.

    Args:
        folder: Folder of this studio's copies, inside the registry's folder.
        registry: The registry's folder.
        place: The common place.
    """

    def __init__(self, folder: Path, registry: Path, place: CommonPlace) -> None:
        super().__init__(folder, registry)
        self._common = place

    def adopt(self, path: Path, name: str | None = None) -> Artifact:
        """Move a file or folder into the store, and store it in the common place.

        Raises:
            Refused: when the name or the source is not allowed in the store.
            StudioError: when the common place cannot be reached, or refuses it.
        """
        made = super().adopt(path, name)
        self.push(made.digest, made.path)
        return made

    def take(self, digest: str, path: Path) -> None:
        """Store a file or folder of another store in the common place.

        Raises:
            Refused: when it is not what its digest names.
            StudioError: when the common place cannot be reached, or refuses it.
        """
        if (folder_digest(path) if path.is_dir() else file_digest(path)) != digest:
            raise Refused(f"{path.name} is not what it was ({digest[:12]}).", detail=str(path))
        self.push(digest, path)

    def push(self, digest: str, path: Path) -> int:
        """Store what the common place does not have of a file or folder of the store.

        A folder's files are looked for even if its listing is there, as a bucket may lose one.

        Returns:
            The number of stored objects.

        Raises:
            StudioError: when the common place cannot be reached, or refuses it.
        """
        if not path.is_dir():
            return self._push_object(f"{FILES}/{digest}", path)
        listing, stored = folder_listing(path), 0
        for line in filter(None, listing.decode().split("\n")):
            part, _, name = line.partition("  ")
            stored += self._push_object(f"{FILES}/{part}", path / name)
        passing = self._passing()
        try:
            passing.write_bytes(listing)
            # Last: a listing is complete.
            return stored + self._push_object(f"{FOLDERS}/{digest}", passing)
        finally:
            passing.unlink(missing_ok=True)

    def restock(self, path: Path) -> int:
        """Store again what the common place has lost of a file or folder that is here.

        Returns:
            The number of stored objects.

        Raises:
            StudioError: when the common place cannot be reached, or refuses it.
        """
        found = self._parts(path)
        return self.push(found[0], path) if found and path.exists() else 0

    def _push_object(self, key: str, path: Path) -> int:
        if self._common.has(key):
            return 0
        self._common.put(key, path)
        return 1

    def require_common(self) -> None:
        """Ask for the common place itself.

        Raises:
            StudioError: when it does not exist, or cannot be reached.
        """
        self._common.require()

    def has(self, path: Path) -> bool:
        """Return whether a path is here, or its content in the common place.

        Raises:
            StudioError: when the common place cannot be reached.
        """
        found = self._parts(path)
        if path.exists() or found is None:
            return path.exists()
        return any(self._common.has(f"{kind}/{found[0]}") for kind in (FILES, FOLDERS))

    def fetch(self, path: Path) -> None:
        """Copy a file or folder of the store from the common place, unless it is here.

        Raises:
            Refused: when another studio has written a path that leads outside.
            StudioError: when the common place has lost it, altered it, or cannot be reached.
        """
        if path.is_relative_to(self._folder) and ".." in path.parts:
            raise Refused(f"{str(path)[-80:]!r} lies outside its folder.")
        found = self._parts(path)
        if found is None or path.exists():
            return
        digest, name = found
        home, passing = self._folder / digest, self._passing()
        try:
            if not self._fetched(digest, passing):
                raise StudioError(
                    f"The shared store has lost {name} ({digest[:12]}).",
                    hint="Open or package the model again on a computer that has it.",
                    detail=f"{self._common.describe()} has neither a file nor a folder {digest}.",
                )
            self._put_here(passing, home, home / name)
        except OSError as error:
            raise StudioError(
                f"{name} could not be copied from the shared store: {error.strerror or error}."
            ) from None
        finally:
            _remove(passing)

    def _put_here(self, passing: Path, home: Path, final: Path) -> None:
        try:
            self._moved(passing, home, final)
        except OSError:
            if not final.exists():  # another process may have fetched it in between
                raise

    def _fetched(self, digest: str, passing: Path) -> bool:
        if self._common.get(f"{FILES}/{digest}", passing):
            self._require(passing, digest)
            return True
        listing = self._passing()
        try:
            if not self._common.get(f"{FOLDERS}/{digest}", listing):
                return False
            self._require(listing, digest)
            if listing.stat().st_size > _LARGEST_LISTING:
                raise Refused(f"The listing {digest[:12]} in the shared store is too large.")
            text = listing.read_text(encoding="utf-8")
        finally:
            listing.unlink(missing_ok=True)
        passing.mkdir()
        for line in filter(None, text.split("\n")):
            self._fetch_part(line, passing)
        return True

    def _fetch_part(self, line: str, folder: Path) -> None:
        found = _LINE.fullmatch(line)
        parts = found[2].split("/") if found else []
        if found is None or not all(_is_part(part) for part in parts):
            raise Refused(f"The shared store has a file with the name {line[66:146]!r}.")
        target = folder.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not self._common.get(f"{FILES}/{found[1]}", target):
            raise StudioError(
                f"The shared store has lost {parts[-1]} ({found[1][:12]}).",
                hint="Open or package the model again on a computer that has it.",
            )
        self._require(target, found[1])

    def _require(self, path: Path, digest: str) -> None:
        if file_digest(path) != digest:
            raise Refused(
                f"A file in the shared store is not what it was ({digest[:12]}).",
                hint="Package the model again; nothing of the altered file was used.",
                detail=self._common.describe(),
            )

    def _parts(self, path: Path) -> tuple[str, str] | None:
        """Return the digest and the name of what a path of the store belongs to."""
        try:
            parts = path.relative_to(self._folder).parts
        except ValueError:
            return None
        if len(parts) < 2 or not _DIGEST.fullmatch(parts[0]) or not is_component(parts[1], LONGEST):
            return None
        return parts[0], parts[1]

    def _passing(self) -> Path:
        return self._folder / f".{uuid.uuid4().hex}"


def _is_part(name: str) -> bool:
    return name not in ("", ".", "..") and "\\" not in name and "\0" not in name


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


class MountedFolder:
    """A folder that all studios have mounted, as the common place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, key: str) -> bool:
        """Return whether an object exists."""
        self.require()
        return (self._folder / key).is_file()

    def put(self, key: str, source: Path) -> None:
        """Store a file, complete under its key or not at all."""
        self.require()
        target = self._folder / key
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacement(target) as aside:
                shutil.copyfile(source, aside)
                sync(aside)
        except OSError as error:
            raise StudioError(
                f"The shared store refused a file: {error.strerror or error}.",
                detail=self.describe(),
            ) from None

    def get(self, key: str, target: Path) -> bool:
        """Write an object to a new file; return False if it does not exist."""
        self.require()
        try:
            shutil.copyfile(self._folder / key, target)
        except FileNotFoundError:
            return False
        return True

    def describe(self) -> str:
        """Return its address, for people."""
        return str(self._folder)

    def require(self) -> None:
        """Refuse an absent mount, as an empty folder would make all files seem lost."""
        if not self._folder.is_dir():
            raise StudioError(
                f"The shared store {self._folder} is not mounted.",
                hint="Mount it, or choose another: studio registry use ADDRESS --blobs PLACE",
            )
