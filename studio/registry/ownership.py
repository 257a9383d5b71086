"""The owner of a store: the same identity in the database and in a file of the store.

A new registry in the place of an old one has no record of the store's content. It must not treat
that content as garbage.
"""

from __future__ import annotations

import os
import re
import sqlite3
import uuid
from pathlib import Path

from studio.registry.database import DatabaseSession
from studio.settings import write_atomically

MARK = ".registry"
"""The file in the store that names its registry."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


def entries(store: Path) -> dict[str, Path]:
    """Return the artifact folders of a store by digest; other files are left out."""
    try:
        with os.scandir(store) as found:
            names = [one.name for one in found if one.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return {}
    return {name: store / name for name in sorted(names) if _DIGEST.fullmatch(name)}


def identify(connection: sqlite3.Connection, store: Path, *, new: bool, moment: str) -> None:
    """Give a registry its identity, within the transaction that creates its tables.

    The file is written first. If the transaction does not finish, the next attempt writes another
    identity to both.

    Args:
        new: Whether it was just created, so the store's content is not its own.
    """
    identifier = uuid.uuid4().hex
    connection.execute("INSERT INTO identity (id, created) VALUES (?, ?)", (identifier, moment))
    if not (new and entries(store)):
        mark(store, identifier)


def mark(store: Path, identifier: str) -> None:
    """Write the identity of the owner to a store."""
    write_atomically(store / MARK, identifier.encode())


def marked(store: Path) -> str:
    """Return the identity of a store's owner; empty if it is unknown."""
    try:
        return (store / MARK).read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def identity_of(connection: DatabaseSession) -> tuple[str, str]:
    """Return a registry's identity and its last restore; empty before the fourth schema."""
    try:
        row = connection.execute("SELECT id, restored FROM identity").fetchone()
    except sqlite3.OperationalError:
        return "", ""
    return (str(row[0]), str(row[1] or "")) if row else ("", "")
