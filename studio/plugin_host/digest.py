"""The digest of a plugin's files, which is what the user agrees to."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from studio.plugin_host.manifest import ManifestError

_CACHE = "__pycache__"
_MOST_FILES = 2000
_MOST_BYTES = 200 << 20
_CHUNK = 1 << 20


def content_digest(folder: Path) -> str:
    """SHA-256 over the names and contents of every file, in hexadecimal.

    Raises:
        ManifestError: as ``file_digests`` does.
    """
    return digest_of(folder, file_digests(folder))


def digest_of(folder: Path, files: Mapping[Path, bytes]) -> str:
    """Return the same of files whose digests are known, in their order."""
    total = hashlib.sha256()
    for path, digest in files.items():
        name = path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape")
        total.update(len(name).to_bytes(4, "big") + name + digest)
    return total.hexdigest()


def file_digests(folder: Path) -> dict[Path, bytes]:
    """SHA-256 of every file.

    Python's caches are left out: ``plugin_host.importing`` neither reads nor writes them.

    Raises:
        ManifestError: for a link (what it names could change unseen), a file that cannot be
            read, or more files than a plugin has.
    """
    found = {}
    size = 0
    for number, path in enumerate(_files(folder)):
        size += path.stat().st_size
        if number >= _MOST_FILES or size > _MOST_BYTES:
            raise ManifestError(f"{folder} holds more than a plugin: its files are too many.")
        found[path] = _digest(path)
    return found


def _files(folder: Path) -> Iterator[Path]:
    """Yield every regular file, in an order that does not depend on the disk."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise ManifestError(f"{folder} cannot be read: {error.strerror}.") from None
    for entry in entries:
        if entry.is_symlink():
            raise ManifestError(f"{entry.path} is a link; a plugin's files must be its own.")
        if entry.is_dir() and entry.name != _CACHE:
            yield from _files(Path(entry.path))
        elif entry.is_file():
            yield Path(entry.path)


def _digest(path: Path) -> bytes:
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                found.update(chunk)
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror}.") from None
    return found.digest()
