"""Counts of a board's server processes that wait on the disk, each process with a file of its own.

Counts only grow within a run (one loaded release in one process), so what is sent later holds all
that was not sent before: nothing queues, and the newest message replaces every earlier one. A run
that has ended stays in the messages until newer runs take its place.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple

from ..shared.files import fresh, remove, write_atomically

MOST_FILES = 8
MOST_RUNS = 32
_MOST_BYTES = 256 * 1024
_IDENTITY = "identity.json"

RUN = (
    *((key, str) for key in ("run", "model", "version", "release")),
    *((key, int) for key in ("seq", "requests", "errors", "rejected")),
    ("latency", list),
)
"""Fields of a run with their types."""

Json = Dict[str, object]


class BoardIdentity(NamedTuple):
    """Order of the server processes of a board.

    Attributes:
        series: Of the numbers; a new one begins where the board's files are lost.
        start: Number of this process in the series.
    """

    series: str
    start: int


class Outbox:
    """The runs of this process and of those before it.

    Attributes:
        boot: Identifies this process.
        identity: Its place among those of the board.
        dropped: Runs that were given up, because there were too many.
    """

    def __init__(self, folder: Optional[Path]) -> None:
        """Read what earlier processes left.

        Args:
            folder: None to keep all of it in memory.
        """
        self.boot = fresh()[:16]
        self.dropped = 0
        self._folder = folder
        self._content = b""
        try:
            self.identity = self._identify()
            self._clean()
        except OSError:  # a disk that is full or read-only: counts of this process alone
            self._folder = None
            self.identity = BoardIdentity(fresh()[:16], 1)

    def _identify(self) -> BoardIdentity:
        if self._folder is None:
            return BoardIdentity(fresh()[:16], 1)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / _IDENTITY
        series, start = _identity(_read(path))
        found = BoardIdentity(series or fresh()[:16], start + 1)
        write_atomically(path, json.dumps(found._asdict()).encode("ascii"), mode=0o600)
        return found

    def _files(self) -> List[Tuple[int, Path]]:
        """Files of other processes with their numbers, the newest first."""
        if self._folder is None:
            return []
        found = []
        for path in self._folder.glob("*.runs"):
            if path.stem != self.boot:
                start = _read(path).get("start")
                found.append((start if isinstance(start, int) else 0, path))
        return sorted(found, reverse=True)

    def _clean(self) -> None:
        for _, path in self._files()[MOST_FILES - 1 :]:
            self.dropped += len(_runs(_read(path)))
            remove(path)

    def store(self, runs: List[Json]) -> bool:
        """Write the runs of this process; False where the disk took them not."""
        if self._folder is None:
            return False
        document = {"start": self.identity.start, "runs": runs}
        content = json.dumps(document, separators=(",", ":")).encode("ascii")
        if content == self._content:
            return True
        path = self._folder / (self.boot + ".runs")
        aside = path.with_suffix(".new")
        try:
            # Not flushed, as that would wear a card out: what a power cut takes was sent mostly.
            handle = os.open(str(aside), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(str(aside), str(path))
        except OSError:
            return False
        self._content = content
        return True

    def all(self, runs: List[Json]) -> List[Json]:
        """Return the runs of this process and of others, the newest first, and bounded.

        Args:
            runs: Of this process, the newest first.
        """
        found = list(runs)
        for _, path in self._files()[: MOST_FILES - 1]:
            found += _runs(_read(path))
        return found[:MOST_RUNS]


def _identity(document: Json) -> Tuple[str, int]:
    series, start = document.get("series"), document.get("start")
    if isinstance(series, str) and isinstance(start, int) and 0 < start < 1 << 52:
        return series[:16], start
    return "", 0


def _runs(document: Json) -> List[Json]:
    runs = document.get("runs")
    # A damaged run would have the whole message refused, with the counts of all the others.
    return [one for one in runs if _is_run(one)] if isinstance(runs, list) else []


def _is_run(one: object) -> bool:
    return isinstance(one, dict) and all(isinstance(one.get(key), kind) for key, kind in RUN)


def _read(path: Path) -> Json:
    """Return a file's object; an empty one for a file that is damaged or not there."""
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_MOST_BYTES).decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
