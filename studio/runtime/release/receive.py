"""RECEIVE: which files a target lacks, whether there is room for them, and taking them in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .board import Board
from .errors import ReleaseError
from .files import digest_of, free_bytes, remove, sync_file, sync_folder
from .layout import Layout

_RESERVE = 4 << 20
"""Bytes left free on the disk, for the state, the log and the server."""


def missing(board: Board, request: Mapping[str, Any]) -> dict[str, Any]:
    """The blobs that must be sent; a damaged one counts as missing and is removed.

    Args:
        request: ``blobs`` (SHA-256 -> bytes), ``extra`` (bytes needed beside them).

    Raises:
        ReleaseError: when the disk has no room for them.
    """
    layout = board.layout
    _take_whole_parts(layout)
    wanted = {str(digest): int(size) for digest, size in request["blobs"].items()}
    lacking = {}
    for digest, size in wanted.items():
        path = layout.blob(digest)
        if not path.is_file() or path.stat().st_size != size or digest_of(path) != digest:
            lacking[digest] = size
    need = sum(lacking.values()) + int(request.get("extra", 0))
    require_room(layout, need)
    return {"missing": lacking, "bytes": sum(lacking.values()), "free": free_bytes(layout.root)}


def require_room(layout: Layout, need: int) -> None:
    """Raise ReleaseError when fewer than ``need`` bytes (and a reserve) are free."""
    free = free_bytes(layout.root)
    if need and need + _RESERVE > free:
        raise ReleaseError(
            "no-space",
            "The disk of this target is too full: the release needs {}, and {} is free.".format(
                megabytes(need + _RESERVE), megabytes(free)
            ),
            "Free some space below {}, or remove what is no longer used.".format(layout.root),
        )


def receive(board: Board, request: Mapping[str, Any]) -> dict[str, Any]:
    """Verify files that have arrived, and take them into the blobs.

    Args:
        request: ``parts``: a list of ``{"part": name below incoming, "sha256", "bytes"}``.

    Raises:
        ReleaseError: naming the first part that is not what was announced; it is removed.
    """
    layout = board.layout
    taken = 0
    for part in request["parts"]:
        digest, size = str(part["sha256"]), int(part["bytes"])
        source = layout.incoming / os.path.basename(str(part["part"]))
        if not source.is_file() or source.is_symlink():
            raise ReleaseError("not-received", "The file {} has not arrived.".format(digest[:12]))
        if source.stat().st_size != size or digest_of(source) != digest:
            remove(source)
            raise ReleaseError(
                "damaged-transfer",
                "The file {} was damaged on its way.".format(digest[:12]),
                "Repeat the deploy; only this file is sent again.",
            )
        _take(layout, source, digest)
        taken += size
    sync_folder(layout.blobs)
    return {"received": len(request["parts"]), "bytes": taken}


def _take_whole_parts(layout: Layout) -> None:
    """Take in what an interrupted deploy has sent whole but did not come to announce.

    A part's name begins with the digest that it should have. Hidden names are still being written,
    perhaps by a transfer that hangs; they are left alone.
    """
    for part in layout.incoming.iterdir():
        digest = part.name.partition(".")[0]
        if len(digest) != 64 or part.is_symlink() or not part.is_file():
            continue
        if digest_of(part) == digest:
            _take(layout, part, digest)
        else:
            remove(part)
    sync_folder(layout.blobs)


def _take(layout: Layout, part: Path, digest: str) -> None:
    sync_file(part)
    os.chmod(str(part), 0o444)
    os.replace(str(part), str(layout.blob(digest)))


def megabytes(count: int) -> str:
    """A size for people."""
    return "{:,.1f} MB".format(count / 1e6) if count < 100e6 else "{:,.0f} MB".format(count / 1e6)
