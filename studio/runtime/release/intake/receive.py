"""RECEIVE: the files that a target lacks, the check of its disk, and their transfer."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple, Tuple

from ...shared.errors import ReleaseError
from ...shared.files import (
    digest_of,
    free_bytes,
    fresh,
    link_or_copy,
    megabytes,
    remove,
    sync,
)
from ...shared.records import read
from ..board import Board
from ..store.layout import Layout, checked_digest
from ..store.lease import locked, renew
from .source import Source

_RESERVE = 4 << 20
"""Bytes left free on the disk, for the state, the log and the server."""

_TELL_S = 0.25
_RENEW_S = 60.0
_CHUNK = 1 << 20


class MissingRequest(NamedTuple):
    """The blobs of a release.

    Attributes:
        blobs: Bytes of each, by its SHA-256.
        extra: Bytes that are needed in addition.
    """

    blobs: Mapping[str, int]
    extra: int = 0


class PartialBlob(NamedTuple):
    """Beginning of a blob that an interrupted transfer has left."""

    name: str
    bytes: int
    sha256: str


class MissingBlobs(NamedTuple):
    """Blobs that must be sent, with their sizes, and the parts that are present."""

    missing: Mapping[str, int]
    partial: Mapping[str, PartialBlob]
    free: int

    def to_json(self) -> dict[str, object]:
        """Return them in the form of the answer and the message."""
        return {
            "missing": self.missing,
            "partial": {digest: one._asdict() for digest, one in self.partial.items()},
            "bytes": sum(self.missing.values()),
            "free": self.free,
        }


class AnnouncedBlob(NamedTuple):
    """A blob that follows in frames.

    Attributes:
        offset: Bytes of its beginning that are here.
        start: Name of the file that holds them (``from``).
    """

    sha256: str
    bytes: int = 0
    offset: int = 0
    start: str = ""

    @classmethod
    def of(cls, document: Mapping[str, object]) -> AnnouncedBlob:
        """Read an announcement."""
        return read(cls, {**document, "start": document.get("from")})


class ReceiveRequest(NamedTuple):
    """The blobs that follow, in their order; the token of the deploy."""

    blobs: Tuple[Mapping[str, object], ...]
    token: str = ""


def missing(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Return what a release lacks here; see ``lacking``."""
    return lacking(board.layout, request).to_json()


def lacking(layout: Layout, request: Mapping[str, object]) -> MissingBlobs:
    """Return the blobs that must be sent; a damaged one counts as missing.

    A blob that another endpoint of the target has is not sent again.

    Args:
        request: A ``MissingRequest`` in JSON form.

    Raises:
        ReleaseError: when the disk has no room for them.
    """
    asked = read(MissingRequest, request)
    wanted = {checked_digest(str(one)): int(size) for one, size in asked.blobs.items()}
    absent = {
        digest: size
        for digest, size in wanted.items()
        if not (_is_whole(layout.blob(digest), digest, size) or _take(layout, digest, size))
    }
    partial = _partial(layout, absent)
    # A beginning is copied, not continued: the process that wrote it may still be writing.
    require_room(layout, sum(absent.values()) + asked.extra)
    return MissingBlobs(absent, partial, free_bytes(layout.root))


def _take(layout: Layout, digest: str, size: int) -> bool:
    """Take a blob from another endpoint of the target; return whether one has it whole.

    Each endpoint has a hard link of its own, so that no cleanup removes the file from another.
    """
    part = layout.incoming / ".{}.{}.part".format(digest, fresh())
    for neighbour in layout.neighbours():
        source = neighbour.blob(digest)
        try:
            if source.is_symlink() or not source.is_file() or source.stat().st_size != size:
                continue
            link_or_copy(source, part)
            # The owner of a linked file could change it later.
            if part.lstat().st_uid == os.geteuid() and _is_whole(part, digest, size):
                os.chmod(str(part), 0o444)
                os.replace(str(part), str(layout.blob(digest)))
                sync(layout.blobs)
                return True
        except OSError:  # removed meanwhile, or not readable: it is sent
            continue
        finally:
            remove(part)
    return False


