"""RECEIVE: which files a target lacks, whether there is room for them, and taking them in."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ...shared.errors import ReleaseError
from ...shared.files import digest_of, free_bytes, fresh, megabytes, remove, sync_folder
from ..board import Board
from ..store.layout import Layout, checked_digest
from ..store.lease import locked, renew
from .source import Source

_RESERVE = 4 << 20
"""Bytes left free on the disk, for the state, the log and the server."""

_TELL_S = 0.25
_RENEW_S = 60.0
_CHUNK = 1 << 20


def missing(board: Board, request: Mapping[str, Any]) -> dict[str, Any]:
    """What a release lacks here; see ``lacking``."""
    return lacking(board.layout, request)


def lacking(layout: Layout, request: Mapping[str, Any]) -> dict[str, Any]:
    """The blobs that must be sent; a damaged one counts as missing and is removed.

    Args:
        request: ``blobs`` (SHA-256 -> bytes), ``extra`` (bytes needed beside them).

    Returns:
        ``missing`` (SHA-256 -> bytes), and of those ``partial``: SHA-256 -> ``name``, ``bytes`` and
        ``sha256`` of the beginning that an interrupted transfer has left.

    Raises:
        ReleaseError: when the disk has no room for them.
    """
    wanted = {checked_digest(str(one)): int(size) for one, size in request["blobs"].items()}
    absent = {}
    for digest, size in wanted.items():
        path = layout.blob(digest)
        if not path.is_file() or path.stat().st_size != size or digest_of(path) != digest:
            absent[digest] = size
    partial = _partial(layout, absent)
    # A beginning is copied, not gone on with: whoever wrote it may still be writing.
    require_room(layout, sum(absent.values()) + int(request.get("extra", 0)))
    return {
        "missing": absent,
        "partial": partial,
        "bytes": sum(absent.values()),
        "free": free_bytes(layout.root),
    }


def require_room(layout: Layout, need: int) -> None:
    """Raise ReleaseError when fewer than ``need`` bytes (and a reserve) are free."""
    free = free_bytes(layout.root)
    if need > 0 and need + _RESERVE > free:
        raise ReleaseError(
            "no-space",
            "The disk of this target is too full: the release needs {}, and {} is free.".format(
                megabytes(need + _RESERVE), megabytes(free)
            ),
            "Free some space below {}, or remove what is no longer used.".format(layout.root),
        )


def receive(
    layout: Layout, request: Mapping[str, Any], source: Source, say: Callable[..., None]
) -> dict[str, Any]:
    """Take in files as they arrive, each whole and verified or not at all.

    The target is not locked meanwhile: a connection that hangs must not keep others out. A file is
    named by its content, so nobody is disturbed by one more.

    Args:
        request: ``blobs``, in the order of the files: a list of ``{"sha256", "bytes"}``, and where
            a beginning is here ``{"from": its name, "offset": its bytes}``.
        say: Told ``progress`` with the bytes that have arrived.

    Raises:
        ReleaseError: when the connection ends, or a file is not what was announced.
    """
    token = str(request.get("token") or "")
    blobs = request["blobs"]
    meter = _Meter(layout, token, sum(int(one["bytes"]) for one in blobs), say)
    try:
        for one in blobs:
            _one(layout, one, source, meter)
    finally:
        sync_folder(layout.blobs)
    meter.renew()
    return {"received": len(blobs), "bytes": meter.done}


def transfer(
    layout: Layout, request: Mapping[str, Any], source: Source, say: Callable[..., None]
) -> dict[str, Any]:
    """Say what is missing, then receive it: one process for both, and one answer to wait for.

    Args:
        request: As for ``missing``. When something is missing, a line with ``blobs`` as for
            ``receive`` follows, and the files.

    Raises:
        ReleaseError: as of both.
    """
    found = lacking(layout, request)
    say("missing", **found)
    if not found["missing"]:
        return {"received": 0, "bytes": 0}
    follows = json.loads(source.line() or b"{}")
    follows["token"] = request.get("token")
    return receive(layout, follows, source, say)


class _Meter:
    """Tells how far it is, and keeps the operator's claim alive during a long transfer."""

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
        """So many bytes more are on the disk."""
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


def _one(layout: Layout, what: Mapping[str, Any], source: Source, meter: _Meter) -> None:
    digest, size = checked_digest(str(what["sha256"])), int(what["bytes"])
    # A transfer that hangs can revive and write on; nobody else writes into a file of this name.
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
    except FileNotFoundError:  # swept away: somebody else is the operator now
        meter.renew()
        raise
    if arrived != size or found.hexdigest() != digest:
        remove(part)
        raise ReleaseError(
            "damaged-transfer",
            "The file {} was damaged on its way.".format(digest[:12]),
            "Repeat the deploy; only this file is sent again.",
        )
    os.chmod(str(part), 0o444)
    os.replace(str(part), str(layout.blob(digest)))
    for rest in _parts(layout, digest):
        remove(rest)


def _copy_start(
    layout: Layout, what: Mapping[str, Any], file: BinaryIO, digest: hashlib._Hash
) -> int:
    """Begin a file with what an earlier attempt has left; the number of bytes."""
    offset = int(what.get("offset") or 0)
    if not offset:
        return 0
    before, left = layout.incoming / os.path.basename(str(what["from"])), offset
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
            "not-received", "The beginning of the file {} is gone.".format(what["sha256"][:12])
        )
    remove(before)
    return offset


def _partial(layout: Layout, lacking: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """The longest beginning of each file that lacks."""
    found: dict[str, dict[str, Any]] = {}
    for digest, size in lacking.items():
        parts = sorted(_parts(layout, digest), key=lambda one: one.stat().st_size)
        if parts and 0 < parts[-1].stat().st_size <= size:
            end = parts[-1].stat().st_size
            found[digest] = {
                "name": parts[-1].name,
                "bytes": end,
                "sha256": digest_of(parts[-1], end),
            }
    return found


def _parts(layout: Layout, digest: str) -> list[Path]:
    begin = "." + digest + "."
    return [
        path
        for path in layout.incoming.iterdir()
        if path.name.startswith(begin) and path.is_file() and not path.is_symlink()
    ]
