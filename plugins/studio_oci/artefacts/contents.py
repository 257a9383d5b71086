"""Contents of blobs: files, texts, and a tar that is made while it is sent."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from studio.api import TargetError
from studio_oci.uploads import BlobContent

_CHUNK = 1 << 20
_BLOCK = 512
_END = 2 * _BLOCK
_FILE, _FOLDER = 0o644, 0o755


def canonical(value: Mapping[str, Any]) -> bytes:
    """Return the one spelling of a JSON document."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of bytes in the form of OCI documents."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def text_content(title: str, content: bytes) -> BlobContent:
    """Return bytes as the content of a blob."""
    return BlobContent(title, digest_of(content), len(content), lambda at: (content[at:],))


def file_content(title: str, path: Path) -> BlobContent:
    """Return a file as the content of a blob.

    Raises:
        TargetError: when it cannot be read.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except OSError as error:
        raise TargetError(f"{path} cannot be read: {error.strerror or error}.") from None
    return BlobContent(title, f"sha256:{digest}", size, lambda at: _pieces(path, at))


def tar_content(title: str, files: Mapping[str, Path], created: int) -> BlobContent:
    """Return a tar of files as the content of a blob, which no disk needs to hold.

    Args:
        files: Path in the tar -> file. Equal files and time give equal bytes.
        created: Time of every file, in seconds since 1970.
    """
    digest, size = hashlib.sha256(), 0
    for piece in _tar(files, created):
        digest.update(piece)
        size += len(piece)
    return BlobContent(
        title,
        f"sha256:{digest.hexdigest()}",
        size,
        lambda at: _from(_tar(files, created), at),
    )


def _pieces(path: Path, at: int = 0) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(at)
        while piece := file.read(_CHUNK):
            yield piece


def _tar(files: Mapping[str, Path], created: int) -> Iterator[bytes]:
    size = 0
    for name, path in _entries(files):
        head = _head(name, path, created)
        size += len(head)
        yield head
        if path is None:
            continue
        for piece in _pieces(path):
            size += len(piece)
            yield piece
        pad = -size % _BLOCK
        size += pad
        yield b"\0" * pad
    yield b"\0" * _END


def _entries(files: Mapping[str, Path]) -> Iterable[tuple[str, Path | None]]:
    """Return files and their folders in the order of their names."""
    found: dict[str, Path | None] = dict(files)
    for name in files:
        for parent in list(PurePosixPath(name).parents)[:-1]:
            found.setdefault(parent.as_posix(), None)
    return sorted(found.items(), key=lambda entry: entry[0])


def _head(name: str, path: Path | None, created: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.mtime, info.mode = created, _FILE
    if path is None:
        info.type, info.mode = tarfile.DIRTYPE, _FOLDER
    else:
        info.size = path.stat().st_size
    return info.tobuf(tarfile.PAX_FORMAT)


def _from(pieces: Iterable[bytes], at: int) -> Iterator[bytes]:
    for piece in pieces:
        if at >= len(piece):
            at -= len(piece)
            continue
        yield piece[at:]
        at = 0
