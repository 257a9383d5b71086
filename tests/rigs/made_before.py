"""Unpacks what an earlier version of the program made, as if it had been made where it lies now."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MADE = Path(__file__).parents[1] / "data" / "made_by_0_1"
ROOT = "/tmp/edgewright-0.1"
"""Where it was made; the same as in ``make.py`` there."""

DIGEST = re.compile("[0-9a-f]{64}")


def unpack(name: str, folder: Path) -> None:
    """Unpack one of the archives into a folder."""
    with tarfile.open(MADE / name) as archive:
        archive.extractall(folder, filter="tar")


def unpack_home(folder: Path) -> None:
    """Unpack the home of 0.1, whose whole paths become those of the folder and of this Python."""
    unpack("home.tar.xz", folder)
    rename(folder, f"{ROOT}/bin/python", sys.executable)
    rename(folder, ROOT, str(folder))


def rename(folder: Path, old: str, new: str) -> None:
    """Replace a path wherever a home has it: in the registry's rows, and in what lies beside it."""
    for path in _texts(folder):
        text = path.read_text(encoding="utf-8")
        if old in text:
            path.write_text(text.replace(old, new), encoding="utf-8")
    _rename_in_rows(folder / "edgewright" / "data" / "registry" / "registry.sqlite", old, new)


def as_then(document: Any, folder: Path) -> Any:
    """A document of today with the paths of then."""
    return json.loads(json.dumps(document).replace(str(folder), ROOT))


def _texts(folder: Path) -> Iterator[Path]:
    """Files that may hold whole paths; what is named by its digest stays as it is."""
    for path in (folder / "edgewright").rglob("*.json"):
        if not any(DIGEST.fullmatch(part) for part in path.parts):
            yield path


def _rename_in_rows(registry: Path, old: str, new: str) -> None:
    with contextlib.closing(sqlite3.connect(registry)) as database, database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in database.execute(f"PRAGMA table_info({table})").fetchall():
                column, kind = row[1], row[2]
                if kind == "TEXT":
                    change = f"UPDATE {table} SET {column} = replace({column}, ?, ?)"
                    database.execute(change, (old, new))
