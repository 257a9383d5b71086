"""Which registry a store belongs to: one identity in the database, the same beside what it keeps.

A registry that was made anew over the store of another one knows nothing of what lies there; so
nothing there is garbage to it.
"""

from __future__ import annotations

import os
import re
import sqlite3
import uuid
from pathlib import Path

from studio.settings import write_atomically

MARK = ".registry"
"""The file in the store that names its registry."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


def entries(store: Path) -> dict[str, Path]:
    """The folders of artefacts in a store, by their digest; what else lies there is nobody's."""
    try:
        with os.scandir(store) as found:
            names = [one.name for one in found if one.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return {}
    return {name: store / name for name in sorted(names) if _DIGEST.fullmatch(name)}


def identify(connection: sqlite3.Connection, store: Path, *, new: bool, moment: str) -> None:
    """Give a registry its identity, inside the transaction that makes its tables.

    The mark is written first: a registry whose transaction was never finished gets another
    identity the next time, and another mark.

    Args:
        new: It was made just now, so that what the store holds is not its own.
    """
    identifier = uuid.uuid4().hex
    connection.execute("INSERT INTO identity (id, created) VALUES (?, ?)", (identifier, moment))
    if not (new and entries(store)):
        mark(store, identifier)


def mark(store: Path, identifier: str) -> None:
    """Say whose a store is."""
    write_atomically(store / MARK, identifier.encode())


def marked(store: Path) -> str:
    """The identity of the registry whose store it is; empty where that is not known."""
    try:
        return (store / MARK).read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def identity_of(connection: sqlite3.Connection) -> tuple[str, str]:
    """A registry's identity, and when it was last restored; empty before the fourth form."""
    try:
        row = connection.execute("SELECT id, restored FROM identity").fetchone()
    except sqlite3.OperationalError:
        return "", ""
    return (str(row[0]), str(row[1] or "")) if row else ("", "")
