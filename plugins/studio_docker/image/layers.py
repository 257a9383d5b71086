"""Layers of an image: tar files whose bytes depend on nothing but what is in them."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

DIRECTORY = 0o755
FILE = 0o644
PROGRAM = 0o755
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class LayerFile:
    """A file or a folder of a layer.

    Attributes:
        name: Its path, without a slash in front.
        content: Bytes, or the file that has them; None for a folder.
    """

    name: str
    content: bytes | Path | None
    mode: int = FILE


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer in a file.

    Attributes:
        digest: SHA-256 of the file (``sha256:...``).
        diff_id: SHA-256 of the tar in it, which is the same unless the file is compressed.
        path: None where an engine has it, and it is not here.
        unpacked: Bytes of the tar.
    """

    title: str
    diff_id: str
    path: Path | None = None
    digest: str = ""
    size: int = 0
    unpacked: int = 0
    compressed: bool = False


def write_layer(path: Path, title: str, entries: Iterable[LayerFile], created: int) -> Layer:
    """Write a layer; equal entries and time give equal bytes on every machine.

    Not compressed: the bytes then depend on no version of a compressor, and engines and
    registries compress as they like anyway.

    Args:
        created: Time of every file, in seconds since 1970.
    """
    with path.open("wb") as raw:
        counted = _Hashing(raw)
        with tarfile.open(fileobj=counted, mode="w|", format=tarfile.PAX_FORMAT) as archive:  # type: ignore[call-overload]
            for entry in _complete(entries):
                _add(archive, entry, created)
    digest, size = f"sha256:{counted.digest}", counted.size
    return Layer(title, digest, path, digest, size, size)


class _Hashing:
    """A file that knows the digest of what was written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self.size += len(data)
        return self._file.write(data)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def _complete(entries: Iterable[LayerFile]) -> Iterator[LayerFile]:
    """Return the entries in the order of their names, with their parent folders."""
    found = {entry.name: entry for entry in entries}
    for name in list(found):
        for parent in list(Path(name).parents)[:-1]:
            found.setdefault(parent.as_posix(), LayerFile(parent.as_posix(), None, DIRECTORY))
    return (found[name] for name in sorted(found))


def _add(archive: tarfile.TarFile, entry: LayerFile, created: int) -> None:
    info = tarfile.TarInfo(entry.name)
    info.mtime, info.mode = created, entry.mode
    if entry.content is None:
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
    elif isinstance(entry.content, bytes):
        info.size = len(entry.content)
        archive.addfile(info, io.BytesIO(entry.content))
    else:
        info.size = entry.content.stat().st_size
        with entry.content.open("rb") as file:
            archive.addfile(info, file)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file as ``sha256:...``."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def descriptor(media_type: str, digest: str, size: int) -> dict[str, Any]:
    """Return a blob's descriptor as in OCI documents."""
    return {"mediaType": media_type, "digest": digest, "size": size}
