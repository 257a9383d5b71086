"""The start of a registry's database: new, older, damaged, lost, or from a later version."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from studio.api import StudioError
from studio.registry.backups import DATABASE, MIGRATION, Backups, damaged, lost_database
from studio.registry.ownership import entries
from studio.registry.schema import NewerRegistry, prepare
from studio.registry.sqlite_database import SqliteDatabase, is_damage, is_without_room
from studio.settings.disk_space import no_room


def make_ready(folder: Path, database: SqliteDatabase, store: Path, backups: Backups) -> None:
    """Create missing tables; make a copy of an older file first.

    Raises:
        StudioError: when the file is damaged, lost, or written by a later version, or the disk is
            full.
    """
    try:
        _require_database(folder, store, backups)
        prepare(database.connection, store, lambda: backups.make(MIGRATION))
    except NewerRegistry:
        raise StudioError(
            f"The registry in {folder} was written by a later version of the studio.",
            hint="Install that version, or use another folder with EDGEWRIGHT_HOME.",
        ) from None
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            raise damaged(folder, str(error)) from None
        if is_without_room(error, folder):
            raise no_room(folder) from None
        raise StudioError(f"The registry in {folder} cannot be opened: {error}.") from None


def _require_database(folder: Path, store: Path, backups: Backups) -> None:
    """Refuse a lost database, as an empty one would make all data seem lost."""
    path = folder / DATABASE
    lost = not path.exists() or path.stat().st_size == 0
    if lost and entries(store) and backups.newest_whole() is not None:
        raise lost_database(folder)