def _is_whole(path: Path, digest: str, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size and digest_of(path) == digest


def require_room(layout: Layout, need: int) -> None:
    """Raise ReleaseError when fewer than ``need`` bytes (and a reserve) are free."""
    free = free_bytes(layout.root)
    if need > 0 and need + _RESERVE > free:
        raise ReleaseError(
            "no-space",
            "Not enough disk space on this target: the release needs {}, and {} is free.".format(
                megabytes(need + _RESERVE), megabytes(free)
            ),
            "Free disk space below {}.".format(layout.root),
        )


def receive(
    layout: Layout, request: Mapping[str, object], source: Source, say: Callable[..., None]
) -> dict[str, object]:
    """Take in files as they arrive, each whole and verified or not at all.

    The target is not locked during it: a connection that hangs must not keep others out. A file is
    named by its content, so one more disturbs no other command.

    Args:
        request: A ``ReceiveRequest`` in JSON form.
        say: Receives ``progress`` with the bytes that have arrived.

    Raises:
        ReleaseError: when the connection ends, or a file is not what was announced.
    """
    asked = read(ReceiveRequest, request)
    blobs = [AnnouncedBlob.of(one) for one in asked.blobs]
    meter = _Meter(layout, asked.token, sum(one.bytes for one in blobs), say)
    try:
        for one in blobs:
            _one(layout, one, source, meter)
    finally:
        sync(layout.blobs)
    meter.renew()
    return {"received": len(blobs), "bytes": meter.done}


def transfer(
    layout: Layout, request: Mapping[str, object], source: Source, say: Callable[..., None]
) -> dict[str, object]:
    """Report the missing files, then receive them: one process and one round trip for both.

    Args:
        request: As for ``missing``. When something is missing, a line with ``blobs`` as for
            ``receive`` follows, and the files.

    Raises:
        ReleaseError: as of both.
    """
    found = lacking(layout, request)
    say("missing", **found.to_json())
    if not found.missing:
        return {"received": 0, "bytes": 0}
    follows = json.loads(source.line() or b"{}")
    return receive(layout, dict(follows, token=request.get("token")), source, say)


class _Meter:
    """Progress of a transfer, which also renews the operator's lease while it lasts."""

    def __init__(self, layout: Layout, token: str, total: int, say: Callable[..., None]) -> None:
        self.done = 0
        self._layout = layout
        self._token = token
        self._total = total
        self._say = say
        self._told = 0.0
        self._renewed = 0.0
        self.count(0)

    def count(self, size: int) -> None:
        """Count bytes that were written to the disk."""
        self.done += size
        now = time.monotonic()
        if now - self._told >= _TELL_S or self.done == self._total:
            self._told = now
            self._say("progress", done=self.done, total=self._total, text="")
        if now - self._renewed >= _RENEW_S:
            self._renewed = now
            self.renew()

    def renew(self) -> None:
        """Raise ReleaseError when another operator has taken over."""
        if self._token:
            with locked(self._layout):
                renew(self._layout, self._token)


def _one(layout: Layout, what: AnnouncedBlob, source: Source, meter: _Meter) -> None:
    digest, size = checked_digest(what.sha256), what.bytes
    # A transfer that hangs can revive and write on; no other writes into a file of this name.
    part = layout.incoming / ".{}.{}.part".format(digest, fresh())
    found = hashlib.sha256()
    try:
        with open(part, "xb") as file:
            arrived = _copy_start(layout, what, file, found)
            meter.count(arrived)
            for piece in source.file():
                arrived += len(piece)
                if arrived > size:
                    break
                file.write(piece)
                found.update(piece)
                meter.count(len(piece))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:  # swept away: another operator holds the lease now
        meter.renew()
        raise
    if arrived != size or found.hexdigest() != digest:
        remove(part)
        raise ReleaseError(
            "damaged-transfer",
            "The file {} was damaged during the upload.".format(digest[:12]),
            "Deploy again. Only this file is sent again.",
        )
    os.chmod(str(part), 0o444)
    os.replace(str(part), str(layout.blob(digest)))
    for rest in _parts(layout, digest):
        remove(rest)


def _copy_start(layout: Layout, what: AnnouncedBlob, file: BinaryIO, digest: hashlib._Hash) -> int:
    """Start a file with the bytes that an earlier attempt left; return their number."""
    offset = what.offset
    if not offset:
        return 0
    before, left = layout.incoming / os.path.basename(what.start), offset
    with contextlib.suppress(FileNotFoundError), open(before, "rb") as old:
        while left:
            piece = old.read(min(left, _CHUNK))
            if not piece:
                break
            file.write(piece)
            digest.update(piece)
            left -= len(piece)
    if left:
        raise ReleaseError(
            "not-received", "The first part of the file {} is missing.".format(what.sha256[:12])
        )
    remove(before)
    return offset


def _partial(layout: Layout, lacking: Mapping[str, int]) -> dict[str, PartialBlob]:
    """Return the longest partial copy of each missing file."""
    found: dict[str, PartialBlob] = {}
    for digest, size in lacking.items():
        parts = sorted(_parts(layout, digest), key=lambda one: one.stat().st_size)
        if parts and 0 < parts[-1].stat().st_size <= size:
            end = parts[-1].stat().st_size
            found[digest] = PartialBlob(parts[-1].name, end, digest_of(parts[-1], end))
    return found


def _parts(layout: Layout, digest: str) -> list[Path]:
    begin = "." + digest + "."
    return [
        path
        for path in layout.incoming.iterdir()
        if path.name.startswith(begin) and path.is_file() and not path.is_symlink()
    ]
