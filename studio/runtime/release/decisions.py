"""The record of decisions for the operator: read page by page, and forgotten in parts.

Both are verbs of the release machine and no endpoints of the server: a client that may ask a model
may neither read what others asked, nor delete it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ..decisions.config import FOLDER, config_in
from ..decisions.entry import is_digest
from ..decisions.log import DecisionLog, Segment, segments_of
from ..decisions.upkeep import ForgetRequest, forget
from ..shared.errors import ReleaseError
from ..shared.records import read
from .board import Board

PAGE_BYTES = 2 << 20
"""Of one answer; a page ends with a whole line."""


class PageRequest(NamedTuple):
    """Place from which a record is read.

    Attributes:
        segment: Name of a segment; empty for the oldest.
        offset: Bytes of it that were read.
    """

    segment: str = ""
    offset: int = 0


def page(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Return the next lines of the record, and what there is of it."""
    asked = read(PageRequest, request)
    run = board.layout.run
    config, segments = config_in(run), segments_of(run / FOLDER)
    found: dict[str, object] = {
        "config": None if config is None else config._asdict(),
        "segments": [{"name": one.name, "bytes": _size(one.path)} for one in segments],
        "other": {name: _volume(run / name) for name in ("samples", "app", "server.log")},
    }
    if segments and request.get("read", True):
        found.update(_lines(segments, asked))
    return found


def _lines(segments: list[Segment], asked: PageRequest) -> dict[str, object]:
    names = [one.name for one in segments]
    if asked.segment and asked.segment not in names:
        raise ReleaseError("gone", "The record has no segment of this name any more.")
    segment = segments[names.index(asked.segment) if asked.segment else 0]
    with open(segment.path, "rb") as file:
        file.seek(max(asked.offset, 0))
        content = file.read(PAGE_BYTES)
    whole = content[: content.rfind(b"\n") + 1]
    return {"segment": segment.name, "lines": whole.decode("latin-1")}


def forget_content(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Delete the content of entries, and keep their hashes, who asked and when."""
    wanted = read(ForgetRequest, dict(request, by=board.owner))
    if bool(wanted.request) == bool(wanted.input) or (wanted.input and not is_digest(wanted.input)):
        raise ReleaseError("bad-request", "Name a request, or the SHA-256 of an input.")
    folder = board.layout.run / FOLDER
    return {"forgotten": forget(DecisionLog(folder), wanted) if folder.is_dir() else 0}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _volume(path: Path) -> int:
    """Bytes of a file, or of all files of a folder; 0 for neither."""
    if not path.is_dir():
        return _size(path)
    return sum(_size(Path(base) / name) for base, _, names in os.walk(str(path)) for name in names)
