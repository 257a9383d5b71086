"""The finished boards of a study, on the disk as soon as each is measured.

A study may be ended by its user, by its process or by a power failure. What was measured on a
board takes minutes, so it is kept: a folder for each study, with one file for each board.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import studio
from studio.api import UsageError
from studio.documents.dataclass_json import InvalidDocument, from_json, to_json
from studio.profiling.boards.results import StudyRow
from studio.profiling.boards.step import StudyOptions
from studio.settings import write_atomically

LAST = "last"
_HEAD = "study.json"
_KEPT = 50
"""Number of studies whose boards are kept."""

_CHANGEABLE = ("target", "parallel", "wait", "resume")
"""Options that may be others when a study is resumed."""


class SavedStudy:
    """One study on the disk; its boards are written by several threads, each its own file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def name(self) -> str:
        """Name of the study, by which it is resumed."""
        return self.folder.name

    @classmethod
    def begin(cls, place: Path, options: StudyOptions) -> SavedStudy:
        """Create the folder of a new study; the oldest ones are removed."""
        place.mkdir(parents=True, exist_ok=True)
        for old in _names(place)[:-_KEPT]:
            shutil.rmtree(place / old, ignore_errors=True)
        stem = time.strftime("%Y%m%d-%H%M%S")
        for number in range(1, 1000):
            made = cls(place / (stem if number == 1 else f"{stem}-{number}"))
            with contextlib.suppress(FileExistsError):
                made.folder.mkdir()
                made._write(_HEAD, {"settings": fingerprint(options)})
                return made
        raise OSError(f"no free name in {place}")

    @classmethod
    def find(cls, place: Path, name: str, options: StudyOptions) -> SavedStudy:
        """Return the study of a name, or the last one.

        Raises:
            UsageError: when it does not exist, or was made with other models or settings.
        """
        names = _names(place)
        chosen = names[-1] if name == LAST and names else name
        if chosen not in names:
            known = ", ".join(names[-5:]) or "none yet"
            raise UsageError(
                "No study to resume." if name == LAST else f"Unknown study {name!r}.",
                hint=f"The last ones: {known}.",
            )
        found = cls(place / chosen)
        if found._read(_HEAD).get("settings") != fingerprint(options):
            raise UsageError(
                f"The study {chosen} has other models or settings.",
                hint="Repeat its command with --resume, or start a new study without it.",
            )
        return found

    def keep(self, row: StudyRow) -> None:
        """Write a board; its file is whole or not there, also after a power failure."""
        self._write(_file(row.target), {"row": to_json(row)})

    def row(self, target: str) -> StudyRow | None:
        """Return what was kept of a board; None for one that was not finished."""
        with contextlib.suppress(InvalidDocument):
            document = self._read(_file(target)).get("row")
            if document is not None:
                return replace(from_json(StudyRow, document), kept=True)
        return None

    def rounds_of(self, target: str) -> Path:
        """Return the path for the raw rounds of a board."""
        return self.folder / f"{_file(target)}.rounds"

    def _read(self, name: str) -> dict[str, object]:
        with contextlib.suppress(OSError, ValueError):
            document = json.loads((self.folder / name).read_text(encoding="utf-8"))
            if isinstance(document, dict):
                return document
        return {}

    def _write(self, name: str, document: object) -> None:
        write_atomically(self.folder / name, json.dumps(document).encode())


def place_of(data: Path) -> Path:
    """Return the folder of a workspace's studies."""
    return data / "studies"


def fingerprint(options: StudyOptions) -> str:
    """Return a digest of all that a board's figures depend on, but for the board."""
    document = to_json(options)
    settings = {name: value for name, value in document.items() if name not in _CHANGEABLE}
    text = json.dumps({**settings, "studio": studio.__version__}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _file(target: str) -> str:
    """Return the name of a board's file: names of targets may hold slashes."""
    return hashlib.sha256(target.encode()).hexdigest()[:24] + ".json"


def _names(place: Path) -> list[str]:
    return sorted(one.name for one in place.iterdir() if one.is_dir()) if place.is_dir() else []
